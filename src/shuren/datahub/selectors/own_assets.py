"""What the house itself keeps, read off its models, its lake and its kinds of import."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db.models import Field, ForeignKey, Model
from django.utils.translation import override

from shuren.datahub.data import Asset, AssetColumn, AssetKind, DatasetSpec
from shuren.datahub.rules.assets import highest
from shuren.datahub.rules.element_sources import PLACES
from shuren.datahub.selectors.assets import column_types_of_datasets
from shuren.datahub.selectors.catalogue import column_titles, known_datasets
from shuren.directory import api as directory
from shuren.intake import api as intake
from shuren.standards import api as standards
from shuren.standards.data import ElementData

_PREFIX = "shuren."


def tables() -> Iterator[Asset]:
    """Every table of the house's own models."""
    elements = _elements_by_place()
    for config in sorted(apps.get_app_configs(), key=lambda each: each.label):
        if config.name.startswith(_PREFIX):
            for model in config.get_models(include_auto_created=True):
                yield _table(model, config.label, elements)


def _table(model: type[Model], label: str, elements: dict[str, ElementData]) -> Asset:
    name = model._meta.db_table
    columns = tuple(_column(name, field, elements) for field in model._meta.concrete_fields)
    words = (model.__doc__ or "").strip().split("\n")[0]
    # Django writes the fields of a model that has no words of its own.
    described = "" if words.startswith(f"{model.__name__}(") else words
    return Asset(
        kind=AssetKind.TABLE,
        name=name,
        title_zh=name,
        title_en=name,
        owner=label,
        grade=highest((column.grade for column in columns), "L2"),
        description=described,
        columns=columns,
    )


def _column(table: str, field: "Field[Any, Any]", elements: dict[str, ElementData]) -> AssetColumn:
    element = elements.get(f"{table}.{field.name}")
    kind = "reference" if isinstance(field, ForeignKey) else field.get_internal_type().removesuffix("Field").lower()
    if element is None:
        return AssetColumn(field.column or field.name, kind)
    return AssetColumn(field.column or field.name, kind, element.name_zh, element.name_en, element.code, element.grade.value)


def _elements_by_place() -> dict[str, ElementData]:
    found = {}
    for element in standards.elements():
        place, _dot, attribute = element.source.partition(".")
        if place in PLACES:
            found[f"{PLACES[place]}.{attribute}"] = element
    return found


def datasets() -> Iterator[Asset]:
    """Every dataset of the lake, with the columns of what was written last."""
    specs = known_datasets()
    written = column_types_of_datasets([spec.name for spec in specs])
    for spec in specs:
        named = [name for name in spec.columns if "*" not in name]
        types = dict.fromkeys(named, "") | written.get(spec.name, dict.fromkeys(spec.partition_keys, "string"))
        columns = tuple(_dataset_column(spec, name, kind) for name, kind in types.items())
        yield Asset(
            kind=AssetKind.DATASET,
            name=spec.name,
            title_zh=spec.title("zh"),
            title_en=spec.title("en"),
            owner=spec.owner,
            grade=spec.grade,
            description=spec.description,
            columns=columns,
        )


def _dataset_column(spec: DatasetSpec, name: str, kind: str) -> AssetColumn:
    told = spec.columns.get(name)
    code, grade = (told.element, told.grade) if told is not None else ("", "")
    element = standards.known_element(code or name)
    if element is not None:
        code, grade = element.code, grade or element.grade.value
    return AssetColumn(name, _plain_type(kind), *column_titles(spec, name), code, grade)


def _plain_type(kind: str) -> str:
    """What a column holds, without how the file packs it."""
    return kind.partition("values=")[2].partition(",")[0] if kind.startswith("dictionary<") else kind


def files() -> Iterator[Asset]:
    """Every kind of file that comes in."""
    for kind in intake.kinds():
        with override("zh-hans"):
            title_zh = str(kind.title)
        with override("en"):
            title_en = str(kind.title)
        yield Asset(
            kind=AssetKind.FILE,
            name=kind.kind,
            title_zh=title_zh,
            title_en=title_en,
            owner="intake",
            columns=_roster_columns() if kind.kind == "roster" else (),
        )


def _roster_columns() -> tuple[AssetColumn, ...]:
    return tuple(
        AssetColumn(f"{kind}.{cell}", "string") for kind, (_table, cells) in directory.roster_tables().items() for cell in cells
    )
