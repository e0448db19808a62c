"""Rows out of quarantine as a OneRoster package: a delta, since what is not in it has not ended."""

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from shuren.directory.rules.roster.oneroster import FILES, FILES_OF_MANIFEST
from shuren.intake.api import ID_HEADINGS, REASON_HEADINGS, QuarantineTable, noted
from shuren.kernel import clock

_ORGS = "orgs.csv"


def pack_rows(tables: Sequence[QuarantineTable], path: Path) -> None:
    """Write the tables, each a file of a package, with the manifest that announces them."""
    now = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    members = {table.file: _text(table, now) for table in tables}
    # A package speaks of orgs or people at least.
    members.setdefault(_ORGS, ",".join(FILES["orgs"].header) + "\r\n")
    lines = ["propertyName,value", "manifest.version,1.0", "oneroster.version,1.2"]
    lines += [f"file.{name},{'delta' if f'{name}.csv' in members else 'absent'}" for name in FILES_OF_MANIFEST]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("manifest.csv", "\r\n".join(lines))
        for name, text in members.items():
            package.writestr(name, text)


def _text(table: QuarantineTable, now: str) -> str:
    """The rows, each said to be in force and changed now where it did not say so itself, as a delta must."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    told = noted(table, (ID_HEADINGS[1], REASON_HEADINGS[1]))
    writer.writerow(next(told))
    status, modified = table.header.index("status"), table.header.index("dateLastModified")
    for cells in told:
        row = list(cells)
        row[status], row[modified] = row[status] or "active", row[modified] or now
        writer.writerow(row)
    return out.getvalue()
