"""What the house's own datasets tell the registry of standards: the fields of a row, each by its element or its title."""

from collections.abc import Iterator

from shuren.datahub.data import DatasetSpec
from shuren.datahub.rules.catalogue import declared
from shuren.datahub.selectors.assets import column_types_of_datasets
from shuren.datahub.selectors.catalogue import column_titles
from shuren.standards import api as standards
from shuren.standards.data import ElementType, ExchangeField, ExchangeFormat

_WHOLE, _REAL = ("int", "uint"), ("float", "double", "halffloat", "decimal")


def dataset_formats() -> Iterator[ExchangeFormat]:
    """One for every declared dataset that holds rows, with the columns it was written with last.

    What was collected on forms is left out: its datasets are shared by their owners, not by everybody.
    """
    specs = {spec.name: spec for spec in declared()}
    for name, types in sorted(column_types_of_datasets(specs).items()):
        spec = specs[name]
        # A database may keep the columns of a snapshot in an order of its own.
        places = {column: place for place, column in enumerate(spec.columns)}
        ordered = sorted(types.items(), key=lambda one: (places.get(one[0], len(places)), one[0]))
        fields = tuple(_field(spec, column, kind) for column, kind in ordered)
        yield ExchangeFormat(f"dataset.{name}", spec.title("zh"), spec.title("en"), "", fields)


def _field(spec: DatasetSpec, column: str, kind: str) -> ExchangeField:
    told = spec.columns.get(column)
    code = told.element if told is not None and told.element else column
    element = code if standards.known_element(code) is not None else ""
    title_zh, title_en = column_titles(spec, column)
    return ExchangeField(
        column,
        element=element,
        type=type_of(kind),
        jyt=standards.jyt_name(element),
        title_zh=title_zh,
        title_en=title_en,
    )


def type_of(kind: str) -> ElementType:
    """How Arrow's type is told; moments and whatever has no type of its own are text."""
    if kind.startswith(_WHOLE):
        return ElementType.INTEGER
    if kind.startswith(_REAL):
        return ElementType.DECIMAL
    if kind.startswith("bool"):
        return ElementType.BOOLEAN
    return ElementType.DATE if kind.startswith("date") else ElementType.TEXT
