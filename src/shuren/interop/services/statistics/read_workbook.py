"""A workbook of a form that comes back: its typed cells, taken all together or not at all."""

from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.intake import api as intake
from shuren.intake.data import Finding, Row, Table
from shuren.interop.models import StatisticsReport
from shuren.interop.rules.statistics.numbers import Number, cell_of, number_of, typed_number
from shuren.interop.rules.statistics.plan import CellKind, Place
from shuren.interop.rules.statistics.reading import Template
from shuren.interop.rules.statistics.sheet import CROSSED, IDENTITY, IDENTITY_HEADINGS, LINE_CODE, codes
from shuren.interop.selectors.statistics.templates import read
from shuren.interop.services.statistics.fill import fill_report, number_fault, open_report
from shuren.interop.services.statistics.judge import is_asked
from shuren.kernel import audit, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid


class WorkbookRefused(Invalid):
    """The workbook has faults, each with its sheet, row and column; nothing of it was kept."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(_("文件里有 %(count)s 处错误，都没有保存。") % {"count": len(findings)}, remedy=_("请改正后再上传。"))
        self.findings = findings


@transaction.atomic
def take_report_workbook(*, actor: Actor, report_id: int, path: Path, file_name: str, now: datetime) -> StatisticsReport:
    """Keep the cells that were typed into the workbook of just this report. Raises `WorkbookRefused`."""
    row = open_report(actor=actor, report_id=report_id, now=now)
    if row.is_sum:
        raise Conflict(_("汇总表由下级的表相加，不能填写。"))
    template = read(row.template)
    _refuse_other(path, row, file_name)
    reading = _Reading(row, template, path, file_name)
    if reading.findings:
        raise WorkbookRefused(reading.findings)
    details = {"file": file_name[:100], "cells": len(reading.cells)}
    target = f"statistics_report:{row.pk}"
    kept = fill_report(actor=actor, report_id=report_id, cells=reading.cells, now=now)
    audit.record(actor=actor, action="interop.statistics_imported", target=target, details=details, now=now)
    return kept


def _refuse_other(path: Path, row: StatisticsReport, file_name: str) -> None:
    told: list[str] = []
    if IDENTITY in intake.sheet_names(path):
        table = intake.open_table(path, sheet=IDENTITY, expected=IDENTITY_HEADINGS, file_name=file_name)
        told = next((line.values for line in table.rows), [])
    if not told or told[0] != ids.encode("statistics_report", row.pk):
        raise Invalid(_("这不是这张表下载的文件。"), remedy=_("请从这个页面下载，填好再上传。"))


class _Reading:
    """Cells that may be kept, or what is wrong with them."""

    def __init__(self, row: StatisticsReport, template: Template, path: Path, file_name: str) -> None:
        self.row, self.template, self.file = row, template, file_name
        self.sheet = template.spec.number
        self.findings: list[Finding] = []
        self.cells: dict[Place, str] = {}
        table = intake.open_table(path, sheet=self.sheet, expected=codes(template.spec), file_name=file_name)
        self._read(table)

    def _read(self, table: Table) -> None:
        missing = [code for code in codes(self.template.spec) if code not in table.header]
        for code in missing:
            self._say(table.header_row, code, "", _("缺少这一列。"), _("请用新下载的文件，不要删改列号那一行。"))
        if missing:
            return
        lines = {line.code: line.key for line in self.template.spec.lines}
        seen: set[str] = set()
        for row in table.rows:
            told = dict(zip(table.header, row.values, strict=True))
            code = told[LINE_CODE]
            if code not in lines:
                self._say(row.number, LINE_CODE, code, _("没有这个行号。"), _("请用新下载的文件，不要增加行。"))
            elif code in seen:
                self._say(row.number, LINE_CODE, code, _("行号重复。"), _("请用新下载的文件。"))
            else:
                seen.add(code)
                self._take(row, told, lines[code])
        for code in lines.keys() - seen:
            self._say(0, LINE_CODE, code, _("缺少这一行。"), _("请用新下载的文件，不要删除行。"))

    def _take(self, row: Row, told: dict[str, str], line: str) -> None:
        for column in self.template.spec.columns:
            text = told[column.code].strip()
            place = (line, column.key)
            plan = self.template.plan[place]
            if is_asked(self.row, self.template, place):
                if text and typed_number(text, plan.places) is None:
                    self._say(row.number, column.code, text, number_fault(plan.places), _("请改成数字；没有的填 0。"))
                else:
                    self.cells[place] = text
            elif plan.kind is CellKind.BLANK:
                if text not in ("", CROSSED):
                    self._say(row.number, column.code, text, _("这个单元格不填。"), _("请删去这个数。"))
            elif plan.kind is not CellKind.SUM and not _is_same(text, number_of(cell_of(self.row.values, place)), plan.places):
                reason = _("这个数由平台计算，不能在文件里改。")
                self._say(row.number, column.code, text, reason, _("请先更正名册或台账，再重新生成这张表。"))

    def _say(self, row: int, column: str, value: str, reason: str, remedy: str) -> None:
        self.findings.append(Finding(self.file, self.sheet, row, column, value[:200], reason, remedy, True))


def _is_same(text: str, number: Number | None, places: int) -> bool:
    if not text:
        return number is None
    return typed_number(text, places) == number
