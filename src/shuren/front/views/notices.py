"""What the signed-in person was told."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shuren.identity.api import actor_of
from shuren.kernel import clock
from shuren.kernel.paging import Page
from shuren.messaging import api as messaging
from shuren.messaging.data import NoticeData


@dataclass(frozen=True, slots=True)
class ShownNotice:
    """A notice with the address that marks it as read and leads on."""

    id: str
    title: str
    body: str
    url: str
    created_at: datetime
    is_read: bool


@never_cache
@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    person_id = actor_of(request).person_id
    number = request.GET.get("page", "1")
    page: Page[NoticeData] = (
        messaging.notices_of(person_id, number=int(number) if number.isdecimal() and len(number) < 9 else 1)
        if person_id is not None
        else Page(rows=[], total=0, is_exact=True, number=1, size=20)
    )
    shown = Page(
        rows=[_shown(notice) for notice in page.rows],
        total=page.total,
        is_exact=page.is_exact,
        number=page.number,
        size=page.size,
    )
    return render(request, "front/notices.html", {"notices": shown, "mark_all_url": reverse("front:read_notices")})


@never_cache
@require_GET
def notice(request: HttpRequest, notice_id: str) -> HttpResponse:
    """Open what the notice speaks of; whoever opens it has read it."""
    person_id = _person_id(request)
    found = messaging.access_notice(person_id=person_id, id=notice_id)
    messaging.mark_read(person_id=person_id, notice_ids=[found.id], now=clock.now())
    return redirect(found.url or "front:notices")


@require_POST
def read_notices(request: HttpRequest) -> HttpResponse:
    """Mark all notices as read, or the one named by `id`."""
    person_id = _person_id(request)
    wanted = request.POST.get("id")
    notice_ids = [messaging.access_notice(person_id=person_id, id=wanted).id] if wanted else None
    messaging.mark_read(person_id=person_id, notice_ids=notice_ids, now=clock.now())
    return redirect("front:notices")


def _person_id(request: HttpRequest) -> int:
    """The actor's person; an account without one has no notices, and no notice has row id 0."""
    return actor_of(request).person_id or 0


def _shown(notice: NoticeData) -> ShownNotice:
    return ShownNotice(
        id=notice.public_id,
        title=notice.title,
        body=notice.body,
        url=reverse("front:notice", args=[notice.public_id]),
        created_at=notice.at,
        is_read=notice.read_at is not None,
    )
