"""An officer asks the lake: ticks columns, sees the picture, writes on in SQL, saves the question and takes the file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from shuren.datahub import api as datahub
from shuren.kernel.models import AuditEntry
from tests.cast import Cast
from tests.journeys.conftest import DESKTOP, PHONE, overflow, serious_faults, signed_in

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
PATIENCE = 90_000


@pytest.fixture
def roster(cast: Cast, settings: Any, tmp_path: Path) -> Cast:
    settings.DATA_DIR = tmp_path
    datahub.measure_quality(now=cast.now)
    return cast


def look(page: Page, name: str) -> None:
    assert serious_faults(page, in_both_lights=False) == []
    assert overflow(page) <= 0, page.url
    size = page.viewport_size
    page.set_viewport_size(PHONE)
    assert overflow(page) <= 0, page.url
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/workbench-{name}-phone.png", full_page=True)
    page.set_viewport_size(size or PHONE)
    if folder:
        page.screenshot(path=f"{folder}/workbench-{name}.png", full_page=True)


def test_from_ticks_to_a_file(windows: Callable[[], Page], roster: Cast) -> None:
    page = windows()
    page.set_default_timeout(PATIENCE)
    signed_in(page, "county.officer")
    page.goto("/data/workbench/?q=名册")
    page.get_by_role("link", name="在册人员", exact=True).click()
    page.get_by_label("身份：用途").select_option("show")
    page.get_by_label("姓名：用途").select_option("distinct")
    page.get_by_label("数行数").check()
    page.get_by_label("本次用途").fill("核对在册人员")
    look(page, "compose")
    page.set_viewport_size(PHONE)
    fits = "all => all.every(one => one.getBoundingClientRect().right <= window.innerWidth)"
    assert page.locator(".compose-table :is(select, input)").evaluate_all(fits), "a control is cut off on a phone"
    page.set_viewport_size(DESKTOP)
    page.get_by_role("button", name="查询", exact=True).click()
    expect(page.get_by_role("img", name="各“身份”的").or_(page.locator("[data-kind=item_bars]")).first).to_be_visible()
    answer = page.get_by_role("region", name="查询结果")
    expect(answer.get_by_role("cell", name="pupil", exact=True)).to_be_visible()
    look(page, "answer")

    page.get_by_role("link", name="改 SQL").click()
    text = page.get_by_label("SQL 查询")
    text.fill("SELECT name, phone,\n  string_agg(role, ',') AS roles FROM directory_member")
    page.get_by_role("button", name="查询", exact=True).click()
    expect(page.get_by_text("第 2 行").first).to_be_visible()
    look(page, "sql")
    text.fill("SELECT name, role FROM directory_member WHERE role = 'pupil' ORDER BY name")
    page.get_by_role("button", name="查询", exact=True).click()
    expect(answer.get_by_role("cell", name="张**").first).to_be_visible()
    expect(page.locator("main")).not_to_contain_text(roster.people["classmate"].name)

    page.get_by_role("link", name="保存查询").click()
    page.get_by_label("标题").fill("在册学生")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("heading", name="在册学生", level=1)).to_be_visible()
    look(page, "question")
    page.get_by_role("button", name="查询", exact=True).click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="导出 CSV").click()
    lines = Path(taken.value.path()).read_text("utf-8-sig").splitlines()
    assert (lines[0], len(lines), taken.value.suggested_filename.endswith(".csv")) == ("name,role", 4, True)
    assert AuditEntry.objects.filter(action="datahub.question_exported").count() == 1
