"""Sessions that their units never ended: given up when another one begins, or when their time is over (9.3.6)."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from shuren.kernel import audit
from shuren.kernel.data import SYSTEM, Actor
from shuren.records.models import CourseRegistration, CourseSession
from shuren.records.rules.cmi5.statements import abandoned
from shuren.records.selectors.cmi5.progress import open_sessions
from shuren.records.services.cmi5.tell import tell, telling_of, thing_of

# After that a window that is still open belongs to nobody any more.
LIVES = timedelta(hours=12)


def abandon_open(registration: CourseRegistration, *, actor: Actor, issuer: str, now: datetime) -> int:
    """Give up what is still open of a registration, which the caller has locked; returns how many sessions that were."""
    told: list[dict[str, Any]] = []
    for session in open_sessions(registration):
        last = session.last_at or session.launched_at
        telling = telling_of(registration, session.key, issuer=issuer)
        seconds = (last - session.launched_at).total_seconds()
        told.append(abandoned(telling, thing_of(session.part), seconds=seconds, at=now))
        session.closed_at, session.is_abandoned = now, True
        session.save(update_fields=["closed_at", "is_abandoned"])
        audit.record(actor=actor, action="records.session_abandoned", target=f"session:{session.pk}", now=now)
    tell(told, issuer=issuer, now=now)
    return len(told)


def end_overdue(*, now: datetime) -> int:
    """Give up sessions of more than twelve hours ago; returns how many."""
    rows = CourseSession.objects.filter(closed_at__isnull=True, launched_at__lt=now - LIVES)
    ended = 0
    for registration_id in sorted(set(rows.values_list("registration_id", flat=True)[:1_000])):
        with transaction.atomic():
            registration = CourseRegistration.objects.select_for_update().get(pk=registration_id)
            ended += abandon_open(registration, actor=SYSTEM, issuer=issuer_kept(registration), now=now)
    return ended


def issuer_kept(registration: CourseRegistration) -> str:
    """This installation's own address where nobody calls: as set, or as it was when the course came in."""
    return str(settings.SHUREN_PUBLIC_URL) or registration.course.activity.partition("/cmi5/activities/")[0]
