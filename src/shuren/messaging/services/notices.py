"""Writes of notices."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from django.db import transaction

from shuren.messaging.models import Notice

_BATCH = 2_000


@transaction.atomic
def notify(*, person_ids: Iterable[int], title: str, body: str = "", url: str = "", key: str = "", now: datetime) -> None:
    """Write one notice to each person, in the caller's transaction.

    `url` is a path of this installation. With `key` a person gets the notice once, however often it is sent; jobs
    that may run twice give one.
    """
    people = iter(dict.fromkeys(person_ids))
    while batch := list(islice(people, _BATCH)):
        notices = [
            Notice(person_id=person_id, title=title[:120], body=body[:500], url=url[:200], key=key[:100], at=now)
            for person_id in batch
        ]
        Notice.objects.bulk_create(notices, ignore_conflicts=bool(key))


def mark_read(*, person_id: int, notice_ids: Iterable[int] | None = None, now: datetime) -> int:
    """Mark the person's notices as read, all of them when no ids are given; returns how many changed."""
    rows = Notice.objects.filter(person_id=person_id, read_at__isnull=True)
    if notice_ids is not None:
        rows = rows.filter(pk__in=list(notice_ids))
    return rows.update(read_at=now)
