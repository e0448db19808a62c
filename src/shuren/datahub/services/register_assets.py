"""Bringing the catalogue up to what the apps say: only what changed is written, what nobody names any more is retired."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.db import transaction

from shuren.datahub.data import Asset, AssetColumn, ColumnFlow
from shuren.datahub.models import CatalogueAsset, CatalogueColumn, LineageEdge
from shuren.datahub.rules.assets import digest_of, highest, sources, words_of
from shuren.datahub.selectors.catalogue import read_aloud
from shuren.datahub.services.draw_edges import define_edges, ensure_assets
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM

AT_ONCE = 200
_COLUMNS_AT_ONCE = 2_000
Some = TypeVar("Some")


def refresh_catalogue(*, now: datetime) -> dict[str, int]:
    """Ask every source; an asset that its source names no longer is retired, and returns when it is named again.

    A source is written some assets at a time: killed half-way, the next run goes on from what is there. It is asked to its
    end before: SQLite lets nobody write beside a reading of their own that others have written past.
    """
    counts = {"assets": 0, "changed": 0, "retired": 0}
    for name, source in sources().items():
        seen: set[str] = set()
        for some in _batches(list(source())):
            seen |= {asset.ref.key for asset in some}
            counts["changed"] += register_assets(some, source=name, now=now)
        counts["assets"] += len(seen)
        counts["retired"] += _retire(name, seen, now)
    counts["retired"] += _retire_sources(now)
    return counts


@transaction.atomic
def register_assets(assets: Iterable[Asset], *, source: str, now: datetime) -> int:
    """Write what changed of some assets; returns how many did. What one source said another may say anew."""
    wanted = {asset.ref.key: asset for asset in assets}
    stored = {row.key: row for row in CatalogueAsset.objects.filter(key__in=list(wanted))}
    digests = {key: digest_of(asset) for key, asset in wanted.items()}
    changed = {
        key: asset
        for key, asset in wanted.items()
        if key not in stored or stored[key].digest != digests[key] or stored[key].retired_at or not stored[key].is_declared
    }
    if not changed:
        return 0
    rows = [_filled(stored.get(key), asset, digests[key], source, now) for key, asset in changed.items()]
    CatalogueAsset.objects.bulk_create([row for row in rows if row.pk is None])
    CatalogueAsset.objects.bulk_update([row for row in rows if row.key in stored], _WRITTEN, batch_size=100)
    ids = {row.key: row.pk for row in rows}
    for key, asset in changed.items():
        _write_columns(ids[key], asset.columns)
    _define(changed.values(), ids, now)
    details = {"source": source, "assets": len(changed)}
    audit.record(actor=SYSTEM, action="datahub.assets_registered", target="catalogue:0", details=details, now=now)
    return len(changed)


_WRITTEN = (
    *("title_zh", "title_en", "owner", "grade", "description", "words", "column_count", "digest", "source"),
    *("is_declared", "changed_at", "retired_at"),
)


def _filled(row: CatalogueAsset | None, asset: Asset, digest: str, source: str, now: datetime) -> CatalogueAsset:
    row = row or CatalogueAsset(kind=asset.kind.value, name=asset.name, key=asset.ref.key, added_at=now)
    row.title_zh, row.title_en = (asset.title_zh or asset.name)[:200], asset.title_en[:200]
    row.owner, row.description = asset.owner[:80], asset.description[:500]
    row.grade = asset.grade or highest(column.grade for column in asset.columns)
    row.words, row.digest, row.source = words_of(asset, read_aloud), digest, source[:200]
    row.column_count, row.is_declared = len({column.name for column in asset.columns}), True
    row.changed_at, row.retired_at = now, None
    return row


def _write_columns(asset_id: int, columns: Iterable[AssetColumn]) -> None:
    """Columns keep their rows where their names stay."""
    wanted = {column.name[:200]: (place, column) for place, column in enumerate(columns)}
    stored = {row.name: row for row in CatalogueColumn.objects.filter(asset_id=asset_id)}
    gone = [row.pk for name, row in stored.items() if name not in wanted]
    for start in range(0, len(gone), 500):
        CatalogueColumn.objects.filter(pk__in=gone[start : start + 500]).delete()
    added, moved = [], []
    for name, (place, column) in wanted.items():
        row = stored.get(name) or CatalogueColumn(asset_id=asset_id, name=name)
        was = (row.position, row.type, row.title_zh, row.title_en, row.element, row.grade)
        row.position, row.type, row.element, row.grade = place, column.type[:60], column.element[:80], column.grade
        row.title_zh, row.title_en = column.title_zh[:200], column.title_en[:200]
        if name not in stored:
            added.append(row)
        elif was != (row.position, row.type, row.title_zh, row.title_en, row.element, row.grade):
            moved.append(row)
    CatalogueColumn.objects.bulk_create(added, batch_size=_COLUMNS_AT_ONCE)
    fields = ("position", "type", "title_zh", "title_en", "element", "grade")
    CatalogueColumn.objects.bulk_update(moved, fields, batch_size=100)


def _define(assets: Iterable[Asset], ids: dict[str, int], now: datetime) -> None:
    """The edges that definitions state; those that they state no longer go, unless a run drew them too."""
    flows: list[ColumnFlow] = [flow for asset in assets for flow in asset.flows]
    known = ensure_assets([*(flow.source for flow in flows), *(flow.target for flow in flows)], now=now) | ids
    kept = define_edges(flows, known, now=now)
    defined = LineageEdge.objects.filter(target_id__in=list(ids.values()), is_defined=True)
    gone = [pk for pk, *edge in defined.values_list("pk", *_EDGE) if tuple(edge) not in kept]
    for start in range(0, len(gone), 500):
        some = LineageEdge.objects.filter(pk__in=gone[start : start + 500])
        some.filter(runs=0).delete()
        some.update(is_defined=False)


_EDGE = ("source_id", "source_column", "target_id", "target_column")


@transaction.atomic
def _retire(source: str, seen: set[str], now: datetime) -> int:
    live = CatalogueAsset.objects.filter(source=source, retired_at__isnull=True, is_declared=True)
    gone = [pk for pk, key in live.values_list("pk", "key").iterator() if key not in seen]
    return _retired(gone, source, now)


def _retire_sources(now: datetime) -> int:
    """What came from a source that is no more, as when an app was removed."""
    live = CatalogueAsset.objects.filter(retired_at__isnull=True, is_declared=True).exclude(source__in=[*sources(), ""])
    return _retired(list(live.exclude(source__startswith="openlineage:").values_list("pk", flat=True)), "", now)


def _retired(gone: list[int], source: str, now: datetime) -> int:
    for start in range(0, len(gone), 500):
        CatalogueAsset.objects.filter(pk__in=gone[start : start + 500]).update(retired_at=now)
    if gone:
        details = {"source": source, "assets": len(gone)}
        audit.record(actor=SYSTEM, action="datahub.assets_retired", target="catalogue:0", details=details, now=now)
    return len(gone)


def _batches(assets: Iterable[Asset]) -> Iterator[list[Asset]]:
    waiting = iter(assets)
    while some := list(islice(waiting, AT_ONCE)):
        yield some
