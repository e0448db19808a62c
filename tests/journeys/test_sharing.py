"""A county applies for a dataset of the region, gets it masked, uses it, and loses it when the owner takes it back."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from shuren.datahub import api as datahub
from shuren.datahub.models import SharingUse
from shuren.kernel.clock import day_of
from tests.cast import Cast
from tests.journeys.conftest import PHONE, overflow, serious_faults, signed_in

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
MEMBERS = "directory.member"
TITLE = "在册人员"
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
        page.screenshot(path=f"{folder}/sharing-{name}-phone.png", full_page=True)
    page.set_viewport_size(size or PHONE)
    if folder:
        page.screenshot(path=f"{folder}/sharing-{name}.png", full_page=True)


def apply(page: Page, cast: Cast) -> None:
    page.goto("/data/sharing/?q=名册：在册人员")
    look(page, "catalogue")
    page.goto(f"/data/sharing/datasets/{MEMBERS}/apply/")
    page.get_by_label("用途").fill("核对在册人员")
    for column in ("姓名（name，L3）", "身份（role，L2）"):
        page.get_by_label(column).check()
    page.get_by_role("checkbox", name="查询").check()
    page.get_by_label("用到哪天（含）").fill((day_of(cast.now) + timedelta(days=30)).isoformat())
    look(page, "apply")
    page.get_by_role("button", name="提交申请").click()
    expect(page.locator("main").get_by_text("等待决定").first).to_be_visible()
    look(page, "application")


def approve(page: Page) -> None:
    page.goto("/data/sharing/to-decide/")
    look(page, "to-decide")
    page.get_by_role("link", name=TITLE, exact=True).first.click()
    page.get_by_role("link", name="同意", exact=True).click()
    expect(page.get_by_label("姓名（name，L3）")).to_have_value("name")
    look(page, "approve")
    page.get_by_role("button", name="同意", exact=True).click()
    expect(page.locator("main").get_by_text("已同意").first).to_be_visible()


def ask(page: Page, cast: Cast) -> None:
    page.goto("/data/sharing/grants/")
    page.get_by_role("link", name=TITLE, exact=True).first.click()
    look(page, "grant")
    page.get_by_role("link", name="查询", exact=True).click()
    page.get_by_label("SQL 查询").fill("SELECT name FROM directory_member WHERE role = 'pupil' ORDER BY name")
    page.get_by_role("button", name="查询", exact=True).click()
    answer = page.get_by_role("region", name="查询结果")
    expect(answer.get_by_role("cell", name="张**").first).to_be_visible()
    expect(page.locator("main")).not_to_contain_text(cast.people["classmate"].name)
    look(page, "answer")
    page.get_by_label("SQL 查询").fill("SELECT phone FROM directory_member")
    page.get_by_role("button", name="查询", exact=True).click()
    expect(page.get_by_text("查询无法执行").first).to_be_visible()


def test_a_county_applies_for_a_dataset_and_gets_it_masked(windows: Callable[[], Page], roster: Cast) -> None:
    county, province = windows(), windows()
    for page in (county, province):
        page.set_default_timeout(PATIENCE)
    signed_in(county, "county.officer")
    signed_in(province, "province.officer")
    apply(county, roster)
    approve(province)
    ask(county, roster)
    assert SharingUse.objects.get().rows == 3

    province.goto("/data/sharing/grants/?side=given")
    province.get_by_role("link", name=TITLE, exact=True).first.click()
    expect(province.get_by_role("cell", name="周志强")).to_be_visible()
    province.get_by_role("link", name="收回", exact=True).click()
    province.get_by_label("理由").fill("用途已完成")
    province.get_by_role("button", name="收回", exact=True).click()
    expect(province.locator("main").get_by_text("用途已完成").first).to_be_visible()
    look(province, "revoked")

    county.goto(county.url)
    expect(county.get_by_text("这项授权已被收回").first).to_be_visible()
