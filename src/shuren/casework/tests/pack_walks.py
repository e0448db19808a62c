"""Walking a case through a flow: which outcome leads where, and what whoever decides writes down on the way."""

from collections import deque
from datetime import timedelta
from typing import Any

from django.apps import apps

from shuren.casework.data import CaseState, WorkState
from shuren.casework.models import Case, WorkItem
from shuren.casework.rules.specs.flow import END, TO_FILER, FlowSpec, StageSpec
from shuren.casework.rules.specs.form import About, FieldSpec, FieldType, FormSpec
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.cases.file import file_case, may_file
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.tests.pack_world import World
from shuren.directory.data import CountKind, OrgData, OrgType
from shuren.kernel.data import SYSTEM, Actor
from shuren.standards import api as standards

_LONGEST = 40
# In which org of the cast a case lies, by the level at which it is filed.
_PLACES = {
    OrgType.SCHOOL: "school",
    OrgType.COUNTY: "county",
    OrgType.CITY: "city",
    OrgType.PROVINCE: "province",
    OrgType.CLASS: "class",
}


def filer_of(flow: FlowSpec, world: World) -> tuple[Actor, OrgData]:
    """Somebody who may file it, and for which org."""
    kinds = flow.filed_by.at or (OrgType.SCHOOL, OrgType.COUNTY, OrgType.CITY, OrgType.PROVINCE, OrgType.CLASS)
    orgs = [world.cast.orgs[_PLACES[kind]] for kind in kinds if kind in _PLACES] or [world.org(kinds[0], 0)]
    if flow.filed_by.anyone:
        return world.cast.actor("parent"), next((org for org in orgs if org.type == OrgType.SCHOOL), orgs[0])
    for role in flow.filed_by.roles:
        for org in orgs:
            if may_file(world.cast.actor(role.value), flow.filed_by, org, world.cast.now):
                return world.cast.actor(role.value), org
    return SYSTEM, orgs[0]


def submitted(flow: FlowSpec, form: FormSpec, data: dict[str, Any], world: World) -> Case:
    actor, org = filer_of(flow, world)
    subject = world.cast.people["pupil"].id if form.about == About.PERSON else None
    told = world.known(form.fields, data)
    count_as_told(form, told, org.id)
    case = file_case(actor=actor, flow=flow.key, org_id=org.id, subject_person_id=subject, carried=told, now=world.cast.now)
    return submit_case(actor=actor, case_id=case.pk, now=world.cast.now)


def count_as_told(form: FormSpec, data: dict[str, Any], org_id: int) -> None:
    """What a form takes over of an org's kept counts is as the sample says, which the rest of the sample agrees with."""
    for field in form.fields:
        element = standards.known_element(field.element) if field.element else None
        name = element.source.removeprefix("directory:org.") if element else ""
        if name in set(CountKind) and data.get(field.key) is not None:
            apps.get_model("directory", "OrgCount").objects.update_or_create(
                org_id=org_id, kind=name, defaults={"value": int(data[field.key])}
            )


def walk(case: Case, flow: FlowSpec, wanted: tuple[str, str], world: World, *, variant: int) -> bool:
    """Take the case to an end by way of the wanted (stage, outcome); whether it came by there."""
    was_there = False
    for turn in range(_LONGEST):
        case = Case.objects.get(pk=case.pk)
        if case.state == CaseState.RETURNED:
            filer = SYSTEM if case.filer_id is None else filer_of(flow, world)[0]
            submit_case(actor=filer, case_id=case.pk, now=world.cast.now + timedelta(hours=turn))
            continue
        if case.state != CaseState.RUNNING:
            break
        stage = flow.stage(case.stage)
        assert stage is not None, case.stage
        outcome = _outcome(flow, stage, wanted, was_there)
        was_there = was_there or (stage.key, outcome) == wanted
        _decide(case, stage, outcome, world, variant=variant, turn=turn)
    assert case.state == CaseState.CLOSED, f"{flow.key} stands at {case.stage} after {_LONGEST} turns"
    return was_there


def _outcome(flow: FlowSpec, stage: StageSpec, wanted: tuple[str, str], was_there: bool) -> str:
    if not was_there and stage.key == wanted[0]:
        return wanted[1]
    ways = {outcome.key: outcome.to for outcome in stage.outcomes}
    steps = {key: _steps(flow, to, "" if was_there else wanted[0]) for key, to in ways.items()}
    return min(steps, key=lambda key: (steps[key], list(ways).index(key)))


def _steps(flow: FlowSpec, begin: str, goal: str) -> int:
    """How far from `begin` to the stage `goal`, or to the nearest end where none is named; a filer begins again."""
    waiting, seen = deque([(begin, 0)]), set()
    while waiting:
        here, steps = waiting.popleft()
        if here == TO_FILER:
            here, steps = flow.stages[0].key, steps + 5
        if here == goal or (not goal and here.startswith(END)):
            return steps
        stage = flow.stage(here)
        if here in seen or stage is None:
            continue
        seen.add(here)
        waiting += [(outcome.to, steps + 1) for outcome in stage.outcomes]
    return 1000


def _decide(case: Case, stage: StageSpec, outcome: str, world: World, *, variant: int, turn: int) -> None:
    """Everybody who is asked at the stage says the same, until the stage is left."""
    for _one in range(50):
        item = WorkItem.objects.filter(case=case, state=WorkState.OPEN.value).order_by("position", "pk").first()
        assert item is not None, f"nobody is asked at {stage.key}"
        written = {field.key: value_for(field, world, variant) for field in stage.fields}
        now = world.cast.now + timedelta(hours=turn)
        decide_work(actor=SYSTEM, work_id=item.pk, outcome=outcome, comment="样例意见", written=written, now=now)
        fresh = Case.objects.get(pk=case.pk)
        if fresh.state != CaseState.RUNNING or fresh.stage != stage.key or not _is_asked_here(fresh, item.stage_run_id):
            return
    raise AssertionError(f"{stage.key} is never left by {outcome}")


def _is_asked_here(case: Case, run_id: int) -> bool:
    return WorkItem.objects.filter(case=case, stage_run_id=run_id, state=WorkState.OPEN.value).exists()


def value_for(field: FieldSpec, world: World, variant: int) -> Any:
    """Something that the field takes: small values in the first variant, large ones in the second, other codes in the third."""
    if field.type in (FieldType.INTEGER, FieldType.DECIMAL):
        low = float(field.minimum) if field.minimum is not None else 0
        high = float(field.maximum) if field.maximum is not None else low + 100
        return int(high if variant == 1 else low) if field.type == FieldType.INTEGER else (high if variant == 1 else low)
    if field.type in (FieldType.CODE, FieldType.CODES):
        codes = [option.code for option in field.options] or [code.code for code in standards.codes(field.code_set)]
        chosen = codes[min(variant, len(codes) - 1)] if variant < 2 else codes[-1]
        return [chosen] if field.type == FieldType.CODES else chosen
    if field.type == FieldType.BOOLEAN:
        return variant != 1
    if field.type == FieldType.TABLE:
        return [{column.key: value_for(column, world, variant) for column in field.columns}] * max(1, field.minimum_rows)
    simple = {
        FieldType.DATE: "2026-11-30",
        FieldType.PERSON: {"id": world.experts[0].public_id, "name": world.experts[0].name},
        FieldType.ORG: {"id": world.cast.orgs["school"].public_id, "name": world.cast.orgs["school"].name},
        FieldType.PLACE: {"lon": 105.4, "lat": 28.9},
    }
    return simple.get(field.type, None if field.type in (FieldType.FILE, FieldType.SIGNATURE, FieldType.ENTRY) else "样例")
