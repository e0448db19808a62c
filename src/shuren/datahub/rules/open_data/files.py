"""The published table as text: the same bytes for the same rows, so that its digest can be told beside it."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

from shuren.datahub.rules.harmless import harmless_text

BYTE_ORDER_MARK = "\ufeff"


def csv_of(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """RFC 4180 in UTF-8 with the mark that Excel wants; text that a spreadsheet would run gets an apostrophe."""
    out = io.StringIO()
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value.isoformat() if isinstance(value, date) else str(value)
    return harmless_text(text) if isinstance(value, str) else text
