"""An officer who never saw YAML builds a review by experts: drawn, blind, reminded, written into a register, on a phone too."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import overflow, serious_faults

pytestmark = pytest.mark.journey
FLOW = "专家评审（旅程）"
HANDHELD = {"width": 390, "height": 844}
OLD = "这是出错以前的样子"


def begin(page: Page) -> None:
    page.goto("/definitions/new/")
    page.get_by_label("流程：填好以后由谁办").check()
    page.get_by_label("名称").fill(FLOW)
    page.get_by_label("流程用哪张表单").select_option("people.expert_proposal")
    page.get_by_role("button", name="开始编制").click()
    expect(page.locator(".builder-picture svg")).to_be_visible()


def saved(page: Page) -> None:
    expect(page.locator(".builder .saved")).to_have_text(re.compile(r"^已保存"))
    expect(page.get_by_text("没有问题，可以启用。")).to_be_visible()


def build_stage(page: Page) -> None:
    stage = page.locator("[data-place='stages.review']").first
    stage.get_by_label("由谁办理", exact=True).select_option(label="从人员库随机抽取")
    stage.get_by_label("抽几人").fill("2")
    stage.get_by_label("这件事上已经请过的人").check()
    stage.get_by_role("button", name="找不到人时另请别人").first.click()
    stage.get_by_label("怎样决定").select_option(label="双盲评分")
    stage.get_by_label("允许相差几分").fill("15")
    stage.get_by_text("提醒与超期", exact=True).click()
    stage.get_by_role("button", name="添加一次提醒").click()
    stage.get_by_label("超期后通知别人或自动办理").check()
    stage.get_by_label("然后按哪个结果自动办理").select_option(label="退回修改")
    saved(page)


def build_end(page: Page) -> None:
    end = page.locator("[data-place='ends.done']").first
    end.get_by_text("办结以后做什么", exact=True).click()
    end.get_by_role("button", name="写入一个台账").click()
    end.get_by_label("台账", exact=True).select_option("people.expert")
    end.get_by_role("button", name=re.compile("名称相同的都照表单写入")).click()
    end.get_by_label("发证照").fill("专家聘书")
    saved(page)


def break_and_mend(page: Page) -> None:
    """What is wrong stands at its place and leads there; the picture says that it is older."""
    count = page.get_by_label("抽几人")
    count.fill("3")
    finding = page.locator(".builder-findings").get_by_role("button", name=re.compile("^审核 · 抽几人"))
    expect(page.get_by_text(OLD)).to_be_visible()
    finding.click()
    expect(count).to_be_focused()
    assert serious_faults(page) == []
    count.fill("2")
    saved(page)
    expect(page.get_by_text(OLD)).to_be_hidden()


def look_on_a_phone(page: Page) -> None:
    page.set_viewport_size(HANDHELD)
    expect(page.locator("[data-builder-preview]")).to_be_hidden()
    page.get_by_role("button", name="预览", exact=True).click()
    expect(page.locator(".builder-picture svg")).to_be_in_viewport()
    assert overflow(page) <= 0
    page.get_by_role("button", name="编辑", exact=True).click()
    expect(page.get_by_label("抽几人")).to_be_visible()
    assert overflow(page) <= 0


def test_a_review_by_experts_is_built_on_the_page(sign_in: Callable[..., Page]) -> None:
    officer = sign_in("district_officer")
    begin(officer)
    build_stage(officer)
    build_end(officer)
    break_and_mend(officer)
    look_on_a_phone(officer)
    officer.get_by_role("button", name="启用").click()
    expect(officer.get_by_text(f"“{FLOW}”已启用。")).to_be_visible()
    officer.get_by_role("button", name="修改").click()
    expect(officer.get_by_label("抽几人")).to_have_value("2")
    expect(officer.get_by_label("允许相差几分")).to_have_value("15")
    expect(officer.get_by_label("然后按哪个结果自动办理")).to_have_value("back")
    expect(officer.locator("[data-place='ends.done.entries.0']").get_by_label("专业领域")).to_have_value("fields")
