"""Hints put away."""

from datetime import datetime

from shuren.pages.models import ReadHint
from shuren.pages.rules.hints import hints_of


def put_hints_away(*, account_id: int, place: str, now: datetime) -> None:
    """Never show the account the present hints of this kind of page again; doing it twice is doing it once."""
    read = [ReadHint(account_id=account_id, key=hint.key, read_at=now) for hint in hints_of(place)]
    ReadHint.objects.bulk_create(read, ignore_conflicts=True)
