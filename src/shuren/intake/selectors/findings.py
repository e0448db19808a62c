"""Findings as they lie in their file: one line each, the number of its group, a tab, and the fields as JSON."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from shuren.intake.data import Finding, FindingGroup
from shuren.intake.models import ImportRun
from shuren.intake.selectors.imports import import_dir, run_of
from shuren.kernel.paging import SIZES, Page


def findings_file(import_id: int) -> Path:
    return import_dir(import_id) / "findings.jsonl"


def error_workbook_file(import_id: int) -> Path:
    return import_dir(import_id) / "findings.xlsx"


def finding_groups(import_id: int) -> list[FindingGroup]:
    """Counted findings, errors first, then by number."""
    return sorted(_groups(run_of(import_id)), key=lambda group: (not group.is_error, -group.count))


def findings(import_id: int, number: int = 1, *, group: int | None = None, size: int = 50) -> Page[Finding]:
    """A page of findings in the order of the file; the first 100,000 are kept, `total` counts those kept."""
    kept = [known["kept"] for known in run_of(import_id).groups]
    total = sum(kept) if group is None else sum(kept[group : group + 1])
    size = min(max(size, 1), SIZES[-1])
    number = min(max(1, number), max(1, -(-total // size)))
    start = (number - 1) * size
    rows = list(islice(kept_findings(import_id, group=group), start, start + size))
    return Page(rows=rows, total=max(total, start + len(rows)), is_exact=True, number=number, size=size)


def kept_findings(import_id: int, *, group: int | None = None) -> Iterator[Finding]:
    path = findings_file(import_id)
    if not path.exists():
        return
    wanted = None if group is None else f"{group}\t"
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if wanted is None or line.startswith(wanted):
                yield Finding(*json.loads(line.partition("\t")[2]))


def _groups(run: ImportRun) -> list[FindingGroup]:
    return [
        FindingGroup(
            number=number,
            column=group["column"],
            reason=group["reason"],
            remedy=group["remedy"],
            is_error=group["is_error"],
            count=group["count"],
        )
        for number, group in enumerate(run.groups)
    ]
