"""An officer takes in results, has them measured, and walks from the city down to a class."""

import io
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pypdf
import pytest
from playwright.sync_api import APIResponse, Page, expect

from shuren.assessment.api import SimulatedTest, simulate_results
from tests.journeys.conftest import Site, serious_faults

pytestmark = pytest.mark.journey
PATIENCE = 120_000


def fetched(page: Page, form: str) -> APIResponse:
    """The file the page offers in that form."""
    href = page.locator(f"a[href$='.{form}']").first.get_attribute("href")
    answer = page.request.get(href or "")
    assert answer.status == 200
    return answer


def drill(page: Page, name: str) -> None:
    """Open the unit of that name below as a reader would: by its tile, or the first by the keyboard on the chart."""
    tile = page.locator("a.tile").filter(has_text=name)
    if tile.count():
        tile.click()
        return
    picture = page.locator("#chart-children [data-chart-picture]")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_attribute("role", "application")
    picture.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")


def test_results_are_imported_measured_and_read(sign_in: Callable[..., Page], tmp_path: Path, pupil_ids: list[str]) -> None:
    page = sign_in("city_officer")
    package = tmp_path / "unit-test.zip"
    name = "旅程单元测验（模拟）"
    words = SimulatedTest(code="journey", name=name, org="city", held_date=date(2026, 9, 18), seed=7, items=12, grade="四年级")
    simulate_results(package, words, pupils=pupil_ids)
    page.goto("/imports/new/results/")
    page.set_input_files("input[type=file]", package)
    page.get_by_role("button", name="上传并检查").click()
    page.get_by_role("button", name=re.compile("写入")).click(timeout=PATIENCE)
    expect(page.get_by_text("已经全部写入。")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="查看测评项目").click()
    page.get_by_role("link", name=name).click()
    page.get_by_role("link", name="开展测评分析").click()
    assert serious_faults(page) == []
    page.get_by_role("button", name="声明并开始分析").click()
    expect(page.locator(".progress-line").or_(page.get_by_role("link", name="看总体报告"))).to_be_visible()
    page.get_by_role("link", name="看总体报告").click(timeout=PATIENCE)
    expect(page.locator("h1")).to_contain_text("报告")
    expect(page.locator(".data-note")).to_contain_text("模拟")


def test_a_report_leads_from_the_city_down_to_a_class_and_back(sign_in: Callable[..., Page], site: Site) -> None:
    page = sign_in("city_officer")
    page.get_by_role("link", name=re.compile("四年级数学期末检测")).first.click()
    city = page.url
    expect(page.locator("#chart-trend")).to_contain_text("2025-09-10")
    titles = [page.locator("h1").inner_text()]
    for role in ("district_officer", "head", "class_teacher"):
        here = page.url
        drill(page, site.accounts[role]["place"])
        page.wait_for_url(lambda url, here=here: url != here)
        titles.append(page.locator("h1").inner_text())
        assert serious_faults(page) == []
    assert len(set(titles)) == 4
    assert page.locator("a[href*='/pupils/']").count() == 0, "an officer sees classes, not children"
    crumbs = page.locator(".crumbs a")
    assert crumbs.count() == 4
    page.locator(f".crumbs a[href='{city[city.index('/reports/') :]}']").click()
    assert page.url == city


def test_a_report_leaves_as_pdf_workbook_and_json(sign_in: Callable[..., Page]) -> None:
    page = sign_in("class_teacher")
    page.get_by_role("link", name=re.compile("四年级数学期末检测")).first.click()
    name = page.locator("h1").inner_text()

    pdf = fetched(page, "pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    text = "".join(sheet.extract_text() for sheet in pypdf.PdfReader(io.BytesIO(pdf.body())).pages)
    assert "数字是怎样算出来的" in text
    assert "平均" in text

    workbook = fetched(page, "xlsx")
    assert "spreadsheetml" in workbook.headers["content-type"]
    sheets = openpyxl.load_workbook(io.BytesIO(workbook.body()), read_only=True)
    assert len(sheets.sheetnames) >= 3

    document = json.loads(fetched(page, "json").text())
    assert document["unit"]["name"] in name
    shown = page.locator(".figures dd").first.inner_text()
    assert f"{document['mean']['value']:.1f}" in shown


def test_every_chart_has_its_table_and_speaks_to_the_keyboard(sign_in: Callable[..., Page]) -> None:
    page = sign_in("head")
    page.get_by_role("link", name=re.compile("四年级数学期末检测")).first.click()
    charts = page.locator("figure.chart")
    assert charts.count() >= 4
    for place in range(charts.count()):
        figure = charts.nth(place)
        figure.scroll_into_view_if_needed()
        figure.locator("summary").first.click()
        assert figure.locator(".chart-table tbody tr").count() >= 1
    picture = page.locator("[data-chart-picture][role=application]").first
    picture.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-chart-live]").first).not_to_be_empty()
