"""An officer takes in a roster: mistakes shown, mended, looked at, applied, undone."""

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import overflow, serious_faults

pytestmark = pytest.mark.journey
PATIENCE = 60_000


@pytest.fixture
def school_roster(sign_in: Callable[..., Page], tmp_path: Path) -> tuple[Page, Path]:
    """The officer's window on a school, and that school's roster as the page sends it."""
    page = sign_in("city_officer")
    page.goto("/orgs/?type=school")
    page.locator("[data-rows] [data-open]").first.click()
    with page.expect_download() as started:
        page.get_by_role("link", name="导出名册").click()
    target = tmp_path / "roster.xlsx"
    started.value.save_as(target)
    return page, target


def sheet_with(book: openpyxl.Workbook, column: str) -> tuple[openpyxl.worksheet.worksheet.Worksheet, int, int]:
    """The sheet that has the column, the column's number and the first row of data below its heading."""
    for sheet in book.worksheets:
        for row in sheet.iter_rows(min_row=1, max_row=4):
            for cell in row:
                if str(cell.value or "").strip(" *＊") == column:
                    return sheet, cell.column, cell.row + 1
    raise AssertionError(f"no column {column}")


def send(page: Page, file: Path) -> None:
    page.goto("/imports/new/roster/")
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="上传并检查").click()
    expect(page.locator(".steps-line [aria-current=step]")).to_have_text("核对", timeout=PATIENCE)


def test_planted_errors_are_found_mended_applied_and_undone(school_roster: tuple[Page, Path], tmp_path: Path) -> None:
    page, roster = school_roster
    school = page.locator("h1").inner_text()

    book = openpyxl.load_workbook(roster)
    sheet, born, first = sheet_with(book, "出生日期")
    _sheet, sex, _first = sheet_with(book, "性别")
    right = [sheet.cell(first, born).value, sheet.cell(first + 1, sex).value]
    sheet.cell(first, born).value = "2031-02-30"
    sheet.cell(first + 1, sex).value = "不详的"
    wrong = tmp_path / "wrong.xlsx"
    book.save(wrong)

    send(page, wrong)
    assert page.locator(".finding-group").count() >= 2
    expect(page.locator(".finding-group").filter(has_text="2031-02-30")).to_be_visible()
    assert page.get_by_role("button", name="写入").count() == 0
    assert serious_faults(page) == []
    with page.expect_download() as started:
        page.get_by_role("link", name="下载错误标注表").click()
    marked = tmp_path / "marked.xlsx"
    started.value.save_as(marked)
    assert zipfile.is_zipfile(marked)
    review = openpyxl.load_workbook(marked)
    cell = review[sheet.title].cell(first, born)
    assert cell.fill.fill_type == "solid"
    assert cell.comment is not None
    said = {str(value) for row in review["问题清单"].iter_rows(values_only=True) for value in row}
    assert "2031-02-30" in said
    assert "不详的" in said

    sheet.cell(first, born).value, sheet.cell(first + 1, sex).value = right
    people, full, first_person = sheet_with(book, "姓名")
    old_name = people.cell(first_person, full).value
    people.cell(first_person, full).value = f"{old_name}新"
    mended = tmp_path / "mended.xlsx"
    book.save(mended)

    send(page, mended)
    expect(page.get_by_role("heading", name="写入后会有这些变化")).to_be_visible()
    assert serious_faults(page) == []
    page.get_by_role("button", name="写入 1 处变化").click()
    expect(page.get_by_text("已经全部写入。")).to_be_visible(timeout=PATIENCE)
    done = page.url
    # The index follows by a job of its own.
    until = time.monotonic() + PATIENCE / 1000
    page.goto(f"/search/?q={old_name}新&kind=person")
    while not page.locator(".hits").count() and time.monotonic() < until:
        page.wait_for_timeout(500)
        page.reload()
    expect(page.locator(".hits")).to_contain_text(f"{old_name}新")

    page.goto(done)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="撤销这次导入").click()
    expect(page.get_by_text("这次导入已经撤销")).to_be_visible(timeout=PATIENCE)
    page.goto("/orgs/?type=school")
    page.get_by_role("link", name=school).first.click()
    assert overflow(page) <= 0


def test_the_same_roster_again_changes_nothing(school_roster: tuple[Page, Path]) -> None:
    page, roster = school_roster
    send(page, roster)
    expect(page.get_by_role("button", name="没有变化，直接完成")).to_be_visible()


def test_the_template_is_a_workbook_with_drop_downs(sign_in: Callable[..., Page], tmp_path: Path) -> None:
    page = sign_in("district_officer")
    page.goto("/imports/")
    page.get_by_role("link", name="名册").first.click()
    with page.expect_download() as started:
        page.get_by_role("link", name="下载 Excel 模板").click()
    target = tmp_path / "template.xlsx"
    started.value.save_as(target)
    book = openpyxl.load_workbook(target)
    assert any(sheet.data_validations.dataValidation for sheet in book.worksheets)
