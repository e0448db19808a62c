"""Imports of apps below, whose news we hear: which file filled which tables."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shuren.datahub.data import AssetKind, AssetRef, ColumnFlow
from shuren.datahub.services.record_run import record_run
from shuren.directory import api as directory
from shuren.kernel import ids


def record_roster(*, import_id: int, counts: Mapping[str, Any], now: datetime) -> None:
    """A roster that was applied: every table in which something was added, changed or ended, cell by cell."""
    tables = directory.roster_tables()
    touched = [kind for kind in tables if any(counts.get(kind, {}).get(what) for what in ("added", "changed", "ended"))]
    file = AssetRef(AssetKind.FILE, "roster")
    filled = {kind: AssetRef(AssetKind.TABLE, tables[kind][0]) for kind in touched}
    if filled:
        record_run(
            job="directory.roster_import",
            inputs=[file],
            outputs=list(filled.values()),
            flows=[ColumnFlow(file, to, f"{kind}.{cell}", cell) for kind, to in filled.items() for cell in tables[kind][1]],
            key=f"import:{import_id}",
            facts={"import": ids.encode("import", import_id)},
            now=now,
        )
