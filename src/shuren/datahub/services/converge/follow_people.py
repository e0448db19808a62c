"""Candidates of people who turn out to be one person, and of people who are erased."""

from datetime import datetime

from django.db import transaction

from shuren.datahub.data import SubjectKind
from shuren.datahub.models import Candidate, Golden
from shuren.datahub.services.converge.choose import converge_subjects
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM

_PERSON = SubjectKind.PERSON


@transaction.atomic
def follow_merge(*, kept_id: int, dropped_id: int, now: datetime) -> int:
    """What was told of the dropped entry is told of the kept one, and chosen anew; returns how many candidates moved."""
    moving = list(Candidate.objects.filter(subject_kind=_PERSON.value, subject_id=dropped_id).order_by("pk"))
    kept = {
        (row.element_code, row.source, row.digest): row
        for row in Candidate.objects.filter(subject_kind=_PERSON.value, subject_id=kept_id)
    }
    Golden.objects.filter(subject_kind=_PERSON.value, subject_id=dropped_id).delete()
    for row in moving:
        same = kept.get((row.element_code, row.source, row.digest))
        if same is None:
            Candidate.objects.filter(pk=row.pk).update(subject_id=kept_id)
            continue
        if same.seen_at < row.seen_at:
            Candidate.objects.filter(pk=same.pk).update(seen_at=row.seen_at, evidence=row.evidence)
        Candidate.objects.filter(pk=row.pk).delete()
    for code in {row.element_code for row in moving}:
        converge_subjects(element_code=code, kind=_PERSON, subject_ids=[kept_id], now=now)
    if moving:
        details = {"dropped_id": dropped_id, "rows": len(moving)}
        audit.record(actor=SYSTEM, action="datahub.merge_followed", target=f"person:{kept_id}", details=details, now=now)
    return len(moving)


@transaction.atomic
def forget_person(*, person_id: int, now: datetime) -> int:
    """Nothing that any source told of an erased person stays; returns how many candidates went."""
    Golden.objects.filter(subject_kind=_PERSON.value, subject_id=person_id).delete()
    gone, _models = Candidate.objects.filter(subject_kind=_PERSON.value, subject_id=person_id).delete()
    if gone:
        audit.record(
            actor=SYSTEM, action="datahub.candidates_erased", target=f"person:{person_id}", details={"rows": gone}, now=now
        )
    return gone
