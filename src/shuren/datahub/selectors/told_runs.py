"""Our runs as others read them: OpenLineage events, streamed."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from shuren.datahub.models import CatalogueColumn, LineageRun
from shuren.datahub.rules.openlineage import ToldRun, event_of
from shuren.datahub.selectors.assets import our_runs

_AT_ONCE = 100


def events_of(rows: Iterable[LineageRun]) -> Iterator[dict[str, Any]]:
    waiting = iter(rows)
    while some := list(islice(waiting, _AT_ONCE)):
        keys = {key for row in some for key in (*row.inputs, *row.outputs)}
        columns = _columns(sorted(keys))
        for row in some:
            yield event_of(
                ToldRun(
                    run_id=row.run_id,
                    job=row.job,
                    at=row.ended_at or row.began_at,
                    state=row.state,
                    inputs=row.inputs,
                    outputs=row.outputs,
                    flows=row.flows,
                    sql=row.sql,
                    producer=row.producer,
                    columns=columns,
                )
            )


def event_lines() -> Iterator[bytes]:
    """Every run of ours as one line of JSON, oldest first."""
    for event in events_of(our_runs().iterator(chunk_size=_AT_ONCE)):
        yield json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _columns(keys: list[str]) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for start in range(0, len(keys), 500):
        rows = CatalogueColumn.objects.filter(asset__key__in=keys[start : start + 500]).order_by("asset_id", "position")
        for key, name, kind in rows.values_list("asset__key", "name", "type").iterator():
            found.setdefault(key, []).append([name, kind])
    return found
