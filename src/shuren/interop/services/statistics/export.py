"""What a branch reported in a form, as CSV or JSON: streamed, a unit at a time."""

import json
from collections.abc import Iterator
from datetime import datetime

from shuren.directory.data import OrgData
from shuren.interop.models import StatisticsReport
from shuren.interop.rules.statistics.numbers import cell_of
from shuren.interop.rules.statistics.plan import CellKind
from shuren.interop.selectors.statistics.reports import counted_reports_of_branch
from shuren.interop.selectors.statistics.templates import read
from shuren.kernel import audit, ids
from shuren.kernel.data import Actor

Cell = str | int | None
_AT_ONCE = 100


def branch_rows(*, actor: Actor, org: OrgData, key: str, year: int, form: str, now: datetime) -> Iterator[list[Cell]]:
    """One row per cell of every report that counts in the branch; the audit entry is written before the first."""
    _record(actor, org, key, year, form, now)
    return _rows(org, key, year)


def branch_json(*, actor: Actor, org: OrgData, key: str, year: int, now: datetime) -> Iterator[str]:
    """The same as one JSON array with an object per report, in parts."""
    _record(actor, org, key, year, "json", now)
    return _json(org, key, year)


def _rows(org: OrgData, key: str, year: int) -> Iterator[list[Cell]]:
    for report in _reports(org, key, year):
        template = read(report.template)
        lines = {line.key: line for line in template.spec.lines}
        columns = {column.key: column for column in template.spec.columns}
        head: list[Cell] = [
            report.template.number,
            report.org.code,
            report.org.name,
            report.year,
            report.version,
            report.state,
            int(report.is_sum),
        ]
        for (line, column), plan in template.plan.items():
            if plan.kind is not CellKind.BLANK:
                value = cell_of(report.values, plan.place)
                yield [*head, lines[line].code, lines[line].title.zh, columns[column].code, columns[column].title.zh, value]


def _json(org: OrgData, key: str, year: int) -> Iterator[str]:
    yield "["
    for number, report in enumerate(_reports(org, key, year)):
        yield ("," if number else "") + json.dumps(report_body(report), ensure_ascii=False)
    yield "]"


def report_body(report: StatisticsReport) -> dict[str, object]:
    """A report as programs read it; `template` and `org` are loaded."""
    return {
        "id": ids.encode("statistics_report", report.pk),
        "form": report.key,
        "number": report.template.number,
        "template_version": report.template.version,
        "unit": {"id": ids.encode("org", report.org_id), "code": report.org.code, "name": report.org.name},
        "year": report.year,
        "version": report.version,
        "state": report.state,
        "is_sum": report.is_sum,
        "values": report.values,
        "explanations": report.explanations,
        "submitted_at": report.submitted_at.isoformat() if report.submitted_at else None,
        "frozen_at": report.frozen_at.isoformat() if report.frozen_at else None,
        "digest": report.digest,
    }


def _reports(org: OrgData, key: str, year: int) -> Iterator[StatisticsReport]:
    rows = counted_reports_of_branch(org.path, key, year).select_related("template", "org")
    return rows.iterator(chunk_size=_AT_ONCE)


def _record(actor: Actor, org: OrgData, key: str, year: int, form: str, now: datetime) -> None:
    details = {"form": form, "key": key, "year": year}
    audit.record(actor=actor, action="interop.statistics_exported", target=f"org:{org.id}", details=details, now=now)
