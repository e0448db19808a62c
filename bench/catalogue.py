"""How fast the catalogue answers: a table of 5,000 columns, lineage of 10,000 nodes; p95 of pages, and of tracing SQL.

`python -m bench catalogue` builds its own installation and prints milliseconds; tracing stands beside sqlglot's own walk.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from sqlglot.lineage import lineage
from tests.cast import build_cast

from shuren.datahub.api import record_run
from shuren.datahub.data import Asset, AssetColumn, AssetKind, AssetRef, ColumnFlow
from shuren.datahub.models import CatalogueAsset
from shuren.datahub.rules.lineage import columns_of_question
from shuren.datahub.services.fold_runs import fold_runs
from shuren.datahub.services.register_assets import register_assets
from shuren.kernel import ids

COLUMNS, NODES, TURNS = 5_000, 10_000, 20
NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
WIDE, HUB = AssetRef(AssetKind.DATASET, "bench.wide"), AssetRef(AssetKind.DATASET, "bench.hub")


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def fill() -> None:
    """One wide table that copies another, one hub with half of the nodes on each side, and a long chain behind them."""
    columns = tuple(AssetColumn(f"column_{at:04}", "double", f"第 {at} 列") for at in range(COLUMNS))
    source = AssetRef(AssetKind.DATASET, "bench.source")
    told = [Asset(kind=ref.kind, name=ref.name, title_zh=ref.name, columns=columns) for ref in (WIDE, source)]
    told.append(Asset(kind=HUB.kind, name=HUB.name, title_zh=HUB.name))
    print(f"register 2 × {COLUMNS} columns       {timed(lambda: register_assets(told, source='bench', now=NOW)):8.0f} ms")
    print(f"register them again, unchanged  {timed(lambda: register_assets(told, source='bench', now=NOW)):8.0f} ms")
    flows = [ColumnFlow(source, WIDE, column.name, column.name) for column in columns]
    record_run(job="wide", inputs=[source], outputs=[WIDE], flows=flows, now=NOW)
    outside = [AssetRef(AssetKind.OUTSIDE, f"bench/{at:05}") for at in range(NODES)]
    half = NODES // 2
    record_run(job="in", inputs=outside[:half], outputs=[HUB], now=NOW)
    record_run(job="out", inputs=[HUB], outputs=outside[half:], now=NOW)
    for at in range(200):
        record_run(job="chain", inputs=[outside[at]], outputs=[outside[at + 1]], now=NOW)
    print(f"fold {COLUMNS + NODES} edges               {timed(lambda: fold_runs(now=NOW)):8.0f} ms")


def main(_options: list[str]) -> int:
    settings.ALLOWED_HOSTS = ["*"]
    call_command("migrate", verbosity=0)
    cast = build_cast()
    fill()
    client = cast.client("county_officer")
    pk = dict(CatalogueAsset.objects.filter(key__in=[WIDE.key, HUB.key]).values_list("key", "pk"))
    wide, hub = (f"/data/catalogue/{ids.encode('asset', pk[ref.key])}/" for ref in (WIDE, HUB))
    middle = CatalogueAsset.objects.get(key="outside:bench/00100").pk
    deep = f"up:{ids.encode('asset', pk[HUB.key])}:600:"
    pages = {
        "catalogue, first page": "/data/catalogue/",
        "catalogue, search a column": "/data/catalogue/?q=column_4999",
        "catalogue, page 300": "/data/catalogue/?page=300&size=25",
        "asset of 5,000 columns": wide,
        "its last page": f"{wide}?page=50&size=100",
        "its columns searched": f"{wide}?q=第 4999",
        "lineage of one of its columns": f"{wide}lineage/?column=column_2500",
        "lineage of the hub": f"{hub}lineage/",
        "lineage of the hub, page 600": f"{hub}lineage/?open={deep}",
        "lineage, an opened neighbour": f"/data/catalogue/{ids.encode('asset', middle)}/lineage/?open={deep}",
    }
    worst = 0.0
    for name, path in pages.items():
        assert client.get(path).status_code == 200, path
        spent = sorted(timed(lambda path=path: client.get(path)) for _turn in range(TURNS))  # type: ignore[misc]
        worst = max(worst, spent[int(TURNS * 0.95)])
        print(f"{name:32}{spent[TURNS // 2]:8.1f} ms median {spent[int(TURNS * 0.95)]:8.1f} ms p95")
    names = [f"c{at}" for at in range(300)]
    sql = (
        "WITH z AS (SELECT * FROM wide) SELECT " + ", ".join(f"{name} + 1 AS d{at}" for at, name in enumerate(names)) + " FROM z"
    )
    schema = {"wide": dict.fromkeys(names, "TEXT")}
    ours = timed(lambda: columns_of_question(sql, {"wide": names}))
    peer = timed(lambda: [lineage(f"d{at}", sql, schema=schema, dialect="duckdb") for at in range(0, 300, 30)]) * 30
    print(f"trace 300 columns               {ours:8.0f} ms, sqlglot column by column {peer:8.0f} ms (every 30th, × 30)")
    print(f"worst p95                       {worst:8.1f} ms on {connection.vendor}")
    return 0 if worst <= 200 else 1
