"""Writing our workbook: the empty template, and filled ones."""

import io
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from shuren.directory.rules.roster.workbook import (
    EXAMPLE_MARK,
    EXTENT,
    EXTENT_FULL,
    EXTENT_PART,
    MAX_ROWS,
    NOTES_SHEET,
    SHEETS,
    Column,
    Sheet,
)
from shuren.directory.services.check_roster.staging import Stage
from shuren.kernel.errors import Invalid

_EPOCH = (1980, 1, 1, 0, 0, 0)
_REQUIRED = PatternFill("solid", fgColor="FFF2CC")
_PLAIN = PatternFill("solid", fgColor="E7EEF0")
_GREY = Font(color="808080", italic=True)
_NOTES = (
    ("这本工作簿", "一次导入一所学校、一个县区或全省的机构、班级、人员和任课。"),
    ("黄色表头", "必须填写；其余可以留空。把鼠标停在表头上看说明。"),
    ("编号", "机构、班级、人员的编号由您定，一经使用就不要改：系统靠它认出同一行。"),
    ("示例行", f"写着“{EXAMPLE_MARK}”的行不会导入，可以删去。"),
    ("行数", f"每张表最多 {MAX_ROWS:,} 行；更多请用 OneRoster CSV 压缩包。"),
    ("导入前", "系统先检查全部内容并显示差异，确认以后才写入；有一处错误就一行也不写。"),
)


def roster_template() -> bytes:
    """The empty workbook with drop-downs, notes and one example row per sheet."""
    book = _book(EXTENT_PART)
    for sheet in SHEETS:
        page = _page(book, sheet)
        cells = [WriteOnlyCell(page, value=column.example or None) for column in sheet.columns]
        for cell in cells:
            cell.font = _GREY
        page.append([*cells, EXAMPLE_MARK])
    return _closed(book)


def write_workbook(stage: Stage, path: Path, *, hidden: Collection[str] = ("national_id",)) -> dict[str, int]:
    """Write the staged rows as a workbook that lists everybody, without the `hidden` cells; returns the rows per sheet."""
    _split_ties(stage)
    book = _book(EXTENT_FULL)
    counts: dict[str, int] = {}
    for full in SHEETS:
        sheet = replace(full, columns=tuple(column for column in full.columns if column.cell not in hidden))
        page = _page(book, sheet)
        words = [{value: word for word, value in column.choices.items()} for column in sheet.columns]
        count = 0
        for row in _rows(stage, sheet):
            count += 1
            if count > MAX_ROWS:
                raise Invalid(_("一张工作表最多 20 万行。"), remedy=_("请改用 OneRoster 压缩包。"))
            page.append([named.get(cell, cell) or None for cell, named in zip(row, words, strict=True)])
        counts[sheet.name] = count
    path.write_bytes(_closed(book))
    return counts


def _book(extent: str) -> Workbook:
    book = Workbook(write_only=True)
    notes = book.create_sheet(NOTES_SHEET)
    notes.column_dimensions["A"].width = 14
    notes.column_dimensions["B"].width = 80
    choice = DataValidation(type="list", formula1=f'"{EXTENT_FULL},{EXTENT_PART}"', allow_blank=False)
    choice.add("B1")
    notes.data_validations.append(choice)
    notes.append([EXTENT, extent])
    notes.append([None, f"“{EXTENT_FULL}”：没有列出的人员视为已离开；“{EXTENT_PART}”：没有列出的保持不变。"])
    for row in (*_NOTES, *((sheet.name, sheet.purpose) for sheet in SHEETS)):
        notes.append(list(row))
    return book


def _page(book: Workbook, sheet: Sheet) -> Any:
    page = book.create_sheet(sheet.name)
    page.freeze_panes = "B2"
    for place, column in enumerate(sheet.columns, 1):
        letter = get_column_letter(place)
        page.column_dimensions[letter].width = max(12, 2 * len(column.heading) + 4)
        if column.choices:
            choice = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"', allow_blank=not column.is_required)
            choice.add(f"{letter}2:{letter}{MAX_ROWS + 1}")
            page.data_validations.append(choice)
    page.append([_heading(page, column) for column in sheet.columns])
    return page


def _heading(page: Any, column: Column) -> Any:
    cell = WriteOnlyCell(page, value=column.heading)
    cell.font = Font(bold=True)
    cell.fill = _REQUIRED if column.is_required else _PLAIN
    parts = ["必填" if column.is_required else "", column.note, "选择：" + "、".join(column.choices) if column.choices else ""]
    if note := "。".join(part for part in parts if part):
        cell.comment = Comment(note, "树人", height=120, width=260)
    return cell


def _closed(book: Workbook) -> bytes:
    """The finished file without the times openpyxl writes into it: equal rows give equal bytes."""
    draft = io.BytesIO()
    book.save(draft)
    final = io.BytesIO()
    with zipfile.ZipFile(draft) as source, zipfile.ZipFile(final, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
        for name in source.namelist():
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            info.create_system = 3
            with source.open(name) as member, target.open(info, "w") as copy:
                _copy(member, copy, is_core=name == "docProps/core.xml")
    return final.getvalue()


def _copy(member: IO[bytes], copy: IO[bytes], *, is_core: bool) -> None:
    if is_core:
        copy.write(re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"1980-01-01T00:00:00Z", member.read()))
        return
    while chunk := member.read(1 << 20):
        copy.write(chunk)


def _split_ties(stage: Stage) -> None:
    """Put each homeroom beside the pupil's n-th affiliation; what finds no place there goes to the teaching sheet."""
    stage.duck.execute(
        "CREATE OR REPLACE TABLE pupil_row AS SELECT a.*, row_number() OVER (PARTITION BY person ORDER BY row) AS "
        "place FROM affiliation a WHERE role = 'pupil'"
    )
    stage.duck.execute(
        "CREATE OR REPLACE TABLE home AS SELECT e.*, row_number() OVER (PARTITION BY person ORDER BY row) AS place "
        "FROM enrollment e "
        "WHERE role = 'student' AND is_primary = 'true' AND begin_date = '' AND end_date = ''"
    )
    stage.duck.execute("DELETE FROM home WHERE (person, place) NOT IN (SELECT person, place FROM pupil_row)")
    stage.duck.execute(
        "CREATE OR REPLACE TABLE guardian_row AS SELECT coalesce(l.guardian, a.person) AS sid, coalesce(l.ward, '') AS l_ward, "
        "coalesce(l.relation, '') AS l_relation, coalesce(a.org, '') AS a_org, coalesce(a.is_primary, '') AS a_is_primary, "
        "coalesce(a.begin_date, '') AS a_begin_date, coalesce(a.end_date, '') AS a_end_date, coalesce(l.row, a.row) AS n FROM "
        "(SELECT *, row_number() OVER (PARTITION BY guardian ORDER BY row) AS place FROM link) l FULL JOIN "
        "(SELECT *, row_number() OVER (PARTITION BY person ORDER BY row) AS place FROM affiliation WHERE role = 'parent') a "
        "ON a.person = l.guardian AND a.place = l.place"
    )


_PEOPLE = {
    "教职工": (
        {"a_org": "coalesce(a.org, '')", "a_role": "coalesce(a.role, '')"},
        (
            "person t LEFT JOIN (SELECT * FROM affiliation WHERE role NOT IN ('pupil', 'parent')) a ON a.person = t.sid "
            "WHERE a.sid IS NOT NULL OR (t.sid NOT IN (SELECT person FROM pupil_row) AND t.sid NOT IN (SELECT sid FROM "
            "guardian_row)) ORDER BY t.row, a.row"
        ),
    ),
    "学生": (
        {"a_org": "a.org", "e_org": "coalesce(h.org, '')"},
        (
            "pupil_row a JOIN person t ON t.sid = a.person LEFT JOIN home h ON h.person = a.person AND h.place = a.place "
            "ORDER BY a.row"
        ),
    ),
    "家长": (
        {cell: f"a.{cell}" for cell in ("a_org", "l_ward", "l_relation")},
        "guardian_row a JOIN person t ON t.sid = a.sid ORDER BY a.n, a.sid",
    ),
}
_SOURCES = {
    "机构": "org t WHERE t.is_class = '' ORDER BY t.row",
    "学年学期": "session t ORDER BY t.row",
    "课程": "course t ORDER BY t.row",
    "班级": "org t WHERE t.is_class = 'true' ORDER BY t.row",
    "任课": "enrollment t WHERE t.sid NOT IN (SELECT sid FROM home) ORDER BY t.row",
}


def _rows(stage: Stage, sheet: Sheet) -> Iterable[tuple[str, ...]]:
    special, source = _PEOPLE.get(sheet.name, ({}, _SOURCES.get(sheet.name, "")))
    columns = ", ".join(special.get(cell) or _cell(sheet, cell) for cell in sheet.cells)
    return _streamed(stage, f"SELECT {columns} FROM {source}")


def _cell(sheet: Sheet, cell: str) -> str:
    if not cell.startswith("a_"):
        return f"t.{cell}"
    return f"a.{cell}" if sheet.name == "家长" else f"coalesce(a.{cell.removeprefix('a_')}, '')"


def _streamed(stage: Stage, sql: str) -> Iterator[tuple[str, ...]]:
    for batch in stage.batches(sql, 10_000):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
