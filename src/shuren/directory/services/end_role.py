"""End a role at an org together with the classes that hang on it."""

from datetime import date, datetime

from django.db import transaction

from shuren.directory.selectors.roles import affiliation_row_for, classes_with
from shuren.directory.services.affiliate import end_affiliation
from shuren.directory.services.enrol import end_enrollment
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor


@transaction.atomic
def end_role(*, actor: Actor, affiliation_id: int, now: datetime, end_date: date | None = None) -> int:
    """End an affiliation on a day (today) and, for a pupil or a teacher, their classes in that branch.

    Returns how many classes ended; who may do it is settled where the affiliation ends.
    """
    day = end_date or day_of(now)
    row = affiliation_row_for(actor=actor, id=affiliation_id, now=now)
    classes = classes_with(row, day=day)
    for line in classes:
        end = max(day, line.begin_date) if line.begin_date else day
        end_enrollment(actor=actor, enrollment_id=line.pk, end_date=end, now=now)
    end_affiliation(actor=actor, affiliation_id=row.pk, end_date=day, now=now)
    return len(classes)
