"""Rows of the sheets of tables, by the entry that they belong to. Only workbooks have sheets, so they are never very many."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from shuren.casework.services.registers.columns import TableSheet
from shuren.intake import api as intake
from shuren.intake.data import FileForm, Finding, Row, RowPlace, Table

_AT_ONCE = 1_000
# The identities of the entries that rows belong to, from their cells by heading.
Belongs = Callable[[Sequence[Mapping[str, str]]], Sequence[str]]


@dataclass(slots=True)
class TableRows:
    """The rows of one table, by the identity of their entry; what nobody asked for belongs to no entry of the file."""

    sheet: TableSheet
    table: Table
    findings: list[Finding] = field(default_factory=list)
    kept: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    asked: set[str] = field(default_factory=set)

    def of(self, identity: str) -> Sequence[Row]:
        self.asked.add(identity)
        return self.kept.get(identity, ())

    def cells(self, row: Row) -> dict[str, str]:
        return dict(zip(self.table.header, row.values, strict=True))

    def strays(self) -> Iterator[Finding]:
        for identity, rows in self.kept.items():
            if identity not in self.asked:
                for row in rows:
                    yield self.finding(row, self.sheet.keys[-1].title, _("第一张工作表里没有这条记录"), _("请先在那里写上它。"))

    def finding(self, row: Row, title: str, reason: str, remedy: str) -> Finding:
        value = self.cells(row).get(title, "")
        return Finding(self.table.file, self.table.sheet, row.number, title, value, reason, remedy)


def open_tables(
    path: Path,
    sheets: Sequence[TableSheet],
    belongs: Belongs,
    *,
    file_name: str,
    passed: frozenset[RowPlace] = frozenset(),
) -> list[TableRows]:
    """The tables that the file brings, read without the rows that were `passed` over; a file that is no workbook brings none."""
    if not sheets or intake.form_of(path) in (FileForm.TEXT, FileForm.ZIP):
        return []
    names = intake.sheet_names(path)
    return [_read(path, sheet, belongs, file_name, passed) for sheet in sheets if sheet.title in names]


def _read(path: Path, sheet: TableSheet, belongs: Belongs, file_name: str, passed: frozenset[RowPlace]) -> TableRows:
    wanted = [column.title for column in (*sheet.keys, *sheet.columns)]
    table = intake.open_table(path, sheet=sheet.title, expected=wanted, file_name=file_name, is_optional=True)
    found = TableRows(sheet, table, list(table.findings))
    if missing := [title for title in wanted if table.header and title not in table.header]:
        words = (_("缺少这一列"), _("请用新下载的模板，不要删改列名。"))
        found.findings += [Finding(file_name, sheet.title, table.header_row, title, "", *words) for title in missing]
        return found
    left = (row for row in table.rows if RowPlace(table.file, table.sheet, row.number) not in passed)
    while rows := list(islice(left, _AT_ONCE)):
        for identity, row in zip(belongs([found.cells(row) for row in rows]), rows, strict=True):
            found.findings += row.findings
            found.kept[identity].append(row)
    return found
