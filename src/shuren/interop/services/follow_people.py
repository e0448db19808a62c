"""What apps left about people follows them: two entries that were one person, and people whose data was erased."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from shuren.interop.models import LaunchCount, LtiResult, Mark, VendorMember
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM


@transaction.atomic
def follow_merge(*, kept_id: int, dropped_id: int, now: datetime) -> int:
    """Move scores, launches and the seat at a vendor to the kept person; of two scores in one column the newer stays.

    Returns how many scores moved. Run twice it does nothing the second time.
    """
    kept = {row.line_item_id: row for row in LtiResult.objects.filter(person_id=kept_id)}
    for row in LtiResult.objects.filter(person_id=dropped_id):
        rival = kept.get(row.line_item_id)
        if rival is not None:
            (row if row.scored_at <= rival.scored_at else rival).delete()
    moved = LtiResult.objects.filter(person_id=dropped_id).update(person_id=kept_id)
    moved += Mark.objects.filter(person_id=dropped_id).update(person_id=kept_id, modified_at=now)
    for count in LaunchCount.objects.filter(person_id=dropped_id):
        if LaunchCount.objects.filter(app_id=count.app_id, day=count.day, person_id=kept_id).update(
            count=F("count") + count.count
        ):
            count.delete()
    LaunchCount.objects.filter(person_id=dropped_id).update(person_id=kept_id)
    seat = VendorMember.objects.filter(person_id=dropped_id)
    if VendorMember.objects.filter(person_id=kept_id).exists():
        seat.delete()
    seat.update(person_id=kept_id)
    if moved:
        details = {"dropped_id": dropped_id, "scores": moved}
        audit.record(actor=SYSTEM, action="interop.merge_followed", target=f"person:{kept_id}", details=details, now=now)
    return moved


@transaction.atomic
def forget_person(*, person_id: int, now: datetime) -> int:
    """Delete the scores, launches and seat of somebody erased as a whole; returns how many rows went."""
    gone = sum(model.objects.filter(person_id=person_id).delete()[0] for model in (LtiResult, Mark, LaunchCount, VendorMember))
    if gone:
        audit.record(
            actor=SYSTEM, action="interop.person_forgotten", target=f"person:{person_id}", details={"rows": gone}, now=now
        )
    return gone
