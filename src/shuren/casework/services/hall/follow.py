"""What the hall does when a case moves on: the platform is told, answers are published, rectifications close."""

from datetime import datetime

from django.db import transaction

from shuren.casework.models import Case
from shuren.casework.rules.hall import Link
from shuren.casework.services.hall.outward import link_of_case, tell_case
from shuren.casework.services.hall.publish import publish_answer
from shuren.casework.services.hall.rate import follow_rectification


@transaction.atomic
def follow_submitted(*, case_id: int, is_again: bool, now: datetime) -> int:
    """A case of an item was handed in: its first link is told, once."""
    case = _case_of_item(case_id)
    if case is None or is_again:
        return 0
    tell_case(case, Link.ACCEPT, now=now)
    return 1


@transaction.atomic
def follow_decided(*, case_id: int, now: datetime) -> int:
    """Somebody decided a stage of a case of an item; the end of a case is told by itself."""
    case = _case_of_item(case_id)
    if case is None or link_of_case(case) is not Link.DECIDE:
        return 0
    tell_case(case, Link.DECIDE, now=now)
    return 1


@transaction.atomic
def follow_closed(*, case_id: int, now: datetime) -> dict[str, int]:
    """A case ended, however: told where it is of an item, published where it was answered, kept where it put a rating right."""
    counts = {"told": 0, "published": 0, "rectified": int(follow_rectification(case_id=case_id, now=now))}
    case = _case_of_item(case_id)
    # A draft thrown away was never known to the platform.
    if case is not None and case.submitted_at is not None:
        tell_case(case, Link.DONE, now=now)
        counts["told"] = 1
        counts["published"] = int(publish_answer(case_id=case_id, now=now) is not None)
    return counts


def _case_of_item(case_id: int) -> Case | None:
    return Case.objects.select_related("item", "definition", "org").filter(pk=case_id, item__isnull=False).first()
