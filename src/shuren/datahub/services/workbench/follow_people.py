"""Questions of people who turn out to be one person, and of people who are erased."""

from datetime import datetime

from django.db import transaction

from shuren.datahub.models import QuestionAnswer, SavedQuestion
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM


@transaction.atomic
def follow_merge_of_owner(*, kept_id: int, dropped_id: int, now: datetime) -> int:
    """The dropped entry's questions are the kept one's; its answers go, for the kept one may see less. Returns how many moved."""
    QuestionAnswer.objects.filter(person_id=dropped_id).delete()
    moved = SavedQuestion.objects.filter(owner_id=dropped_id).update(owner_id=kept_id)
    if moved:
        details = {"dropped_id": dropped_id, "rows": moved}
        audit.record(actor=SYSTEM, action="datahub.questions_followed", target=f"person:{kept_id}", details=details, now=now)
    return moved


@transaction.atomic
def forget_owner(*, person_id: int, now: datetime) -> int:
    """Of an erased person no question and no answer stays; returns how many questions went."""
    QuestionAnswer.objects.filter(person_id=person_id).delete()
    rows = SavedQuestion.objects.filter(owner_id=person_id)
    count = rows.count()
    rows.delete()
    if count:
        details = {"rows": count}
        audit.record(actor=SYSTEM, action="datahub.questions_erased", target=f"person:{person_id}", details=details, now=now)
    return count
