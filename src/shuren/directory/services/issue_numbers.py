"""Give out numbers for life, one or a million at a time."""

from django.db import transaction
from django.db.models import F

from shuren.directory.models import NumberSequence
from shuren.directory.rules.numbers import numbers_of

_PERSON = "person"


@transaction.atomic
def issue_numbers(count: int) -> list[str]:
    """Take the next `count` numbers; they are used up even if the caller never stores them, unless it rolls back."""
    NumberSequence.objects.get_or_create(name=_PERSON)
    NumberSequence.objects.filter(name=_PERSON).update(next_value=F("next_value") + count)
    after = NumberSequence.objects.values_list("next_value", flat=True).get(name=_PERSON)
    return numbers_of(after - count, count)
