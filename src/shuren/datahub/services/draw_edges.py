"""Drawing edges between assets: those that runs leave, counted, and those that definitions state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from shuren.datahub.data import AssetKind, AssetRef, ColumnFlow
from shuren.datahub.models import CatalogueAsset
from shuren.kernel.moments import stored

Edge = tuple[int, str, int, str]
_AT_ONCE = 500
# One statement for both databases: what is there is counted up, whoever wrote it first.
_UPSERT = """
    INSERT INTO datahub_lineageedge
        (source_id, source_column, target_id, target_column, job, runs, first_at, last_at, is_defined)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (source_id, target_id, source_column, target_column) DO UPDATE SET
        job = CASE WHEN excluded.job = '' THEN datahub_lineageedge.job ELSE excluded.job END,
        runs = datahub_lineageedge.runs + excluded.runs,
        first_at = CASE WHEN excluded.first_at < datahub_lineageedge.first_at
            THEN excluded.first_at ELSE datahub_lineageedge.first_at END,
        last_at = CASE WHEN excluded.last_at > datahub_lineageedge.last_at
            THEN excluded.last_at ELSE datahub_lineageedge.last_at END,
        is_defined = CASE WHEN excluded.is_defined THEN excluded.is_defined ELSE datahub_lineageedge.is_defined END
"""


@dataclass(slots=True)
class Drawn:
    """One edge as some runs drew it together."""

    job: str
    runs: int
    first_at: datetime
    last_at: datetime
    is_defined: bool = False


def ref_of(key: str) -> AssetRef:
    kind, _colon, name = key.partition(":")
    return AssetRef(AssetKind(kind), name)


def ensure_assets(refs: Iterable[AssetRef], *, now: datetime) -> dict[str, int]:
    """The row of every asset by its key; what nobody has declared yet is put down by its name alone."""
    wanted = {ref.key: ref for ref in refs}
    found = _ids(wanted)
    missing = [ref for key, ref in wanted.items() if key not in found]
    if missing:
        CatalogueAsset.objects.bulk_create(
            [
                CatalogueAsset(
                    kind=ref.kind.value,
                    name=ref.name,
                    key=ref.key,
                    title_zh=ref.name[-200:],
                    words=ref.name.lower(),
                    is_declared=False,
                    added_at=now,
                    changed_at=now,
                )
                for ref in missing
            ],
            ignore_conflicts=True,
        )
        found |= _ids({ref.key: ref for ref in missing})
    return found


def _ids(keys: Mapping[str, AssetRef]) -> dict[str, int]:
    names = list(keys)
    found: dict[str, int] = {}
    for start in range(0, len(names), _AT_ONCE):
        rows = CatalogueAsset.objects.filter(key__in=names[start : start + _AT_ONCE])
        found |= dict(rows.values_list("key", "pk"))
    return found


def edges_of(flows: Iterable[ColumnFlow], ids: Mapping[str, int]) -> set[Edge]:
    """The edges of some flows: one for each column, and one for the whole of what they join."""
    found: set[Edge] = set()
    for flow in flows:
        source, target = ids[flow.source.key], ids[flow.target.key]
        found.add((source, flow.source_column[:200], target, flow.target_column[:200]))
        found.add((source, "", target, ""))
    return found


def define_edges(flows: Iterable[ColumnFlow], ids: Mapping[str, int], *, now: datetime) -> set[Edge]:
    """Draw what definitions state; returns the edges."""
    edges = edges_of(flows, ids)
    write_edges({edge: Drawn("", 0, now, now, is_defined=True) for edge in edges})
    return edges


def write_edges(drawn: Mapping[Edge, Drawn]) -> None:
    # In one order everywhere, so that two who write never wait for each other in a circle.
    rows = [
        (*edge, each.job[:300], each.runs, stored(each.first_at), stored(each.last_at), each.is_defined)
        for edge, each in sorted(drawn.items())
    ]
    with connection.cursor() as cursor:
        for start in range(0, len(rows), _AT_ONCE):
            cursor.executemany(_UPSERT, rows[start : start + _AT_ONCE])
