"""Certificates follow their people: two entries that were one person, and people whose data was erased."""

from datetime import datetime

from django.db import transaction

from shuren.certificates.models import BatchItem, Certificate, DigitalCertificate, Share
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM


@transaction.atomic
def follow_merge(*, kept_id: int, dropped_id: int, now: datetime) -> int:
    """Let everything of the dropped entry be the kept person's; what is signed stays as it was signed.

    Returns how many certificates moved. Run twice it does nothing the second time.
    """
    moved = Certificate.objects.filter(holder_id=dropped_id).update(holder_id=kept_id)
    moved += DigitalCertificate.objects.filter(person_id=dropped_id).update(person_id=kept_id)
    links = Share.objects.filter(holder_id=dropped_id).update(holder_id=kept_id)
    waiting = BatchItem.objects.filter(person_id=dropped_id)
    doubled, _tables = waiting.filter(batch_id__in=BatchItem.objects.filter(person_id=kept_id).values("batch_id")).delete()
    awaited = waiting.update(person_id=kept_id)
    if moved or links or doubled or awaited:
        details = {"dropped_id": dropped_id, "count": moved, "links": links, "awaited": awaited, "doubled": doubled}
        audit.record(actor=SYSTEM, action="certificates.merge_followed", target=f"person:{kept_id}", details=details, now=now)
    return moved


@transaction.atomic
def end_shares(*, person_id: int, now: datetime) -> int:
    """Nobody is shown the certificates of somebody erased by a link given before; returns how many links ended."""
    ended = list(Share.objects.select_for_update().filter(holder_id=person_id, ended_at=None).values_list("pk", flat=True))
    Share.objects.filter(pk__in=ended).update(ended_at=now)
    for share_id in ended:
        details = {"share": share_id, "because": "person_erased"}
        audit.record(actor=SYSTEM, action="certificates.share_ended", target=f"person:{person_id}", details=details, now=now)
    return len(ended)
