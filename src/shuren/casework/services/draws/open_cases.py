"""Opening the check of every object that was drawn, given to the inspectors who were drawn with it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from shuren.casework.data import DefinitionKind, DrawState
from shuren.casework.models import Case, Draw, Entry
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.rules.specs.work import DrawSpec
from shuren.casework.selectors.definitions import definition_named, read_version, spec_of
from shuren.casework.selectors.draws import case_origin
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.submit import submit_case
from shuren.directory import api as directory
from shuren.kernel import ids
from shuren.kernel.data import Actor

DRAW_FIELD = "draw"


def open_cases(*, draw_id: int, now: datetime, on_progress: Callable[[int, int], None] = lambda _done, _total: None) -> int:
    """File and hand in the checks that are not there yet, in the operator's name; returns how many.

    Each is a transaction of its own and known by its origin, so that whoever was killed goes on where they stopped.
    """
    draw = Draw.objects.get(pk=draw_id)
    if draw.state != DrawState.PUBLISHED.value or draw.definition_version_id is None:
        return 0
    spec: DrawSpec = read_version(draw.definition_version_id)
    if not spec.flow:
        return 0
    actor, opened = _operator(draw), 0
    for place, row in enumerate(draw.result, start=1):
        opened += _open(draw, spec, row, actor, now)
        on_progress(place, len(draw.result))
    return opened


@transaction.atomic
def _open(draw: Draw, spec: DrawSpec, row: Mapping[str, Any], actor: Actor, now: datetime) -> int:
    # Locked, so that two runs of the job do not open the same check.
    Draw.objects.select_for_update().get(pk=draw.pk)
    origin = case_origin(draw, row["object"])
    if Case.objects.filter(origin=origin).exists():
        return 0
    thing = Entry.objects.get(pk=ids.decode("entry", row["object"]))
    case = file_case(
        actor=actor,
        flow=spec.flow,
        org_id=thing.org_id,
        carried=check_data(_form(spec.flow), spec, draw, thing, row["inspectors"]),
        title=f"{draw.title} · {thing.label}",
        origin=origin,
        now=now,
    )
    submit_case(actor=actor, case_id=case.pk, now=now)
    return 1


def _form(flow: str) -> FormSpec:
    over = spec_of(definition_named(DefinitionKind.FLOW, flow)).form
    form: FormSpec = spec_of(definition_named(DefinitionKind.FORM, over))
    return form


def check_data(form: FormSpec, spec: DrawSpec, draw: Draw, thing: Entry, inspectors: list[str]) -> dict[str, Any]:
    """What the draw fills into the check's form, wherever it has a place for it.

    The object goes into the field over the objects' register, inspectors into the table with a column of persons or of the
    inspectors' register, the number of the draw into a text field named `draw`.
    """
    people = [_inspector(number) for number in inspectors]
    found: dict[str, Any] = {}
    for field in form.fields:
        if field.type == FieldType.ENTRY and field.register_key == spec.objects:
            found[field.key] = {"id": ids.encode("entry", thing.pk), "name": thing.label}
        elif field.type == FieldType.TABLE and (keys := _columns(field, spec)):
            found[field.key] = [{key: person[kind] for key, kind in keys.items() if person[kind]} for person in people]
        elif field.type == FieldType.TEXT and field.key == DRAW_FIELD:
            found[field.key] = ids.encode("draw", draw.pk)
    return found


def _columns(table: FieldSpec, spec: DrawSpec) -> dict[str, FieldType]:
    """The columns that take an inspector, by key."""
    return {
        column.key: column.type
        for column in table.columns
        if column.type == FieldType.PERSON or (column.type == FieldType.ENTRY and column.register_key == spec.inspectors)
    }


def _inspector(number: str) -> dict[FieldType, dict[str, str] | None]:
    entry = Entry.objects.select_related("subject").get(pk=ids.decode("entry", number))
    person = {"id": ids.encode("person", entry.subject.pk), "name": entry.subject.name} if entry.subject else None
    kept = next((v for v in entry.data.values() if isinstance(v, dict) and set(v) == {"id", "name"}), None)
    return {FieldType.PERSON: person or kept, FieldType.ENTRY: {"id": number, "name": entry.label}}


def _operator(draw: Draw) -> Actor:
    assert draw.made_by_id is not None
    person = directory.people_by_ids([draw.made_by_id])[draw.made_by_id]
    return Actor(person_id=person.id, account_id=None, name=person.name)
