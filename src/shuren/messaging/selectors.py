"""Reads of notices (a person sees their own and nobody else's), of the outbox, and of which gateways there are."""

import tomllib
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.kernel import ids
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.messaging.data import Channel, NoticeData, OutboxData, OutboxState
from shuren.messaging.models import Notice, OutboxMessage


def notices_of(person_id: int, *, is_unread: bool = False, number: int = 1, size: int = 20) -> Page[NoticeData]:
    """The person's notices, newest first, or only those not yet read."""
    rows = Notice.objects.filter(person_id=person_id).order_by("-at", "-id")
    return page_of(rows.filter(read_at__isnull=True) if is_unread else rows, _data, number=number, size=size)


def unread_count(person_id: int) -> int:
    """How many notices the person has not read, counted up to 100: the bell says 99+ beyond."""
    return Notice.objects.filter(person_id=person_id, read_at__isnull=True)[:100].count()


def access_notice(*, person_id: int, id: str) -> NoticeData:  # the word of all access functions
    """One of the person's own notices by its public id; anybody else's does not exist for them."""
    notice = Notice.objects.filter(pk=ids.decode("notice", id), person_id=person_id).first()
    if notice is None:
        raise NotFound(_("没有找到这条通知。"))
    return _data(notice)


def outbox(*, channel: str = "", state: str = "", number: int = 1, size: int = 50) -> Page[OutboxData]:
    """Messages to the outside, newest first and masked; empty arguments do not filter. The caller asks who may."""
    rows = OutboxMessage.objects.order_by("-at", "-id").defer("body_sealed")
    if channel:
        rows = rows.filter(channel=channel)
    if state:
        rows = rows.filter(state=state)
    return page_of(rows, _outbox_data, number=number, size=size)


def gateway_settings(name: str) -> dict[str, str] | None:
    """The section `name` of the gateways' file, secrets included, or None where it is not configured."""
    path = settings.SHUREN_GATEWAYS_FILE
    return _sections(path, Path(path).stat().st_mtime_ns).get(name) if path else None


@lru_cache(maxsize=4)
def _sections(path: str, changed_at: int) -> dict[str, dict[str, str]]:
    told = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    return {name: {key: str(value) for key, value in section.items()} for name, section in told.items()}


def _outbox_data(row: OutboxMessage) -> OutboxData:
    return OutboxData(
        id=row.pk,
        channel=Channel(row.channel),
        to=row.to_masked,
        text=row.text_masked,
        state=OutboxState(row.state),
        error=row.error,
        at=row.at,
        sent_at=row.sent_at,
    )


def _data(notice: Notice) -> NoticeData:
    return NoticeData(
        id=notice.pk,
        public_id=ids.encode("notice", notice.pk),
        title=notice.title,
        body=notice.body,
        url=notice.url,
        at=notice.at,
        read_at=notice.read_at,
    )
