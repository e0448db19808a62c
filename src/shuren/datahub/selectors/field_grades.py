"""Every field of the catalogue with its class and grade, and what these drive. Names and grades, never values."""

from collections import Counter
from dataclasses import dataclass

from django.apps import apps
from django.db.models import Count, Q, QuerySet

from shuren.datahub.models import CatalogueColumn
from shuren.datahub.rules.field_grades import FieldDuties, GradeOrigin, duties_of, field_class
from shuren.standards import api as standards


@dataclass(frozen=True, slots=True)
class FieldGrade:
    """One field: `grade` is its own or that of what it stands in, empty for a gap."""

    column: CatalogueColumn
    grade: str
    origin: GradeOrigin
    subject: str
    duties: FieldDuties
    is_sealed: bool


def fields_graded(*, kind: str = "", grade: str = "", origin: str = "", search: str = "") -> QuerySet[CatalogueColumn]:
    """The fields of what is in use, in the order of the catalogue. The caller has asked who may read it."""
    rows = CatalogueColumn.objects.filter(asset__retired_at__isnull=True).select_related("asset").order_by("asset_id", "position")
    if kind:
        rows = rows.filter(asset__kind=kind)
    if grade:
        rows = rows.filter(Q(grade=grade) | Q(grade="", asset__grade=grade))
    if origin:
        rows = rows.filter(_of_origin(origin))
    if search:
        named = Q(name__startswith=search) | Q(element__startswith=search) | Q(title_zh__contains=search)
        rows = rows.filter(named | Q(asset__name__startswith=search) | Q(asset__title_zh__contains=search))
    return rows


def field_grades(columns: list[CatalogueColumn]) -> list[FieldGrade]:
    """The same with what each drives."""
    sealed = sealed_places()
    return [_field(column, sealed) for column in columns]


def gaps_counted() -> dict[GradeOrigin, int]:
    """How many fields have a grade of their own, one of what they stand in, and none."""
    rows = CatalogueColumn.objects.filter(asset__retired_at__isnull=True).values("grade", "asset__grade").annotate(n=Count("pk"))
    found = Counter[GradeOrigin]()
    for row in rows.order_by():
        found[_origin(row["grade"], row["asset__grade"])] += row["n"]
    return {origin: found[origin] for origin in GradeOrigin}


def sealed_places() -> set[tuple[str, str]]:
    """Tables and columns whose values lie encrypted, as the apps announce them."""
    found = set()
    for config in apps.get_app_configs():
        for model, column, _purpose in getattr(config, "sealed_columns", ()):
            found.add((config.get_model(model)._meta.db_table, column))
    return found


def _field(column: CatalogueColumn, sealed: set[tuple[str, str]]) -> FieldGrade:
    grade = column.grade or column.asset.grade
    element = standards.known_element(column.element) if column.element else None
    return FieldGrade(
        column=column,
        grade=grade,
        origin=_origin(column.grade, column.asset.grade),
        subject=field_class(column.element),
        duties=duties_of(grade, element.mask.value if element else ""),
        is_sealed=(column.asset.name, column.name) in sealed,
    )


def _origin(own: str, of_asset: str) -> GradeOrigin:
    return GradeOrigin.OWN if own else GradeOrigin.ASSET if of_asset else GradeOrigin.NONE


def _of_origin(origin: str) -> Q:
    if origin == GradeOrigin.OWN:
        return ~Q(grade="")
    return Q(grade="") & (~Q(asset__grade="") if origin == GradeOrigin.ASSET else Q(asset__grade=""))
