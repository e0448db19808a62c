"""A roster that writes beside the one source of an element is refused by row and column, and counted."""

from pathlib import Path

import pytest

from shuren.directory import api
from shuren.directory.models import Person
from shuren.directory.tests.roster.conftest import NOW, Roster, check, found, take_in
from shuren.kernel.data import SYSTEM, Actor
from shuren.standards import api as standards
from shuren.standards.data import Door


@pytest.fixture
def officer(db: None, roster: Roster, tmp_path: Path) -> Actor:
    standards.load_registry()
    roster.rows["users"].append(
        {"sourcedId": "O1", "enabledUser": "true", "username": "O1", "familyName": "高", "givenName": "一"}
    )
    row = {"sourcedId": "RO1", "userSourcedId": "O1", "roleType": "primary", "role": "districtAdministrator"}
    roster.rows["roles"].append(row | {"orgSourcedId": "C", "metadata.role": "city_officer"})
    take_in(roster.write(tmp_path / "r.zip"))
    return Actor(person_id=api.person_ids_by_sourced(["O1"])["O1"], account_id=1, name="高一")


def produce(element: str, sid: str, *doors: Door) -> None:
    org_id = api.org_ids_by_sourced([sid])[sid]
    standards.set_owner(actor=SYSTEM, element_code=element, org_id=org_id, now=NOW)
    standards.set_producer(actor=SYSTEM, element_code=element, doors=doors, org_ids=[], now=NOW)


def test_a_changed_cell_names_the_owner_and_where_to_object(officer: Actor, roster: Roster, tmp_path: Path) -> None:
    produce("person.phone", "D", Door.SCIM)
    pupil = roster.rows["users"][-2]["sourcedId"]
    roster.row("users", pupil)["phone"] = "13800000000"
    state = check(roster.write(tmp_path / "again.zip"), actor=officer)
    (fault,) = [one for one in found(state) if one.is_error]
    assert (fault.file, fault.row, fault.column) == ("users.csv", roster.line_of("users", pupil), "phone")
    assert "云洲县" in fault.reason
    assert "/elements/person.phone/object/" in fault.remedy
    (row,), _total = standards.refusals_of()
    assert (row.element, row.door, row.count) == ("person.phone", "roster", 1)


def test_what_the_source_holds_may_be_listed(officer: Actor, roster: Roster, tmp_path: Path) -> None:
    pupil = roster.rows["users"][-2]["sourcedId"]
    Person.objects.filter(sourced_id=pupil).update(phone="13800000000")
    roster.row("users", pupil)["phone"] = "13800000000"
    produce("person.phone", "D", Door.SCIM)
    state = check(roster.write(tmp_path / "again.zip"), actor=officer)
    assert not [one for one in found(state) if one.is_error]
    assert standards.refusals_of() == ([], 0)


def test_codes_of_orgs_and_the_door_that_is_the_source(officer: Actor, roster: Roster, tmp_path: Path) -> None:
    produce("org.code", "D", Door.DIRECTORY)
    roster.row("orgs", "S1")["identifier"] = "2199000009"
    state = check(roster.write(tmp_path / "again.zip"), actor=officer)
    (fault,) = [one for one in found(state) if one.is_error]
    assert (fault.file, fault.column) == ("orgs.csv", "identifier")
    produce("org.code", "D", Door.ROSTER)
    state = check(roster.write(tmp_path / "third.zip"), actor=officer)
    assert not [one for one in found(state) if one.is_error]
