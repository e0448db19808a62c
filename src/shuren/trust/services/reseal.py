"""A new secret for sealing, and the way of all kept values to it: in the background, row by row, killed at any time."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.trust.rules.columns import SealedColumn
from shuren.trust.rules.sealing import SealBroken
from shuren.trust.services.sealing import add_seal_key, present_head, seal, unseal
from shuren.work.api import enqueue
from shuren.work.data import JobContext

JOB = "shuren.trust.jobs.reseal_column"
# Half a second of one writer at most, which is what others wait for on SQLite.
BATCH = 500


def sealed_columns() -> list[SealedColumn]:
    """What the installed apps announce as sealed."""
    found = []
    for config in apps.get_app_configs():
        found += [SealedColumn.named(config.label, line) for line in getattr(config, "sealed_columns", ())]
    return found


def rotate_seal_key(*, actor: Actor, now: datetime) -> int:
    """Seal with a new secret from now on and queue the re-sealing of every announced column; returns its version."""
    version = add_seal_key(actor=actor, now=now)
    begin_resealing(actor=actor)
    return version


@transaction.atomic
def begin_resealing(*, actor: Actor) -> list[int]:
    """Queue the re-sealing of every announced column with what seals now; returns the jobs."""
    head = present_head().decode()
    return [
        enqueue(
            JOB,
            {"model": column.model, "column": column.column},
            key=f"trust.reseal/{column.model}.{column.column}/{head}",
            title=_("重新加密 %(column)s"),
            title_words={"column": f"{column.model}.{column.column}"},
            actor=actor,
        )
        for column in sealed_columns()
    ]


def reseal_column(job: JobContext, *, model: str, column: str) -> dict[str, int]:
    """Seal again what the present secret did not seal; goes on where a killed run stopped.

    A value that does not open is left as it is and counted: it may be a fault of the row, and must not stop the rest.
    """
    found = next((entry for entry in sealed_columns() if (entry.model, entry.column) == (model, column)), None)
    if found is None:
        raise NotFound(f"{model}.{column} is not announced as sealed")
    head = present_head()
    counts = {"resealed": 0, "broken": 0} | {key: job.state[key] for key in ("resealed", "broken") if key in job.state}
    after = job.state.get("after", 0)
    table = apps.get_model(model)._base_manager
    total = table.filter(**{f"{column}__isnull": False}).count()
    while True:
        with transaction.atomic():
            fields = ["pk", column, *found.purpose_columns]
            rows = list(table.filter(pk__gt=after).order_by("pk").values(*fields)[:BATCH])
            if not rows or job.is_cancelled():
                return counts
            for row in _stale(rows, column, head):
                counts[_resealed(table, row, found)] += 1
            after = rows[-1]["pk"]
            job.checkpoint(after=after, **counts)
        job.progress(counts["resealed"] + counts["broken"], total)


def _stale(rows: list[dict[str, Any]], column: str, head: bytes) -> Iterator[dict[str, Any]]:
    for row in rows:
        if row[column] and not bytes(row[column]).startswith(head):
            yield row


def _resealed(table: Any, row: dict[str, Any], column: SealedColumn) -> str:
    purpose = column.purpose_of(row)
    try:
        fresh = seal(unseal(bytes(row[column.column]), purpose=purpose), purpose=purpose)
    except SealBroken:
        return "broken"
    # The old value is asked for again: what somebody wrote meanwhile is newer, and stays.
    table.filter(pk=row["pk"], **{column.column: row[column.column]}).update(**{column.column: fresh})
    return "resealed"
