"""Reads of who produces which element, and of who was refused."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime

from django.db.models import Q, QuerySet, Sum

from shuren.standards.data import Door, ProducerData, RefusalData
from shuren.standards.models import Element, Producer, RefusedWrite


def producers_of(element_codes: Iterable[str]) -> dict[str, ProducerData]:
    """The declared producers of these elements, by code; what nobody declared is left out."""
    codes = set(element_codes)
    return {row.element_id: _producer(row) for row in Producer.objects.filter(pk__in=codes)} if codes else {}


def declared_producers() -> dict[str, ProducerData]:
    return {row.element_id: _producer(row) for row in Producer.objects.order_by("pk")}


def refusals_of(
    *, element_codes: Collection[str] | None = None, since: date | None = None, start: int = 0, size: int = 50
) -> tuple[list[RefusalData], int]:
    """A slice of the refusals, latest day first, and how many there are; None asks for those of every element."""
    rows = _refused(element_codes, since)
    found = rows.order_by("-day", "-last_at", "-pk")[start : start + size]
    return [_refusal(row) for row in found], rows.count()


def refusal_counts(*, since: date) -> Mapping[str, int]:
    """How many writes of each element were refused since a day."""
    sums = RefusedWrite.objects.filter(day__gte=since).values_list("element_code").annotate(n=Sum("count")).order_by()
    return dict(sums)


def untold_refusals(*, before: date) -> list[RefusalData]:
    """What was refused before a day and no owner has been told of yet."""
    return [_refusal(row) for row in RefusedWrite.objects.filter(told_at__isnull=True, day__lt=before).order_by("pk")[:5_000]]


def owned_by(org_ids: Collection[int]) -> list[str]:
    """Codes of the elements that these orgs answer for."""
    return list(Element.objects.filter(owner_org_id__in=org_ids).order_by("pk").values_list("pk", flat=True))


def _refused(element_codes: Collection[str] | None, since: date | None) -> QuerySet[RefusedWrite]:
    asked = Q() if element_codes is None else Q(element_code__in=element_codes)
    return RefusedWrite.objects.filter(asked & (Q(day__gte=since) if since else Q()))


def _producer(row: Producer) -> ProducerData:
    changed_at: datetime = row.changed_at
    return ProducerData(
        element=row.element_id,
        doors=frozenset(Door(door) for door in row.doors),
        org_ids=frozenset(row.org_ids),
        note=row.note,
        changed_at=changed_at,
    )


def _refusal(row: RefusedWrite) -> RefusalData:
    return RefusalData(
        element=row.element_code,
        door=Door(row.door),
        org_id=row.org_id or None,
        role=row.role,
        client_id=row.client_id,
        day=row.day,
        count=row.count,
        last_at=row.last_at,
    )
