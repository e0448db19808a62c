"""Look for person rows that may be one human being, and propose them; nothing is merged here."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import combinations, groupby
from operator import attrgetter

from django.db import transaction
from django.db.models import Count, F, Window

from shuren.directory.models import DuplicatePair, Person
from shuren.directory.rules.duplicates import Traits, judged
from shuren.directory.selectors.orgs import CHUNK

# A value shared by more rows than this is a filler ("13800000000", "无"), not a trace of one person.
_LARGEST_GROUP = 8
_KEYS: tuple[tuple[str, ...], ...] = (("national_id_index",), ("pupil_number",), ("name", "birth_date", "sex"))
_BATCH = 500


def propose_duplicates(*, now: datetime, on_progress: Callable[[int], None] = lambda found: None) -> int:
    """Write every pair with enough evidence; returns how many stand undecided afterwards.

    Repeating it refreshes the evidence, keeps decisions, and withdraws undecided pairs that no longer hold.
    """
    seen: set[tuple[int, int]] = set()
    batch: list[DuplicatePair] = []
    for first, second in _candidates():
        pair = (min(first.pk, second.pk), max(first.pk, second.pk))
        if pair in seen:
            continue
        seen.add(pair)
        evidence = judged(_traits(first), _traits(second))
        if evidence.is_enough:
            proposal = DuplicatePair(
                first_id=pair[0], second_id=pair[1], evidence=list(evidence.marks), score=evidence.score, found_at=now
            )
            batch.append(proposal)
        if len(batch) >= _BATCH:
            _write(batch)
            on_progress(len(seen))
            batch = []
    _write(batch)
    DuplicatePair.objects.filter(decided_at__isnull=True, found_at__lt=now).delete()
    return DuplicatePair.objects.filter(decided_at__isnull=True).count()


def _candidates() -> Iterator[tuple[Person, Person]]:
    """Pairs that share a key, every group read in one pass over the people sorted by it."""
    living = Person.objects.visible().filter(merged_into__isnull=True)
    for columns in _KEYS:
        rows = living.exclude(**{columns[0]: ""})
        if "birth_date" in columns:
            rows = rows.filter(birth_date__isnull=False)
        size = Window(Count("pk"), partition_by=[F(column) for column in columns])
        shared = rows.annotate(size=size).filter(size__gt=1, size__lte=_LARGEST_GROUP).order_by(*columns, "pk")
        for _key, group in groupby(shared.iterator(chunk_size=CHUNK), key=attrgetter(*columns)):
            yield from combinations(group, 2)


def _traits(person: Person) -> Traits:
    return Traits(
        name=person.name,
        sex=person.sex,
        birth_date=person.birth_date,
        national_id_index=person.national_id_index,
        pupil_number=person.pupil_number,
        phone=person.phone,
        email=person.email,
    )


@transaction.atomic
def _write(batch: list[DuplicatePair]) -> None:
    DuplicatePair.objects.bulk_create(
        batch,
        update_conflicts=True,
        unique_fields=["first", "second"],
        update_fields=["evidence", "score", "found_at"],
    )
