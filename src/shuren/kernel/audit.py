"""The audit trail: every write, every export and every read of sensitive personal data leaves an entry."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import QuerySet

from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.models import AuditEntry


def record(
    *,
    actor: Actor,
    action: str,
    target: str,
    details: Mapping[str, object] | None = None,
    now: datetime | None = None,
) -> None:
    """Add an entry in the caller's transaction.

    `action` is `<app>.<past_tense>`, `target` is `<kind>:<row id>`; `details` must not hold secrets or plain
    national ids.
    """
    AuditEntry.objects.create(
        at=now or clock.now(),
        actor_person_id=actor.person_id,
        actor_account_id=actor.account_id,
        actor_name=actor.name[:100],
        actor_role=actor.role or "",
        action=action,
        target=target,
        details=dict(details or {}),
    )


def entries(*, action: str = "", target: str = "", actor_name: str = "", since: datetime | None = None) -> QuerySet[AuditEntry]:
    """Entries, newest first; empty arguments do not filter. `action` matches a prefix such as `directory.`."""
    rows = AuditEntry.objects.order_by("-at", "-id")
    if action:
        rows = rows.filter(action__startswith=action)
    if target:
        rows = rows.filter(target=target)
    if actor_name:
        rows = rows.filter(actor_name__contains=actor_name)
    if since:
        rows = rows.filter(at__gte=since)
    return rows
