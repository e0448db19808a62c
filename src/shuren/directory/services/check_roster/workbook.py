"""Reading our Excel workbook into the stage, sheet by sheet, every row with its number."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from shuren.directory.rules.roster.workbook import (
    EXAMPLE_MARK,
    EXTENT,
    EXTENT_FULL,
    MAX_ROWS,
    NOTES_SHEET,
    REQUIRED_SHEETS,
    SHEETS,
    Column,
    Sheet,
)
from shuren.directory.services.check_roster.messages import Problem
from shuren.directory.services.check_roster.staging import Source, Stage
from shuren.intake.api import NOTE_HEADINGS

_COMPOUND_SURNAMES = (
    "'欧阳', '上官', '司马', '诸葛', '东方', '皇甫', '尉迟', '公孙', '慕容', "
    "'令狐', '宇文', '长孙', '司徒', '夏侯', '端木', '南宫', '独孤', '申屠'"
)
CellValue = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def load_workbook(stage: Stage, path: Path, shown: str) -> Iterator[Problem]:
    """Stage every known sheet; yields what is wrong with sheets and headings."""
    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
    except (CalamineError, OSError, ValueError) as fault:
        yield Problem(rule="not_a_workbook", file=shown, value=type(fault).__name__)
        return
    known = {sheet.name: sheet for sheet in SHEETS}
    for name in REQUIRED_SHEETS:
        if name not in names:
            yield Problem(rule="sheet_missing", file=shown, value=name)
    for name in names:
        if name not in known and name != NOTES_SHEET:
            yield Problem(rule="sheet_unknown", file=shown, sheet=name, value=name, is_error=False)
    for sheet in SHEETS:
        if sheet.name in names:
            try:
                yield from _load_sheet(stage, shown, sheet, book.get_sheet_by_name(sheet.name))
            except CalamineError as fault:
                yield Problem(rule="not_a_workbook", file=shown, sheet=sheet.name, value=type(fault).__name__)


def _load_sheet(stage: Stage, file: str, sheet: Sheet, pages: CalamineSheet) -> Iterator[Problem]:
    if pages.height > MAX_ROWS + 1:
        yield Problem(rule="too_many_rows", file=file, sheet=sheet.name, detail=f"{MAX_ROWS:,}")
        return
    first = pages.start[0] if pages.start else 0
    rows = pages.iter_rows()
    header = [text_of(cell) for cell in next(rows, [])]
    by_heading = {column.heading: column for column in sheet.columns}
    for column in sheet.columns:
        if column.heading not in header:
            if column.is_required:
                yield Problem(
                    rule="heading_missing",
                    file=file,
                    sheet=sheet.name,
                    row=first + 1,
                    column=column.heading,
                    value=column.heading,
                )
            continue
    for place, heading in enumerate(header):
        if (
            heading
            and heading != EXAMPLE_MARK
            and heading not in NOTE_HEADINGS
            and (heading not in by_heading or heading in header[:place])
        ):
            yield Problem(
                rule="heading_unknown", file=file, sheet=sheet.name, row=first + 1, column=heading, value=heading, is_error=False
            )
    places = [(header.index(column.heading), column) for column in sheet.columns if column.heading in header]
    if any(column.is_required and column.heading not in header for column in sheet.columns):
        return
    src = stage.add_source(Source(file, sheet.name, sheet, headings=tuple(header)))
    table = f"sheet_{src}"
    columns = ", ".join(f"{column.cell} VARCHAR" for _, column in places)
    stage.duck.execute(f"CREATE TABLE {table} (row BIGINT, {columns})")
    batch: list[list[str]] = []
    numbers: list[int] = []
    for number, row in enumerate(rows, first + 2):
        cells = [text_of(cell) for cell in row]
        if not any(cells) or EXAMPLE_MARK in cells:
            continue
        numbers.append(number)
        batch.append([column.choices.get(cells[place], cells[place]) for place, column in places])
        if len(batch) >= 20_000:
            _add(stage, table, places, numbers, batch)
            numbers, batch = [], []
    _add(stage, table, places, numbers, batch)
    _spread(stage, sheet, {column.cell for _, column in places}, table, src)
    stage.duck.execute(f"DROP TABLE {table}")


def _add(stage: Stage, table: str, places: list[tuple[int, Column]], numbers: list[int], batch: list[list[str]]) -> None:
    if batch:
        columns = {"row": pa.array(numbers, pa.int64())}
        columns |= {column.cell: pa.array([cells[at] for cells in batch], pa.string()) for at, (_, column) in enumerate(places)}
        stage.add_table(table, pa.table(columns))


def text_of(cell: CellValue | None) -> str:
    """A cell as the text a person sees: whole numbers without a point, days as ISO dates."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat()
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return str(cell).strip()


def _spread(stage: Stage, sheet: Sheet, cells: set[str], table: str, src: int) -> None:
    """Fill the staged tables from one sheet: a row of people makes a person, an affiliation, a link, an enrollment."""
    own = {cell: cell for cell in cells if not cell.startswith(("a_", "e_", "l_"))}
    own |= _derived(sheet, cells)
    _fill(stage, sheet.table, own, table, src)
    if sheet.table != "person":
        return
    role = {"学生": "'pupil'", "家长": "'parent'"}.get(sheet.name, "a_role" if "a_role" in cells else "''")
    affiliation = {"person": "sid", "role": role, "org": _cell(cells, "a_org"), "is_primary": _or(cells, "a_is_primary", "true")}
    affiliation |= {cell: _cell(cells, f"a_{cell}") for cell in ("begin_date", "end_date")}
    _fill(
        stage,
        "affiliation",
        affiliation,
        table,
        src,
        where=f"{affiliation['org']} <> ''" + (" OR a_role <> ''" if "a_role" in cells else ""),
    )
    if "e_org" in cells:
        enrollment = {"person": "sid", "org": "e_org", "role": "'student'", "is_primary": "'true'"}
        _fill(stage, "enrollment", enrollment, table, src, where="e_org <> ''")
    if "l_ward" in cells:
        _fill(
            stage,
            "link",
            {"guardian": "sid", "ward": "l_ward", "relation": _cell(cells, "l_relation")},
            table,
            src,
            where="l_ward <> ''",
        )


def _fill(stage: Stage, target: str, cells: dict[str, str], table: str, src: int, where: str = "true") -> None:
    columns = ", ".join(cells)
    values = ", ".join(cells.values())
    stage.duck.execute(f"INSERT INTO {target} (src, row, {columns}) SELECT {src}, row, {values} FROM {table} WHERE {where}")


def _cell(cells: set[str], cell: str) -> str:
    return cell if cell in cells else "''"


def _or(cells: set[str], cell: str, otherwise: str) -> str:
    return f"CASE WHEN {cell} = '' THEN '{otherwise}' ELSE {cell} END" if cell in cells else f"'{otherwise}'"


def _derived(sheet: Sheet, cells: set[str]) -> dict[str, str]:
    if sheet.name == "机构":
        return {"state": "'active'"}
    if sheet.name == "班级":
        split = "list_filter(list_transform(string_split(replace(terms, '，', ','), ','), lambda x: trim(x)), lambda x: x <> '')"
        terms = (
            f"CASE WHEN terms = '' THEN '' ELSE array_to_string(list_sort(list_distinct({split})), ',') END"
            if "terms" in cells
            else "''"
        )
        return {"type": "'class'", "is_class": "'true'", "state": "'active'", "terms": terms}
    if sheet.name == "任课":
        return {"is_primary": _or(cells, "is_primary", "false")}
    if sheet.table == "person":
        length = (
            "CASE WHEN NOT regexp_full_match(name, '[一-鿿]{2,}') THEN 0 "
            f"WHEN length(name) > 2 AND name[1:2] IN ({_COMPOUND_SURNAMES}) THEN 2 ELSE 1 END"
        )
        return {
            "family_name": f"substr(name, 1, {length})",
            "given_name": f"substr(name, 1 + {length})",
            "enabled": _or(cells, "enabled", "true"),
            "synthetic": _or(cells, "synthetic", "false"),
            "sex": _or(cells, "sex", "0"),
            "national_id": f"upper({_cell(cells, 'national_id')})",
        }
    return {}


def rows_of_workbook(path: Path) -> Iterator[tuple[str, int, list[str], list[str]]]:
    """Every row that is staged, as it stands: its sheet, its number, the headings and its cells."""
    book = CalamineWorkbook.from_path(str(path))
    known = {sheet.name for sheet in SHEETS}
    for name in (name for name in book.sheet_names if name in known):
        pages = book.get_sheet_by_name(name)
        first = pages.start[0] if pages.start else 0
        rows = pages.iter_rows()
        header = [text_of(cell) for cell in next(rows, [])]
        for number, row in enumerate(rows, first + 2):
            yield name, number, header, [text_of(cell) for cell in row]


def is_complete(path: Path) -> bool:
    """Whether the notes sheet says that the workbook lists everybody, so that whoever is missing has left."""
    try:
        book = CalamineWorkbook.from_path(str(path))
        rows = book.get_sheet_by_name(NOTES_SHEET).to_python() if NOTES_SHEET in book.sheet_names else []
    except (CalamineError, OSError, ValueError):
        return False
    return any([text_of(cell) for cell in row[:2]] == [EXTENT, EXTENT_FULL] for row in rows)
