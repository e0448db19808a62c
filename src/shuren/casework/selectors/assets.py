"""What is defined, as the catalogue of data has it: forms, registers, flows and indicators, read off their definitions."""

from collections.abc import Iterable, Iterator

from pydantic import ValidationError

from shuren.casework.data import DefinitionKind, DefinitionStatus
from shuren.casework.models import Definition
from shuren.casework.rules.binding import UnknownElement
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.rules.specs.form import FieldSpec, FormSpec
from shuren.casework.rules.specs.work import IndicatorSpec
from shuren.casework.selectors.definitions import read_version
from shuren.datahub import api as datahub
from shuren.datahub.data import Asset, AssetColumn, AssetKind, AssetRef, ColumnFlow
from shuren.standards import api as standards

_KINDS = {
    DefinitionKind.FORM: AssetKind.FORM,
    DefinitionKind.REGISTER: AssetKind.REGISTER,
    DefinitionKind.FLOW: AssetKind.FLOW,
    DefinitionKind.INDICATOR: AssetKind.INDICATOR,
}


def defined_assets() -> Iterator[Asset]:
    """Every definition in force that holds data; one that cannot be read is left to the page that says so."""
    rows = Definition.objects.filter(kind__in=[kind.value for kind in _KINDS], current__isnull=False)
    rows = rows.exclude(status=DefinitionStatus.RETIRED.value).order_by("pk")
    for row in rows.iterator(chunk_size=200):
        assert row.current_id is not None
        try:
            spec = read_version(row.current_id)
        except (ValidationError, UnknownElement):
            continue
        ref = AssetRef(_KINDS[DefinitionKind(row.kind)], row.key)
        columns, flows = _told(spec, ref)
        yield Asset(
            kind=ref.kind,
            name=ref.name,
            title_zh=row.title_zh,
            title_en=row.title_en,
            owner=f"org:{row.org_id}" if row.org_id else f"pack:{row.pack_id}" if row.pack_id else "",
            grade=datahub.highest_grade((column.grade for column in columns), "L2"),
            columns=columns,
            flows=flows,
        )


def _told(spec: object, ref: AssetRef) -> tuple[tuple[AssetColumn, ...], tuple[ColumnFlow, ...]]:
    if isinstance(spec, FormSpec):
        return _columns(spec.fields), _flows(spec.fields, ref)
    if isinstance(spec, FlowSpec):
        written = [field for stage in spec.stages for field in stage.fields]
        form = AssetRef(AssetKind.FORM, spec.form)
        return _columns(written), (ColumnFlow(form, ref), *_flows(written, ref)) if spec.form else _flows(written, ref)
    if isinstance(spec, IndicatorSpec):
        return (AssetColumn("value", spec.unit or "number", "值", "Value"),), _counted(spec, ref)
    return (), ()


def _columns(fields: Iterable[FieldSpec]) -> tuple[AssetColumn, ...]:
    found: dict[str, AssetColumn] = {}
    for name, field in _named(fields):
        title = field.title
        found.setdefault(
            name,
            AssetColumn(
                name,
                field.type.value if field.type else "",
                title.zh if title else "",
                title.en if title else "",
                field.element,
                field.grade.value if field.grade else "",
            ),
        )
    return tuple(found.values())


def _named(fields: Iterable[FieldSpec]) -> Iterator[tuple[str, FieldSpec]]:
    """Every field by its key, those of a table behind the table's."""
    for field in fields:
        yield field.key, field
        for inner in field.columns:
            yield f"{field.key}.{inner.key}", inner


def _flows(fields: Iterable[FieldSpec], ref: AssetRef) -> tuple[ColumnFlow, ...]:
    """What fills a field in before anybody does: the one source of its element."""
    found: dict[ColumnFlow, None] = {}
    for name, field in _named(fields):
        element = standards.known_element(field.element) if field.element else None
        for flow in datahub.flows_from_source(element.source, ref, name) if element else ():
            # A register is the source of its own fields.
            if flow.source != ref:
                found[flow] = None
    return tuple(found)


def _counted(spec: IndicatorSpec, ref: AssetRef) -> tuple[ColumnFlow, ...]:
    kind, _colon, key = spec.over.partition(":")
    over = AssetRef(AssetKind(kind), key)
    named = [name for name in (spec.field, spec.base, spec.period) if name]
    return tuple(ColumnFlow(over, ref, name, "value") for name in dict.fromkeys(named)) or (ColumnFlow(over, ref),)
