"""A form as a workbook: out with its rules, back in through the same check, told by sheet, row and column."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from shuren.casework.services.form_workbook import Prepared, ReadBack, form_template, read_form_workbook
from shuren.casework.tests.forms.drawn import field, form_of
from shuren.intake.api import UnreadableFile

TODAY = date(2026, 9, 1)
FORM = form_of(
    field("name", title="校名", required=True),
    field("code", title="邮编", pattern="[0-9]{6}", pattern_help="邮编是 6 位数字。"),
    field("pupils", "integer", title="学生", unit="人", minimum=0, maximum=9000, required=True),
    field("kind", "code", title="类别"),
    field("nation", "code", title="民族", options=[{"code": str(n), "title": f"第{n}个民族"} for n in range(60)]),
    field("subjects", "codes", title="科目"),
    field("rural", "boolean", title="是否乡村"),
    field("opened", "date", title="建校日期"),
    field("spot", "place", title="位置"),
    field("head", "person", title="校长"),
    field(
        "rooms",
        "table",
        title="教室/明细",
        columns=[field("use", title="用途", required=True), field("seats", "integer", title="座位", maximum=100)],
    ),
    field("seats", "integer", title="座位合计", calculated="sum(rooms.seats)"),
    field("photo", "file", title="照片"),
    rules=[{"check": "seats <= 120", "message": "座位合计不能超过 120。", "at": "rooms"}],
)
FULL: dict[str, Any] = {
    "name": "=一小",
    "code": "010001",
    "pupils": 1200,
    "kind": "b",
    "subjects": ["a", "c"],
    "rural": False,
    "opened": "2001-09-02",
    "spot": {"lon": 116.4, "lat": 39.9},
    "rooms": [{"use": "普通", "seats": 45}, {"use": "实验"}],
}


def saved(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "form.xlsx"
    path.write_bytes(content)
    return path


def changed(tmp_path: Path, content: bytes, **cells: Any) -> Path:
    """The workbook with cells changed, as `填报_C2`."""
    book = load_workbook(io.BytesIO(content))
    for place, value in cells.items():
        sheet, _bar, cell = place.rpartition("_")
        book[sheet][cell] = value
    stream = io.BytesIO()
    book.save(stream)
    return saved(tmp_path, stream.getvalue())


def told(read: ReadBack) -> list[tuple[str, int, str, str, str]]:
    return [(found.sheet, found.row, found.column, found.value, found.reason) for found in read.findings]


def test_what_is_given_out_comes_back_the_same(tmp_path: Path) -> None:
    content = form_template(
        FORM, rows=[Prepared("东湖区第一小学", FULL), Prepared("东湖区第二小学", {"name": "二小", "pupils": 0})]
    )
    read = read_form_workbook(FORM, saved(tmp_path, content), today=TODAY)
    assert told(read) == []
    assert [(one.row, one.name) for one in read.submissions] == [(2, "东湖区第一小学"), (3, "东湖区第二小学")]
    assert read.submissions[0].checked.data == FULL | {"seats": 45}
    assert read.submissions[1].checked.data == {"name": "二小", "pupils": 0, "seats": 0}


def test_columns_say_their_rule_and_offer_their_codes() -> None:
    book = load_workbook(io.BytesIO(form_template(FORM)))
    assert book.sheetnames == ["填报", "教室 明细", "说明", "选项"]
    assert book["选项"].sheet_state == "hidden"
    sheet = book["填报"]
    headings = [cell.value for cell in sheet[1]]
    assert headings == ["行号", "校名", "邮编", "学生（人）", "类别", "民族", "科目", "是否乡村", "建校日期", "位置", "校长"]
    assert sheet["D1"].comment.text == "必填。\n应填 0 到 9000 之间的整数。"
    lists = {str(rule.sqref).partition("2:")[0]: rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert lists["E"] == '"甲等,乙等,丙等"'
    assert lists["F"].startswith("'选项'!$A$1:$A$")
    assert lists["H"] == '"是,否"'
    assert "这些内容只能在网页上补充：照片。" in [row[0].value for row in book["说明"].iter_rows()]


def test_every_wrong_cell_is_told_where_it_stands(tmp_path: Path) -> None:
    content = form_template(FORM, rows=[Prepared("一小", FULL), Prepared("二小", {"name": "二小"})])
    path = changed(
        tmp_path,
        content,
        **{
            "填报_D2": "123",
            "填报_F2": "丁等",
            "教室 明细_B2": None,
            "教室 明细_C3": 200,
            "教室 明细_A4": 9,
            "教室 明细_B4": "走廊",
        },
    )
    read = read_form_workbook(FORM, path, today=TODAY)
    assert told(read) == [
        ("填报", 2, "邮编", "123", "格式不对"),
        ("填报", 2, "类别", "丁等", "不在可选的范围内"),
        ("填报", 3, "学生（人）", "", "还没有填"),
        ("教室 明细", 2, "用途", "", "还没有填"),
        ("教室 明细", 3, "座位", "200", "大于 100"),
        ("教室 明细", 4, "行号", "9", "“填报”表里没有这个行号"),
    ]
    assert not read.is_sound


def test_a_draft_may_lack_anything(tmp_path: Path) -> None:
    content = form_template(FORM, rows=[Prepared("二小", {"name": "二小"})])
    assert read_form_workbook(FORM, saved(tmp_path, content), today=TODAY, is_draft=True).is_sound


def test_a_rule_over_a_table_points_to_the_row_of_the_form(tmp_path: Path) -> None:
    data = {"name": "一小", "pupils": 5, "rooms": [{"use": "甲", "seats": 90}, {"use": "乙", "seats": 90}]}
    read = read_form_workbook(FORM, saved(tmp_path, form_template(FORM, rows=[Prepared("一小", data)])), today=TODAY)
    assert told(read) == [("填报", 2, "教室/明细", "", "座位合计不能超过 120。")]


def test_people_are_known_by_their_names(tmp_path: Path) -> None:
    who = {"id": "0123456789abc", "name": "陈立新"}
    path = changed(tmp_path, form_template(FORM, rows=[Prepared("一小", {"name": "一小", "pupils": 5})]), 填报_L2="陈立新")
    read = read_form_workbook(FORM, path, today=TODAY, find=lambda spec, value: who if value == "陈立新" else None)
    assert read.submissions[0].checked.data["head"] == who
    again = read_form_workbook(FORM, path, today=TODAY, find=lambda spec, value: None)
    assert told(again) == [("填报", 2, "校长", "陈立新", "没有找到")]


def test_rows_of_the_same_number_and_columns_that_are_gone(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "填报"
    for row in (["行号", "校名"], [1, "一小"], [1, "二小"]):
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    read = read_form_workbook(FORM, saved(tmp_path, stream.getvalue()), today=TODAY, is_draft=True)
    errors = [(found.row, found.column, found.reason) for found in read.findings if found.is_error]
    assert errors == [(1, "学生（人）", "缺少这一列"), (3, "行号", "行号重复")]


def test_a_file_that_is_no_workbook_of_this_form(tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].append(["别的"])
    stream = io.BytesIO()
    book.save(stream)
    with pytest.raises(UnreadableFile, match="填报"):
        read_form_workbook(FORM, saved(tmp_path, stream.getvalue()), today=TODAY)
