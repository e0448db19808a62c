"""The audit trail: every write, every export and every read of sensitive personal data leaves an entry."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from itertools import islice

from django.db import connection
from django.db.models import Max, Min, QuerySet

from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.models import AuditEntry
from shuren.kernel.moments import stored

# Plain SQL: every write leaves one.
_ENTRIES = """
    INSERT INTO kernel_auditentry (at, actor_person_id, actor_account_id, actor_name, actor_role, action, target, details) VALUES
"""
_ENTRY = "(%s, %s, %s, %s, %s, %s, %s, %s)"

_AT_ONCE = 2_000


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
    record_many(actor=actor, action=action, entries=[(target, details or {})], now=now or clock.now())


def record_many(*, actor: Actor, action: str, entries: Iterable[tuple[str, Mapping[str, object]]], now: datetime) -> None:
    """`record` for the same done to many, as (target, details), one entry each; written two thousand at a time."""
    moment, who = stored(now), _who(actor)
    waiting = iter(entries)
    while some := list(islice(waiting, _AT_ONCE)):
        told = [
            value
            for target, details in some
            for value in (moment, *who, action, target, connection.ops.adapt_json_value(_details(actor, details), None))
        ]
        with connection.cursor() as cursor:
            cursor.execute(_ENTRIES + ", ".join([_ENTRY] * len(some)), told)


def _who(actor: Actor) -> tuple[int | None, int | None, str, str]:
    return actor.person_id, actor.account_id, actor.name[:100], actor.role or ""


def _details(actor: Actor, details: Mapping[str, object]) -> dict[str, object]:
    return dict(details) | ({"client_id": actor.app.client_id} if actor.app else {})


def entries(*, action: str = "", target: str = "", actor_name: str = "", since: datetime | None = None) -> QuerySet[AuditEntry]:
    """Entries, newest first; empty arguments do not filter. `action` matches a prefix such as `directory.`.

    For a look at one thing's history. Pages that search the whole trail ask `trust.api.audit_page`, which stays fast.
    """
    rows = AuditEntry.objects.order_by("-at", "-id")
    if action:
        rows = rows.filter(action__gte=action, action__lt=action[:-1] + chr(ord(action[-1]) + 1))
    if target:
        rows = rows.filter(target=target)
    if actor_name:
        rows = rows.filter(actor_name=actor_name)
    if since:
        rows = rows.filter(at__gte=since)
    return rows


def moments_of(targets: Collection[str]) -> dict[str, tuple[datetime, datetime]]:
    """When each target's first and latest entry was made, along the index of targets; those without any are left out."""
    rows = AuditEntry.objects.filter(target__in=list(targets)).order_by().values("target")
    found = rows.annotate(first=Min("at"), latest=Max("at")).values_list("target", "first", "latest")
    return {target: (first, latest) for target, first, latest in found}
