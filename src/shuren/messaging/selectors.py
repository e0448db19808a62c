"""Reads of notices; a person sees their own and nobody else's."""

from django.utils.translation import gettext as _

from shuren.kernel import ids
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.messaging.data import NoticeData
from shuren.messaging.models import Notice


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
