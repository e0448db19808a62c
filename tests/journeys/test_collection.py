"""A table from the builder to the lake: an officer makes and issues it, a head fills it in on a phone, off-line for a while."""

import csv
import io
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import overflow, serious_faults

pytestmark = pytest.mark.journey
HANDHELD = {"width": 390, "height": 844}
PATIENCE = 30_000
FORM, FLOW, COLLECTION = "校舍安全排查表（旅程）", "校舍安全排查审核（旅程）", "校舍安全秋季排查（旅程）"
BUILDINGS, HAS_FAULTS, FAULTS = "校舍栋数", "是否发现隐患", "隐患在哪里"
WHERE, REASON = "北楼三层栏杆松动", "请写明整改期限"
CORRECTED = f"{WHERE}，十一月底前修好"


def add_field(page: Page, kind: str, title: str, *, is_required: bool = True) -> Locator:
    """A field from the palette, named; what else may be said of it is the answer."""
    page.get_by_role("group", name="添加字段").get_by_role("button", name=kind, exact=True).click()
    field = page.locator(".builder-inside")
    field.get_by_label("名称", exact=True).fill(title)
    field.get_by_label("必填", exact=True).set_checked(is_required)
    return field


def put_in_force(page: Page, title: str) -> None:
    expect(page.get_by_text("没有问题，可以启用。")).to_be_visible()
    expect(page.locator(".builder .saved")).to_have_text(re.compile(r"^已保存"))
    page.get_by_role("button", name="启用").click()
    expect(page.get_by_text(f"“{title}”已启用。")).to_be_visible()


def build_form(page: Page) -> None:
    page.goto("/definitions/new/")
    page.get_by_label("名称").fill(FORM)
    page.get_by_role("button", name="开始编制").click()
    add_field(page, "整数", BUILDINGS)
    add_field(page, "是或否", HAS_FAULTS)
    field = add_field(page, "一段文字", FAULTS)
    field.get_by_text("更多设置", exact=True).click()
    field.get_by_label("什么时候显示").select_option(label=f"{HAS_FAULTS}（f2）")
    preview = page.locator("[data-builder-preview]")
    expect(preview.get_by_text(BUILDINGS)).to_be_visible()
    expect(preview.get_by_text(FAULTS)).to_be_hidden()
    assert serious_faults(page) == []
    put_in_force(page, FORM)


def build_flow(page: Page) -> None:
    page.goto("/definitions/new/")
    page.get_by_label("流程：填好以后由谁办").check()
    page.get_by_label("名称").fill(FLOW)
    page.get_by_label("流程用哪张表单").select_option(page.locator("option").filter(has_text=FORM).get_attribute("value"))
    page.get_by_role("button", name="开始编制").click()
    expect(page.locator(".builder-picture svg")).to_be_visible()
    put_in_force(page, FLOW)


def issue(page: Page) -> str:
    """Issue the table to the schools of the district; returns the address of the cockpit."""
    page.goto("/collections/new/")
    page.get_by_label("报什么").select_option(label=FORM)
    page.get_by_label("采集名称").fill(COLLECTION)
    page.get_by_label("审核流程").select_option(label=FLOW)
    page.get_by_label("截止时间").fill("2030-11-30T18:00")
    expect(page.locator("#collection-preview")).to_have_text(re.compile(r"将发给 \d+ 所学校。"))
    told = re.search(r"\d+", page.locator("#collection-preview").inner_text())
    assert told is not None
    assert serious_faults(page) == []
    page.locator("main").get_by_role("button", name="下发", exact=True).click()
    expect(figure(page, "应报")).to_have_text(told[0], timeout=PATIENCE)
    expect(figure(page, "未填报")).to_have_text(told[0])
    return page.url


def figure(page: Page, name: str) -> Locator:
    return page.locator(".counts > div").filter(has=page.get_by_text(name, exact=True)).locator("dd")


def urge(page: Page, head: Page) -> None:
    """One key of the officer's, and the head finds a notice that leads to what is to be filled in."""
    page.get_by_role("link", name="一键催办").click()
    page.get_by_role("button", name="一键催办").click()
    expect(page.get_by_text(re.compile(r"催办 \d+ 次"))).to_be_visible(timeout=PATIENCE)
    head.goto("/notices/")
    head.get_by_role("link", name=f"催办：请尽快填报“{COLLECTION}”").click()
    head.wait_for_url(re.compile(r"/collections/mine/"))


def fill_in_off_line(head: Page) -> None:
    line = head.locator(".due > li").filter(has_text=COLLECTION)
    expect(line).to_contain_text("未填报")
    line.get_by_role("link", name="开始填报").click()
    head.get_by_role("button", name="开始填报").click()
    status = head.locator("[data-sheet-status]")
    head.get_by_label(BUILDINGS).fill("12")
    expect(head.get_by_label(FAULTS)).to_be_hidden()
    expect(status).to_have_text(re.compile(r"^已保存"))
    head.context.set_offline(True)
    head.get_by_role("group", name=HAS_FAULTS).get_by_text("是", exact=True).click()
    head.get_by_label(FAULTS).press_sequentially(WHERE)
    expect(status).to_have_text("网络断开了，已存在这台设备上，联网后自动保存")
    head.context.set_offline(False)
    expect(status).to_have_text(re.compile(r"^已保存"))
    assert overflow(head) <= 0
    assert serious_faults(head) == []


def hand_in(head: Page) -> None:
    head.locator(".sheet-actions .btn-primary").click()
    expect(head.locator("h1")).to_contain_text(COLLECTION)
    expect(head.locator(".steps-line [aria-current=step]")).to_have_text("审核")
    assert overflow(head) <= 0


def decide(page: Page, outcome: str, comment: str = "") -> None:
    page.goto("/work/")
    page.locator("main td a").filter(has_text=COLLECTION).first.click()
    expect(page.locator("main")).to_contain_text(WHERE)
    page.locator("#comment").fill(comment)
    page.get_by_role("button", name=outcome, exact=True).click()
    expect(page.get_by_text(re.compile("^已办理："))).to_be_visible()


def correct(head: Page) -> None:
    head.goto("/collections/mine/")
    line = head.locator(".due > li").filter(has_text=COLLECTION)
    expect(line).to_contain_text("退回更正")
    line.get_by_role("link", name="更正").click()
    expect(head.get_by_text(f"退回的原因：{REASON}")).to_be_visible()
    expect(head.get_by_label(FAULTS)).to_have_value(WHERE)
    head.get_by_label(FAULTS).fill(CORRECTED)
    expect(head.locator("[data-sheet-status]")).to_have_text(re.compile(r"^已保存"))


def freeze(page: Page, cockpit: str) -> str:
    """Freeze, and take the data as CSV."""
    page.goto(cockpit)
    expect(figure(page, "已通过")).to_have_text("1")
    page.get_by_role("link", name="冻结").click()
    page.get_by_role("button", name="冻结并写入数据湖").click()
    expect(page.locator(".status-badge").filter(has_text="已冻结")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="数据", exact=True).click()
    dataset = page.get_by_role("region", name="数据湖").get_by_role("row").nth(1)
    expect(dataset.get_by_role("rowheader")).not_to_be_empty()
    expect(dataset.get_by_role("cell").nth(1)).to_have_text("1")
    assert serious_faults(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    return Path(download.value.path()).read_text("utf-8-sig")


def follow_to_the_form(page: Page) -> None:
    """From a figure that was frozen back to the field of the form that the school filled in."""
    page.get_by_role("link", name="数据从哪里来").first.click()
    expect(page.get_by_role("link", name="血缘")).to_have_attribute("aria-current", "page")
    deadline = time.monotonic() + PATIENCE / 1000
    while not page.get_by_label("看哪一列").is_visible() and time.monotonic() < deadline:
        page.wait_for_timeout(1_000)
        page.reload()
    page.get_by_label("看哪一列").fill("f3")
    page.get_by_role("button", name="看血缘").click()
    up = page.get_by_role("region", name=re.compile("来自"))
    up.get_by_role("link", name=FORM).click()
    expect(page.locator("h1")).to_contain_text(FORM)


def test_a_table_is_built_issued_filled_in_reviewed_and_frozen(sign_in: Callable[..., Page]) -> None:
    officer, head = sign_in("district_officer"), sign_in("head", viewport=HANDHELD)
    officer.on("dialog", lambda dialog: dialog.accept())
    build_form(officer)
    build_flow(officer)
    cockpit = issue(officer)
    urge(officer, head)
    fill_in_off_line(head)
    hand_in(head)
    decide(officer, "退回修改", REASON)
    correct(head)
    hand_in(head)
    decide(officer, "同意")
    rows = list(csv.DictReader(io.StringIO(freeze(officer, cockpit))))
    assert [row[FAULTS] for row in rows] == [CORRECTED]
    follow_to_the_form(officer)
