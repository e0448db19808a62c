"""What changed since the last period, and what the region itself holds: per org and field, flagged beyond a factor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, F, FloatField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from shuren.casework.models import Collection, CollectionTarget
from shuren.casework.rules.collections import HANDED_IN, Difference, counted_fields, difference
from shuren.casework.rules.specs.form import FieldSpec, FormSpec
from shuren.casework.selectors.collections.reach import Reach
from shuren.casework.selectors.definitions import form_of
from shuren.casework.selectors.prefill import prefilled
from shuren.directory import api as directory
from shuren.kernel.scope import path_q

_IN = [state.value for state in HANDED_IN]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one org: then and now, and beside it what the region holds, told by `source`."""

    field: FieldSpec
    difference: Difference
    held: Any = None
    source: str = ""


def changes_of_field(reach: Reach, key: str, *, factor: float, only_flagged: bool) -> QuerySet[CollectionTarget]:
    """Orgs that answered, each with `was`, `is_now` and `is_flagged` for one field that counts; in order of path."""
    rows = reach.targets.filter(state__in=_IN, case__isnull=False).annotate(is_now=_figure(key))
    earlier = _earlier(reach.collection).filter(org_id=OuterRef("org_id"))
    rows = rows.annotate(was=Subquery(earlier.annotate(figure=_figure(key)).values("figure")[:1], output_field=FloatField()))
    rows = rows.annotate(
        is_flagged=Case(When(_flagged(factor), then=Value(True)), default=Value(False), output_field=BooleanField())
    )
    if only_flagged:
        rows = rows.filter(is_flagged=True)
    return rows.select_related("org").defer("org__geometry").order_by("org_path")


def changes_of_org(target: CollectionTarget, *, factor: float, now: datetime) -> list[FieldChange]:
    """Every field of one org that counts, against the last period and against what the region holds about the org."""
    form = form_of(target.collection.form_version_id)
    data: dict[str, Any] = target.case.data if target.case else {}
    before = _earlier_data(target.collection, target.org_id)
    held = held_values(form, target.org_id, now=now)
    changes = []
    for field in counted_fields(form):
        value, source = held.get(field.key, (None, ""))
        changes.append(FieldChange(field, difference(before.get(field.key), data.get(field.key), factor=factor), value, source))
    return changes


def held_values(form: FormSpec, org_id: int, *, now: datetime) -> dict[str, tuple[Any, str]]:
    """What registers, the directory and the lake hold for the fields of a form, with the words of where it comes from."""
    org = directory.orgs_by_ids([org_id]).get(org_id)
    if org is None:
        return {}
    return {key: (told.value, str(told.source)) for key, told in prefilled(form, org=org, person=None, now=now).items()}


def comparable_fields(row: Collection) -> Sequence[FieldSpec]:
    return counted_fields(form_of(row.form_version_id))


def _earlier_data(row: Collection, org_id: int) -> dict[str, Any]:
    told: dict[str, Any] | None = _earlier(row).filter(org_id=org_id).values_list("case__data", flat=True).first()
    return told or {}


def _earlier(row: Collection) -> QuerySet[CollectionTarget]:
    """What was handed in the last time; nothing where there was none."""
    rows = CollectionTarget.objects.filter(state__in=_IN)
    return rows.filter(collection_id=row.before_id) if row.before_id is not None else rows.none()


def sums_of_field(reach: Reach, key: str) -> tuple[float, float]:
    """The sum over the orgs that answered, in the last period and now; only of what is in reach."""
    earlier = _earlier(reach.collection).filter(path_q("org_path", reach.paths))
    return _sum(earlier, key), _sum(reach.targets.filter(state__in=_IN), key)


def _sum(rows: QuerySet[CollectionTarget], key: str) -> float:
    total: float | None = rows.aggregate(total=Sum(_figure(key)))["total"]
    return total or 0.0


def _figure(key: str) -> Cast:
    return Cast(KeyTextTransform(key, "case__data"), FloatField())


def _flagged(factor: float) -> Q:
    """As `rules.collections.difference` says it, in the words of the database."""
    was, is_now = F("was"), F("is_now")
    known = Q(was__isnull=False, is_now__isnull=False)
    turned = Q(was__lt=0, is_now__gt=0) | Q(was__gt=0, is_now__lt=0)
    from_nothing = (Q(was=0) & ~Q(is_now=0)) | (Q(is_now=0) & ~Q(was=0))
    above = Q(was__gt=0, is_now__gt=0) & (Q(is_now__gt=was * factor) | Q(was__gt=is_now * factor))
    below = Q(was__lt=0, is_now__lt=0) & (Q(is_now__lt=was * factor) | Q(was__lt=is_now * factor))
    return known & (turned | from_nothing | above | below)
