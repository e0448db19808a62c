"""Documents and courses follow people: when two entries turn out to be one person, and when somebody is erased.

`Statement.person` follows by `services.follow_statements`.
"""

from datetime import datetime

from django.db import transaction

from shuren.kernel import audit
from shuren.kernel.data import SYSTEM
from shuren.records.models import CaliperEvent, CourseRegistration, Document


@transaction.atomic
def follow_merge(*, kept_id: int, dropped_id: int, now: datetime) -> int:
    """Move `person` of documents, events and registrations to the kept entry; what was sent stays. Returns how many moved.

    Of two registrations for one course the kept entry's own goes on, the other one stays as it was left.
    """
    taken = CourseRegistration.objects.filter(person_id=kept_id, is_current=True).values_list("course_id", flat=True)
    CourseRegistration.objects.filter(person_id=dropped_id, course_id__in=list(taken)).update(is_current=False)
    models = (Document, CaliperEvent, CourseRegistration)
    moved = sum(model.objects.filter(person_id=dropped_id).update(person_id=kept_id) for model in models)
    if moved:
        details = {"dropped_id": dropped_id, "rows": moved}
        audit.record(actor=SYSTEM, action="records.merge_followed", target=f"person:{kept_id}", details=details, now=now)
    return moved


@transaction.atomic
def forget_person(*, person_id: int, now: datetime) -> int:
    """Delete documents, events and registrations of somebody who is erased; returns how many rows went."""
    found = list(Document.objects.filter(person_id=person_id).only("id", "kind"))
    entries = [(f"document:{row.pk}", {"kind": row.kind}) for row in found]
    audit.record_many(actor=SYSTEM, action="records.document_deleted", entries=entries, now=now)
    Document.objects.filter(pk__in=[row.pk for row in found]).delete()
    events = CaliperEvent.objects.filter(person_id=person_id).delete()[0]
    if events:
        target, details = f"person:{person_id}", {"rows": events}
        audit.record(actor=SYSTEM, action="records.events_forgotten", target=target, details=details, now=now)
    registrations = CourseRegistration.objects.filter(person_id=person_id).delete()[0]
    if registrations:
        target, details = f"person:{person_id}", {"rows": registrations}
        audit.record(actor=SYSTEM, action="records.registrations_forgotten", target=target, details=details, now=now)
    return len(found) + events + registrations
