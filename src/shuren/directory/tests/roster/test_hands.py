"""What a roster may hand out: nothing that excludes another role, nothing to who brings it, strong roles by four eyes."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from shuren.directory import api
from shuren.directory.data import Permission, Role, RosterForm
from shuren.directory.models import Affiliation, Grant, Person
from shuren.directory.services.apply_roster.service import apply_roster
from shuren.directory.tests.roster.conftest import NOW, Roster, changes, check, found, quiet, take_in
from shuren.intake import api as intake
from shuren.intake.data import ImportState
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict

OFFICER = {"sourcedId": "RO", "userSourcedId": "T2", "roleType": "secondary", "role": "districtAdministrator"}
OFFICER |= {"orgSourcedId": "D", "metadata.role": "county_officer"}


@dataclass
class House:
    """The small roster applied, and two officers of the city."""

    roster: Roster
    path: Path
    first: Actor
    second: Actor

    def check(self, *, actor: Actor | None = None) -> ImportState:
        return check(self.roster.write(self.path / "again.zip"), actor=actor or self.first)

    def apply(self, state: ImportState) -> None:
        intake.request_apply(actor=self.first, import_id=state.id, now=NOW)
        apply_roster(import_id=state.id, now=NOW, on_progress=quiet)


@pytest.fixture
def house(db: None, roster: Roster, tmp_path: Path) -> House:
    for sid, given in (("O1", "一"), ("O2", "二")):
        roster.rows["users"].append(
            {"sourcedId": sid, "enabledUser": "true", "username": sid, "familyName": "高", "givenName": given}
        )
        row = {"sourcedId": f"R{sid}", "userSourcedId": sid, "roleType": "primary", "role": "districtAdministrator"}
        roster.rows["roles"].append(row | {"orgSourcedId": "C", "metadata.role": "city_officer"})
    take_in(roster.write(tmp_path / "r.zip"))
    people = api.person_ids_by_sourced(["O1", "O2"])
    first, second = (Actor(person_id=people[sid], account_id=place, name=sid) for place, sid in enumerate(("O1", "O2"), 1))
    return House(roster, tmp_path, first, second)


def manages(sid: str) -> bool:
    actor = Actor(person_id=Person.objects.get(sourced_id=sid).pk, account_id=None, name="")
    return not api.scope_of(actor=actor, permission=Permission.MANAGE_PEOPLE, now=NOW).is_empty


def rules(state: ImportState) -> list[tuple[str, int, bool]]:
    return [(finding.file, finding.row, finding.is_error) for finding in found(state)]


def test_an_officer_in_a_file_waits_for_a_second_pair_of_eyes(house: House) -> None:
    house.roster.rows["roles"].append(OFFICER)
    state = house.check()
    assert state.status == "ready", found(state)
    assert (("roles.csv", house.roster.line_of("roles", "RO"), False)) in rules(state)
    assert changes(state) == {"affiliation": (1, 0, 0)}, "the preview counts what will wait"
    house.apply(state)
    assert intake.import_state(state.id).counts["written"]["affiliation"]["added"] == 0
    assert not manages("T2")
    waiting = Grant.objects.get(office__isnull=False)
    assert (waiting.role, waiting.granted_by_id, waiting.confirmed_at) == ("county_officer", house.first.person_id, None)
    house.apply(house.check())
    assert Grant.objects.filter(office__isnull=False).count() == 1, "asked for once"
    api.confirm_grant(actor=house.second, grant_id=waiting.pk, now=NOW)
    assert manages("T2")
    again = house.check()
    assert [finding.is_error for finding in found(again)] == []
    assert changes(again) == {}, "the file says what stands"


def test_what_lapsed_is_asked_for_again_by_the_next_file(house: House) -> None:
    house.roster.rows["roles"].append(OFFICER)
    house.apply(house.check())
    api.tend_grants(now=NOW + timedelta(days=7))
    house.apply(house.check())
    assert Grant.objects.filter(office__isnull=False, revoked_at__isnull=True).count() == 1


def test_undoing_takes_the_waiting_role_back(house: House) -> None:
    house.roster.rows["roles"].append(OFFICER)
    state = house.check()
    house.apply(state)
    api.undo_roster(actor=house.first, import_id=state.id, now=NOW)
    assert not Grant.objects.filter(office__isnull=False).exists()


def test_the_installation_writes_officers_at_once(house: House) -> None:
    house.roster.rows["roles"].append(OFFICER)
    take_in(house.roster.write(house.path / "system.zip"))
    assert manages("T2")


def test_a_held_role_is_not_turned_into_a_strong_one(house: House) -> None:
    row = house.roster.row("roles", "RT2")
    row |= {"role": "districtAdministrator", "metadata.role": "county_officer", "orgSourcedId": "D"}
    state = house.check()
    assert state.status == "rejected"
    assert ("roles.csv", house.roster.line_of("roles", "RT2"), True) in rules(state)


def test_nobody_brings_a_role_for_themself(house: House) -> None:
    own = Person.objects.get(pk=house.first.person_id).sourced_id
    head = {"sourcedId": "RX", "userSourcedId": own, "roleType": "secondary", "role": "principal", "orgSourcedId": "S1"}
    house.roster.rows["roles"].append(head)
    state = house.check()
    assert ("roles.csv", house.roster.line_of("roles", "RX"), True) in rules(state)
    assert state.status == "rejected"


@pytest.mark.parametrize("is_system", [True, False])
def test_an_administrator_becomes_no_head_no_officer_and_no_class_teacher(house: House, is_system: bool) -> None:
    root = api.root_org()
    assert root is not None
    admin = Person.objects.get(sourced_id="T2")
    house.roster.row("enrollments", "E3")["primary"] = "false"
    take_in(house.roster.write(house.path / "plain.zip"))
    api.grant_role(actor=SYSTEM, person_id=admin.pk, role=Role.AUDIT_ADMIN, org_id=root.id, now=NOW)
    actor = SYSTEM if is_system else house.first
    assert house.check(actor=actor).status == "ready", "a teacher may administer"
    house.roster.rows["roles"].append(OFFICER)
    house.roster.rows["roles"].append(
        OFFICER | {"sourcedId": "RH2", "role": "principal", "metadata.role": "", "orgSourcedId": "S2"}
    )
    house.roster.row("enrollments", "E3")["primary"] = "true"
    state = house.check(actor=actor)
    told = {(file, row) for file, row, is_error in rules(state) if is_error}
    lines = [("roles", "RO"), ("roles", "RH2"), ("enrollments", "E3")]
    assert told == {(f"{name}.csv", house.roster.line_of(name, sid)) for name, sid in lines}
    assert all(finding.reason and finding.remedy and finding.column == "role" for finding in found(state) if finding.is_error)


def test_who_becomes_an_administrator_after_the_check_stops_the_applying(house: House) -> None:
    root = api.root_org()
    assert root is not None
    house.roster.rows["roles"].append(OFFICER | {"role": "principal", "metadata.role": "", "orgSourcedId": "S1"})
    house.roster.row("enrollments", "E3")["primary"] = "false"
    state = house.check(actor=SYSTEM)
    assert state.status == "ready", found(state)
    Affiliation.objects.filter(role=Role.HEAD).update(end_date=NOW.date() - timedelta(days=1))
    admin = Person.objects.get(sourced_id="T2")
    Grant.objects.create(person=admin, role=Role.AUDIT_ADMIN, org_id=root.id, org_path=root.path, begin_at=NOW)
    with pytest.raises(Conflict):
        house.apply(state)


def test_an_export_with_officers_comes_back_unchanged(house: House, tmp_path: Path) -> None:
    house.roster.rows["roles"].append(OFFICER)
    take_in(house.roster.write(house.path / "system.zip"))
    root = api.root_org()
    assert root is not None
    for form in RosterForm:
        path = tmp_path / f"out.{'zip' if form is RosterForm.ONEROSTER else 'xlsx'}"
        api.export_roster(actor=SYSTEM, org_id=root.id, form=form, path=path, now=NOW)
        state = check(path, actor=house.first)
        assert [finding for finding in found(state) if finding.is_error] == []
        assert changes(state) == {}
