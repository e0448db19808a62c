"""Taking a course back: nobody opens it any more, and what was done in it stays."""

from datetime import datetime

from django.db import transaction

from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.records.models import Course
from shuren.records.selectors.cmi5.reach import access_managed_course


@transaction.atomic
def withdraw_course(*, actor: Actor, course_id: int, now: datetime) -> None:
    """By whoever may offer courses there, or brought this one in; done twice it changes nothing."""
    row = access_managed_course(actor=actor, id=course_id, now=now)
    if Course.objects.filter(pk=row.pk, withdrawn_at__isnull=True).update(withdrawn_at=now):
        audit.record(actor=actor, action="records.course_withdrawn", target=f"course:{row.pk}", now=now)
