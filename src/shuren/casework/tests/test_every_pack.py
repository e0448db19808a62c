"""What every pack must stand, whoever wrote it: it is checked, its samples come in, are filled in, refused, reviewed, counted.

Packs are found on disk; a new one needs its sample rows and nothing here.
"""

import csv
import io
from collections.abc import Iterator
from functools import partial
from typing import IO, Any

import pytest
from django.db import transaction
from openpyxl import load_workbook
from tests.cast import forget_news

from shuren.casework.data import CaseState, CollectionState, DefinitionKind, TargetState, WorkState
from shuren.casework.models import Case, Collection, Definition, Entry, WorkItem
from shuren.casework.rules.forms import check_form
from shuren.casework.rules.functions import is_registered
from shuren.casework.rules.specs.flow import FlowSpec, Move
from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.specs.work import CollectionSpec, IndicatorSpec
from shuren.casework.selectors.definitions import read_version
from shuren.casework.selectors.entries import access_register
from shuren.casework.selectors.entry_lists import EntryQuery, entries_stream
from shuren.casework.selectors.indicators import indicator_value
from shuren.casework.selectors.packs import ReadDefinition, ReadPack
from shuren.casework.services.cases import end
from shuren.casework.services.cases.share import urge_case
from shuren.casework.services.cases.submit import rules_of
from shuren.casework.services.cases.turn_back import return_case, withdraw_case
from shuren.casework.services.packs.check import findings_of, words_of
from shuren.casework.services.packs.diff import diff_pack
from shuren.casework.services.packs.install import install_pack
from shuren.casework.services.registers.columns import file_columns, org_title, state_title
from shuren.casework.services.registers.workbook import register_workbook
from shuren.casework.services.samples import issue_sample
from shuren.casework.tests.pack_faults import MOST, broken_rows
from shuren.casework.tests.pack_walks import filer_of, submitted, walk
from shuren.casework.tests.pack_world import (
    PACKS,
    TODAY,
    World,
    build_world,
    definitions,
    names,
    rows_of,
    samples_of,
)
from shuren.directory import api as directory
from shuren.directory.data import OrgType
from shuren.intake import api as intake
from shuren.intake.data import ImportStatus
from shuren.kernel.data import SYSTEM
from shuren.work import api as work

FORMS = definitions(DefinitionKind.FORM)
REGISTERS = definitions(DefinitionKind.REGISTER)
FLOWS = definitions(DefinitionKind.FLOW)
COLLECTIONS = definitions(DefinitionKind.COLLECTION)
INDICATORS = definitions(DefinitionKind.INDICATOR)
SAMPLED = [(pack, one) for pack, one in [*FORMS, *REGISTERS] if samples_of(pack, one)]
FEWEST_ROWS, FEWEST_BROKEN = 30, 10
pytestmark = pytest.mark.packs
VARIANTS = 3


@pytest.fixture(scope="module")
def everything(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """All packs installed once for this file; every test goes back to it."""
    read_version.cache_clear()
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_world()
        transaction.set_rollback(True)
    read_version.cache_clear()


@pytest.fixture(autouse=True)
def forgotten_definitions() -> None:
    """Versions stay for the whole file, unlike in other tests."""


@pytest.fixture
def world(everything: World, db: None) -> World:
    everything.made.clear()
    return everything


@pytest.mark.django_db
@pytest.mark.parametrize("pack", PACKS.values(), ids=list(PACKS))
def test_nothing_is_wrong_and_nothing_untold(pack: ReadPack) -> None:
    words, faults = words_of(pack.folder)
    assert [str(finding) for finding in [*faults, *findings_of(pack, PACKS, words)]] == []


@pytest.mark.parametrize("pack", PACKS.values(), ids=list(PACKS))
def test_again_changes_nothing(pack: ReadPack, world: World) -> None:
    counts = install_pack(actor=SYSTEM, key=pack.key, now=world.cast.now)
    parts = sum(len(files) for files in pack.folder.parts.values())
    assert (counts.added, counts.changed, counts.retired, counts.same) == (0, 0, 0, len(pack.definitions) + parts)
    assert diff_pack(pack.key).to_install == ()


@pytest.mark.parametrize(("pack", "one"), FORMS, ids=names(FORMS))
def test_a_form_has_samples(pack: ReadPack, one: ReadDefinition) -> None:
    samples = samples_of(pack, one)
    assert len(samples.get("valid", [])) >= 1
    assert len(samples.get("broken", [])) >= FEWEST_BROKEN


@pytest.mark.parametrize(("pack", "one"), SAMPLED, ids=names(SAMPLED))
def test_what_is_right_is_taken_and_what_is_broken_is_told_where(pack: ReadPack, one: ReadDefinition) -> None:
    form, samples = one.spec, samples_of(pack, one)
    assert isinstance(form, FormSpec)
    for data in samples["valid"]:
        checked = check_form(form, data, today=TODAY, functions=rules_of(form))
        assert [f"{fault.path}: {fault.reason}" for fault in checked.errors] == []
        assert check_form(form, checked.data, today=TODAY, functions=rules_of(form)).data == checked.data
    for broken in samples.get("broken", []):
        checked = check_form(form, broken["data"], today=TODAY, functions=rules_of(form))
        told = {fault.path for fault in checked.errors}
        assert broken["at"] in told, f"{broken['at']} is taken as {broken['data'].get(broken['at'])!r}; told: {sorted(told)}"


@pytest.mark.parametrize(("pack", "one"), REGISTERS, ids=names(REGISTERS))
def test_sample_rows_come_in_go_out_and_are_counted(pack: ReadPack, one: ReadDefinition, world: World) -> None:
    spec, rows = one.spec, rows_of(pack, one)
    assert isinstance(spec, RegisterSpec)
    assert len(rows) >= FEWEST_ROWS
    state = checked_import(spec, rows, world)
    found = [f"{one.row} {one.column} {one.value}: {one.reason}" for one in intake.findings(state, 1, size=50).rows]
    assert found == []
    assert intake.import_state(state).status is ImportStatus.READY, intake.import_state(state)
    intake.request_apply(actor=SYSTEM, import_id=state, now=world.cast.now)
    work.run_pending()
    assert Entry.objects.filter(register__key=spec.key, removed_at__isnull=True).count() == len(rows)
    register = access_register(actor=SYSTEM, key=spec.key, now=world.cast.now)
    out = list(entries_stream(register, EntryQuery()))
    assert len(out) == len(rows)
    told = {key for row in out for key, value in row.data.items() if value is not None}
    assert {column for row in rows for column, value in row.items() if value} - {"org", "state"} <= told
    assert lines_of(register_workbook(spec, out)) == len(rows)
    for indicator in indicators_over(f"register:{spec.key}"):
        figure = indicator_value(indicator, path=world.cast.orgs["province"].path, today=TODAY)
        is_of_all = not indicator.where and not indicator.among and {indicator.field, indicator.base} - {""} <= told
        assert figure.value is not None or not is_of_all, indicator.key


@pytest.mark.parametrize(("pack", "one"), REGISTERS, ids=names(REGISTERS))
def test_a_broken_row_is_refused_and_its_field_named(pack: ReadPack, one: ReadDefinition, world: World) -> None:
    spec = one.spec
    assert isinstance(spec, RegisterSpec)
    # Each of another org: rows of one org whose identity cannot be read whole may look the same.
    rows = [{**row, "org": str(number)} for number, row in enumerate(rows_of(pack, one)[: MOST + 1])]
    faults = broken_rows(spec, rows)
    sent = [fault.row for fault in faults]
    titles = {column.key: column.title for column in file_columns(spec)}
    wanted = {(number, titles[fault.field.key]): fault.way for number, fault in enumerate(faults, start=2)}
    if spec.identity:
        sent += [rows[-1], rows[-1]]
        wanted[len(sent) + 1, str(next(field.title for field in spec.fields if field.key in spec.identity))] = "duplicate"
    state = checked_import(spec, sent, world)
    assert intake.import_state(state).status is ImportStatus.REJECTED
    told = {(finding.row, finding.column) for finding in intake.findings(state, 1, size=100).rows if finding.is_error}
    missed = {place: way for place, way in wanted.items() if place not in told}
    assert faults
    assert missed == {}


@pytest.mark.parametrize(("pack", "one"), COLLECTIONS, ids=names(COLLECTIONS))
def test_a_collection_is_issued_to_every_org_it_is_for(pack: ReadPack, one: ReadDefinition, world: World) -> None:
    spec, province = one.spec, world.cast.orgs["province"]
    assert isinstance(spec, CollectionSpec)
    for kind in spec.to:
        world.org(kind, 0)
    issue_sample(
        actor=world.cast.actor("province_officer"), collection=one.key, org_id=province.id, answered=0, now=world.cast.now
    )
    issued = Collection.objects.get(definition__key=one.key)
    assert issued.state == CollectionState.OPEN
    asked = set(issued.targets.values_list("org_id", flat=True))
    assert asked == set(directory.org_ids_within(province.path, types=spec.to)) != set()
    assert set(issued.targets.values_list("state", flat=True)) == {TargetState.MISSING}


@pytest.mark.parametrize(("pack", "one"), FLOWS, ids=names(FLOWS))
def test_every_outcome_of_every_stage_leads_to_an_end(
    pack: ReadPack, one: ReadDefinition, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What an app does at an end is for its own tests: it would look for what of its own the case is about.
    monkeypatch.setattr(end, "function_named", lambda name: partial(called, name))
    flow, form, valid = parts_of(one)
    wanted = [(stage.key, outcome.key) for stage in flow.stages for outcome in stage.outcomes]
    missed = []
    for goal in wanted:
        for variant in range(VARIANTS):
            if any(arrives(flow, form, data, goal, world, variant) for data in valid):
                break
        else:
            missed.append(goal)
    assert missed == [], "no sample comes by these outcomes"


@pytest.mark.parametrize(("pack", "one"), FLOWS, ids=names(FLOWS))
def test_a_case_is_urged_returned_and_withdrawn(pack: ReadPack, one: ReadDefinition, world: World) -> None:
    flow, form, valid = parts_of(one)
    actor, _org = filer_of(flow, world)
    with transaction.atomic():
        case = submitted(flow, form, valid[0], world)
        urge_case(actor=SYSTEM, case_id=case.pk, now=world.cast.now)
        items = WorkItem.objects.filter(case=case, state=WorkState.OPEN.value)
        assert [item.urges for item in items] == [1] * len(items) != []
        stage = flow.stage(case.stage)
        assert stage is not None
        if Move.RETURN in stage.may:
            return_case(actor=SYSTEM, work_id=items[0].pk, to="filer", reason="请补充", now=world.cast.now)
            assert Case.objects.get(pk=case.pk).state == CaseState.RETURNED
        elif Move.WITHDRAW not in stage.may:
            return
        withdraw_case(actor=actor, case_id=case.pk, reason="不办了", now=world.cast.now)
        assert Case.objects.get(pk=case.pk).state == CaseState.WITHDRAWN
        assert not WorkItem.objects.filter(case=case, state=WorkState.OPEN.value).exists()


@pytest.mark.parametrize(("pack", "one"), INDICATORS, ids=names(INDICATORS))
def test_an_indicator_counts_nothing_where_nothing_is(pack: ReadPack, one: ReadDefinition, world: World) -> None:
    Entry.objects.all().delete()
    found = indicator_value(one.spec, path=world.cast.orgs["province"].path, today=TODAY)
    assert found.value in (0, None)


def parts_of(one: ReadDefinition) -> tuple[FlowSpec, FormSpec, list[dict[str, Any]]]:
    """The flow as it is in force, its form, and valid samples of that."""
    flow = read_version(Definition.objects.get(kind="flow", key=one.key).current_id or 0)
    pack, form = next((pack, form) for pack, form in FORMS if form.key == flow.form)
    return flow, form.spec, samples_of(pack, form)["valid"]


def called(name: str, **_given: Any) -> None:
    assert is_registered(name)


def arrives(flow: FlowSpec, form: FormSpec, data: dict[str, Any], goal: tuple[str, str], world: World, variant: int) -> bool:
    with transaction.atomic():
        found = walk(submitted(flow, form, data, world), flow, goal, world, variant=variant)
        transaction.set_rollback(True)
    return found


def checked_import(spec: RegisterSpec, rows: list[dict[str, str]], world: World) -> int:
    """The rows sent in as a file to an empty register, and looked through."""
    Entry.objects.filter(register__key=spec.key).delete()
    state = intake.start_import(
        actor=SYSTEM,
        kind="register",
        file_name=f"{spec.key}.csv",
        content=io.BytesIO(as_file(spec, rows, world).encode()),
        options={"register": spec.key},
        now=world.cast.now,
    )
    work.run_pending()
    return state


def lines_of(workbook: IO[bytes]) -> int:
    """How many rows the first sheet of a file holds below its heading."""
    with workbook:
        book = load_workbook(workbook, read_only=True)
        return sum(any(row) for row in book.worksheets[0].iter_rows(min_row=2, values_only=True))


def indicators_over(over: str) -> list[IndicatorSpec]:
    return [one.spec for _pack, one in INDICATORS if isinstance(one.spec, IndicatorSpec) and one.spec.over == over]


def as_file(spec: RegisterSpec, rows: list[dict[str, str]], world: World) -> str:
    """The sample rows as the file that somebody would send: titles for keys, codes for orgs."""
    titles = {column.key: column.title for column in file_columns(spec) if column.key}
    kind = OrgType.SCHOOL if OrgType.SCHOOL in spec.at else next((kind for kind in spec.at if kind != OrgType.PROVINCE), None)
    text = io.StringIO()
    writer = csv.DictWriter(text, [org_title(), *([state_title()] if spec.states else []), *titles.values()])
    writer.writeheader()
    for number, row in enumerate(rows):
        told = {titles[key]: value for key, value in row.items() if key in titles}
        assert kind is not None, "a register of the province alone names no org"
        told[org_title()] = world.org(kind, int(row.get("org") or number)).code
        if spec.states:
            told[state_title()] = row.get("state", "")
        writer.writerow(told)
    forget_news()  # of the orgs that were made for the rows
    return text.getvalue()
