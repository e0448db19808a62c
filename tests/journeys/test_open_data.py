"""An officer opens data: too fine a table fails its check, a coarser one passes, a second person opens it, everybody reads it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from shuren.datahub.models import OpenVersion
from shuren.datahub.tests.open_data.conftest import PUPILS, SCHOOLS, pupils
from tests.cast import Cast
from tests.journeys.conftest import DESKTOP, PHONE, overflow, serious_faults, signed_in

__all__ = ["pupils"]
PATIENCE = 90_000
pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def lake(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path / "lake"


def look(page: Page, name: str) -> None:
    assert serious_faults(page, in_both_lights=False) == []
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        assert overflow(page) <= 0, page.url
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{name}-{size['width']}.png", full_page=True)


def declare(page: Page) -> None:
    """The pupils of each school by sex and level, as fine as it goes."""
    page.get_by_role("link", name="开放数据", exact=True).click()
    look(page, "desk")
    page.get_by_role("link", name="开放一份数据").first.click()
    expect(page.get_by_text(SCHOOLS.name)).to_be_visible()
    page.get_by_role("link", name=PUPILS.title("zh"), exact=True).click()
    page.get_by_label("标题", exact=True).fill("各校学生人数")
    page.get_by_label("说明").fill("2026 年的在校学生，按学校和性别汇总。")
    page.get_by_label("org_path").select_option("school")
    page.get_by_label("sex").select_option("exact")
    page.get_by_label("level").select_option("exact")
    # Whatever names people is not even offered.
    assert page.locator("[name=column_name], [name=column_national_id_index]").count() == 0
    look(page, "declaration")
    page.get_by_role("button", name="保存并检查").click()


def test_open_data_fail_and_then_pass_the_check(windows: Callable[[], Page], pupils: Cast) -> None:
    officer, second, stranger = windows(), windows(), windows()
    for page in (officer, second, stranger):
        page.set_default_timeout(PATIENCE)
    signed_in(officer, "city.officer")
    declare(officer)
    failed = officer.locator("[data-check=failed]")
    expect(failed).to_contain_text("有 1 组不到 5 行")
    expect(failed).to_contain_text("不公开“level”，就没有太小的组了。")
    assert officer.get_by_role("button", name="提请批准").count() == 0
    look(officer, "failed")

    officer.get_by_role("link", name="修改").click()
    officer.get_by_label("level").select_option("")
    officer.get_by_label("附上合计").check()
    officer.get_by_role("button", name="保存并检查").click()
    expect(officer.locator("[data-check=passed]")).to_contain_text("每一组至少有 5 行")
    look(officer, "passed")
    officer.get_by_role("button", name="提请批准").click()
    expect(officer.get_by_text("已提请，等另一人批准。")).to_be_visible()
    assert officer.get_by_role("button", name="批准并开放").count() == 0

    signed_in(second, "province.officer")
    second.goto("/data/open/?state=waiting")
    second.get_by_role("link", name="各校学生人数").click()
    second.get_by_role("button", name="批准并开放").click()
    expect(second.get_by_text("已开放。")).to_be_visible()

    stranger.goto("/open/")
    look(stranger, "catalogue")
    stranger.get_by_role("link", name="各校学生人数").click()
    expect(stranger.get_by_role("cell", name="东湖区第二小学").first).to_be_visible()
    look(stranger, "dataset")
    with stranger.expect_download() as taken:
        stranger.get_by_role("link", name="下载 CSV").click()
    assert "东湖区第二小学,1,2,12" in Path(taken.value.path()).read_text(encoding="utf-8-sig")
    address = stranger.url

    second.get_by_role("link", name="撤回").click()
    second.get_by_label("原因").fill("学校名有误")
    second.locator("main button[type=submit]").click()
    expect(second.get_by_text("已撤回").first).to_be_visible()
    answer = stranger.goto(address)
    assert answer is not None
    assert answer.status == 410
    expect(stranger.locator("[data-withdrawn]")).to_contain_text("学校名有误")
    look(stranger, "withdrawn")
    assert OpenVersion.objects.get().state == "withdrawn"
