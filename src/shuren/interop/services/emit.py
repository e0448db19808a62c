"""Messages to apps: who is told, and the row that waits to be sent."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from shuren.interop.data import MANDATORY_EVENTS, AppStatus, DeliveryStatus, EventType
from shuren.interop.models import App, Delivery
from shuren.interop.selectors.agreed import is_usable
from shuren.interop.selectors.apps import installations_at
from shuren.interop.services.deliver import end_rest
from shuren.work.api import enqueue

JOB = "shuren.interop.jobs.deliver"


def emit(*, app_id: int, event: EventType, subject: str, data: Mapping[str, object], key: str, now: datetime) -> int | None:
    """Put one message into an app's queue, in the caller's transaction; returns its id, None where it goes nowhere.

    `data` holds ids only. `subject` (`person:…`, `org:…`, `app`) keeps the order; the same `key` is told once. An app
    without a webhook address, or one that did not ask for the event, is passed over.
    """
    app = App.objects.select_related("current").filter(pk=app_id).exclude(status=AppStatus.DELISTED).first()
    if app is None or app.current is None or not app.current.webhook_url:
        return None
    if event not in MANDATORY_EVENTS and event.value not in app.current.events:
        return None
    with transaction.atomic():
        row = Delivery(
            app=app,
            message_id=f"msg_{uuid4().hex}",
            key=key[:120],
            event=event.value,
            subject=subject,
            payload={"type": event.value, "timestamp": now.isoformat(), "data": dict(data)},
            status=DeliveryStatus.WAITING,
            created_at=now,
            next_at=now,
        )
        Delivery.objects.bulk_create([row], ignore_conflicts=True)
        kept = Delivery.objects.get(app=app, key=row.key)
        if kept.message_id == row.message_id:
            enqueue(JOB, {"app_id": app_id}, key=f"webhook:{kept.pk}", is_once=True)
    return kept.pk


def ping_app(*, app_id: int, now: datetime) -> int | None:
    """Send a trial message, at most one a second, even to an app that rests because it did not answer."""
    end_rest(app_id)
    key = f"ping:{now.isoformat(timespec='seconds')}"
    return emit(app_id=app_id, event=EventType.PING, subject="app", data={}, key=key, now=now)


def emit_about(
    *, paths: Iterable[str], event: EventType, subject: str, data: Mapping[str, object], key: str, now: datetime
) -> int:
    """Tell every app used at or above one of the branches that asked there for the event; returns how many were told."""
    told = 0
    asking = [row for row in installations_at(paths) if is_usable(row)]
    if event not in MANDATORY_EVENTS:
        asking = [row for row in asking if event.value in row.version.events]
    for app_id in dict.fromkeys(row.app_id for row in asking):
        told += emit(app_id=app_id, event=event, subject=subject, data=data, key=key, now=now) is not None
    return told


def emit_below(
    *, app_ids: Collection[int], event: EventType, subject: str, data: Mapping[str, object], key: str, now: datetime
) -> int:
    """Tell the named apps; returns how many were told."""
    return sum(
        emit(app_id=app_id, event=event, subject=subject, data=data, key=key, now=now) is not None for app_id in sorted(app_ids)
    )
