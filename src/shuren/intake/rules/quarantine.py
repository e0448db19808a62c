"""Rows in quarantine: what is kept of each, what may be changed in it, and what a file of them says beside their cells."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from django.utils.translation import gettext as _

from shuren.intake.data import Finding, RowContent
from shuren.intake.rules.limits import MAX_CELL_CHARS
from shuren.kernel.errors import Invalid

PURPOSE = "intake.quarantined_row"
# A file with more rows to mend than this is to be mended as a file.
ROWS_KEPT = 20_000
# Columns that a file of quarantined rows has in front; the OneRoster form knows extension columns only.
ID_HEADINGS = ("隔离编号", "metadata.quarantineId")
REASON_HEADINGS = ("隔离原因", "metadata.quarantineReason")
NOTE_HEADINGS = frozenset({*ID_HEADINGS, *REASON_HEADINGS})


def packed(content: RowContent) -> bytes:
    """The row as it is sealed."""
    return json.dumps([content.header, content.cells, content.findings], ensure_ascii=False).encode()


def unpacked(data: bytes) -> RowContent:
    header, cells, findings = json.loads(data)
    return RowContent(tuple(header), tuple(cells), tuple(Finding(*one) for one in findings))


def corrected(content: RowContent, told: Mapping[int, str]) -> RowContent:
    """The row with some of its cells written anew, by their place from 0; raises `Invalid` for a place that it has not."""
    cells = list(content.cells)
    for place, text in told.items():
        if not 0 <= place < len(cells):
            raise Invalid(_("这一行没有这一格。"))
        if len(text) > MAX_CELL_CHARS:
            raise Invalid(_("一格不能超过 %(most)d 个字。") % {"most": MAX_CELL_CHARS})
        cells[place] = text.strip()
    return RowContent(content.header, tuple(cells), content.findings)


def reasons_of(findings: Sequence[Finding]) -> str:
    """Everything found in a row, in one cell."""
    return "；".join(dict.fromkeys(f"{one.column}：{one.reason}" if one.column else one.reason for one in findings))


def kept_until(day: date, days: int) -> date:
    """The last day on which a row that came into quarantine on `day` can be mended."""
    return day + timedelta(days=days)


def too_many_to_quarantine(file: str) -> Finding:
    """What is said of a file with more bad rows than are kept: it is to be mended as a file."""
    reason = _("不合格的行超过 %(most)s 行，不能放入隔离区") % {"most": f"{ROWS_KEPT:,}"}
    return Finding(file, "", 0, "", "", reason, _("请先改好文件里成片的错误，再重新上传。"))
