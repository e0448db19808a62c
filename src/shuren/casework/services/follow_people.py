"""What is on file about people follows them when two entries were one person."""

from datetime import datetime

from django.db import transaction

from shuren.casework.models import Case, Delegation, Entry, WorkItem
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM

# Who answered, handed over or asked for a signer stays as it was done: the dropped entry leads on to the kept one.
_MOVING = (
    (Case, "filer"),
    (Case, "subject"),
    (WorkItem, "assignee"),
    (Entry, "subject"),
    (Delegation, "person"),
    (Delegation, "delegate"),
)


@transaction.atomic
def follow_merge(*, kept_id: int, dropped_id: int, now: datetime) -> int:
    """Move cases, open work, entries and delegations to the kept person; returns how many rows moved."""
    moved = sum(
        model._default_manager.filter(**{f"{column}_id": dropped_id}).update(**{f"{column}_id": kept_id})
        for model, column in _MOVING
    )
    if moved:
        details = {"dropped_id": dropped_id, "rows": moved}
        audit.record(actor=SYSTEM, action="casework.merge_followed", target=f"person:{kept_id}", details=details, now=now)
    return moved
