"""Which tables a results file holds: a workbook with a sheet each, or a zip with a CSV (or one-sheet workbook) each."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from django.utils.translation import gettext as _

from shuren.assessment.rules.words import REQUIRED_TABLES, TABLE_NAMES, TableKind, table_kind
from shuren.assessment.selectors.files import SourceTable
from shuren.intake.api import UnreadableFile, form_of, open_package, sheet_names
from shuren.intake.data import FileForm, Finding


@contextmanager
def tables_of(path: Path, *, file_name: str) -> Iterator[tuple[dict[TableKind, SourceTable], list[Finding]]]:
    """The tables by kind, opened, and what is wrong with the file as a whole."""
    form = form_of(path)
    if form == FileForm.TEXT:
        raise UnreadableFile(
            _("成绩不能只用一个 CSV 文件导入。"), remedy=_("请把各表的 CSV 压缩成一个 ZIP，或使用 Excel 模板。"), file=file_name
        )
    if form != FileForm.ZIP:
        sheets = [(name, SourceTable(kind, path, file_name, name)) for name in sheet_names(path) if (kind := table_kind(name))]
        yield _opened(sheets, file_name)
        return
    with open_package(path) as package:
        found = [
            (name, SourceTable(kind, package.path_of(name), name))
            for name in package.names
            if (kind := table_kind(PurePosixPath(name).stem))
        ]
        yield _opened(found, file_name)


def _opened(found: list[tuple[str, SourceTable]], file_name: str) -> tuple[dict[TableKind, SourceTable], list[Finding]]:
    tables: dict[TableKind, SourceTable] = {}
    findings: list[Finding] = []
    for name, table in found:
        if table.kind in tables:
            remedy = _("请只保留一个“%(name)s”。") % {"name": TABLE_NAMES[table.kind]}
            findings.append(Finding(file_name, "", 0, "", name, _("同一张表出现了两次"), remedy))
            continue
        try:
            table.open()
        except UnreadableFile as error:
            findings.append(error.finding._replace(file=table.name, sheet=table.sheet))
            continue
        findings.extend(table.findings)
        tables[table.kind] = table
    given = {table.kind for _name, table in found}
    for kind in REQUIRED_TABLES:
        if kind not in given:
            reason = _("缺少“%(name)s”表") % {"name": TABLE_NAMES[kind]}
            remedy = _("请使用模板；CSV 压缩包中这张表的文件名是 %(file)s.csv。") % {"file": kind.value}
            findings.append(Finding(file_name, "", 0, "", "", reason, remedy))
    return tables, findings
