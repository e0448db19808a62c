"""Writing a results file in the form that the import reads: a zip with one CSV per table."""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from shuren.assessment.rules.words import INFO_WORDS, ITEM_WORDS, TableKind

# One fixed moment, so that the same contents always make the same bytes.
_MOMENT = (2020, 1, 1, 0, 0, 0)


def write_package(
    path: Path,
    *,
    info: Mapping[str, str],
    items: Sequence[Mapping[str, object]],
    responses: pa.Table,
    others: Mapping[TableKind, pa.Table] | None = None,
) -> None:
    """Write the zip at `path`; `info` and `items` are keyed by the names in `rules.words`, same input same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        settings = [[INFO_WORDS[key].title, value] for key, value in info.items()]
        _write_rows(archive, TableKind.INFO, ["项目", "内容"], settings)
        keys = [key for key in ITEM_WORDS if any(key in item for item in items)]
        rows = [[item.get(key, "") for key in keys] for item in items]
        _write_rows(archive, TableKind.ITEMS, [ITEM_WORDS[key].title for key in keys], rows)
        for kind, table in {TableKind.RESPONSES: responses, **(others or {})}.items():
            with archive.open(_member(kind), "w", force_zip64=True) as file:
                pa_csv.write_csv(table, file)


def _write_rows(archive: zipfile.ZipFile, kind: TableKind, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    archive.writestr(_member(kind), text.getvalue().encode())


def _member(kind: TableKind) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(f"{kind.value}.csv", _MOMENT)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    return member
