"""News that travels up: a lower app publishes, a higher app subscribes, neither imports the other.

An event is an outbox row in the publisher's transaction. The worker (`work`) reads undispatched rows and enqueues one
job per subscriber, at least once, with a key made of the event id, so that a subscriber sees each event once unless
its own job is killed half-way.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import connection

from shuren.kernel import clock
from shuren.kernel.moments import stored

if TYPE_CHECKING:
    from shuren.kernel.models import Event

_PUBLISH = "INSERT INTO kernel_event (name, payload, published_at) VALUES (%s, %s, %s) RETURNING id"
_subscribers: defaultdict[str, list[str]] = defaultdict(list)


def _events() -> "type[Event]":
    # Looked up late: `apps.py` of every subscriber imports this module before there are models.
    model: type[Event] = apps.get_model("kernel", "Event")
    return model


def publish(name: str, payload: Mapping[str, object], *, now: datetime | None = None) -> int:
    """Write one event, named `<app>.<past_tense>`, inside the caller's transaction; returns its id."""
    told = connection.ops.adapt_json_value(dict(payload), None)
    with connection.cursor() as cursor:
        cursor.execute(_PUBLISH, [name, told, stored(now or clock.now())])
        return int(cursor.fetchone()[0])


def subscribe(name: str, job: str) -> None:
    """Have the job `job` (dotted path) run for every event `name`; called from an app's `ready()`."""
    if job not in _subscribers[name]:
        _subscribers[name].append(job)


def subscribers(name: str) -> tuple[str, ...]:
    return tuple(_subscribers.get(name, ()))


def undispatched(limit: int) -> "list[Event]":
    """The oldest events not yet turned into jobs, locked for the caller's transaction where the database can."""
    rows = _events().objects.filter(dispatched_at__isnull=True).order_by("id").select_for_update(skip_locked=True)
    return list(rows[:limit])


def mark_dispatched(event_ids: list[int], *, now: datetime) -> None:
    _events().objects.filter(pk__in=event_ids).update(dispatched_at=now)
