"""From a report's figure back to the file that brought the answers, and from a field of a form to its one source."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Site, overflow, serious_faults

pytestmark = pytest.mark.journey
PHONE = {"width": 390, "height": 844}
PATIENCE = 90_000


def open_report(page: Page) -> None:
    page.get_by_role("link", name=re.compile("四年级数学期末检测")).first.click()
    page.get_by_role("link", name="数据从哪里来").click()
    expect(page.get_by_role("link", name="血缘")).to_have_attribute("aria-current", "page")


def test_a_figure_of_a_report_leads_back_to_the_import(sign_in: Callable[..., Page]) -> None:
    page = sign_in("city_officer")
    open_report(page)
    page.get_by_label("看哪一列").fill("mean")
    page.get_by_role("button", name="看血缘").click()
    up = page.get_by_role("region", name=re.compile("来自"))
    expect(up).to_contain_text("pv1")
    expect(up).not_to_contain_text("assessment.responses")
    up.get_by_role("button", name=re.compile("展开 测评得分")).first.click()
    inner = up.locator(".lineage-branch .lineage-branch")
    expect(inner).to_contain_text("r1")
    assert serious_faults(page) == []
    inner.get_by_role("button", name=re.compile("的来源")).first.press("Enter")
    brought = inner.locator(".lineage-branch").get_by_role("link", name="测验成绩")
    expect(brought).to_be_visible()
    brought.click()
    page.get_by_role("link", name="运行", exact=True).click()
    page.get_by_role("table").get_by_role("link", name="导入测验成绩").first.click()
    expect(page).to_have_url(re.compile(r"/imports/\w+/"))


def test_the_catalogue_is_read_on_a_phone(sign_in: Callable[..., Page], site: Site) -> None:
    page = sign_in("head", viewport=PHONE)
    page.goto(f"{site.url}/data/catalogue/?q=evaluation.school")
    page.get_by_role("link", name="学校报告").click(timeout=PATIENCE)
    expect(page.get_by_role("link", name="平均分").or_(page.get_by_role("link", name="mean"))).to_be_visible()
    page.get_by_role("link", name="血缘").click()
    assert overflow(page) == 0
    assert serious_faults(page) == []
