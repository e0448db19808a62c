import pytest

from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.identity import api
from shuren.identity.data import Visit
from shuren.identity.models import Account, SignIn
from shuren.identity.rules.passwords import MAX_SLIPS
from shuren.identity.services.sign_in import record_sign_in
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, NotFound, Refused


def test_accounts_are_made_unusable_and_only_once(school: School) -> None:
    person_id = school.add_person("new", "新来")
    assert api.create_accounts(actor=SYSTEM, person_ids=[person_id, person_id], now=NOW) == 1
    assert api.create_accounts(actor=SYSTEM, person_ids=[person_id], now=NOW) == 0
    account = school.account("new")
    assert account.username == account.person.number
    assert not account.has_usable_password()
    assert not api.accounts_of_people([person_id])[person_id].is_usable


def test_making_many_accounts_hashes_nothing(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.contrib.auth.hashers.BasePasswordHasher.encode", None, raising=False)
    people = [school.add_person(f"p{at}", f"学生{at}") for at in range(5)]
    assert api.create_accounts(actor=SYSTEM, person_ids=people, now=NOW) == 5


def test_slips_open_the_door_once_changed(school: School) -> None:
    record_sign_in(actor=school.actor("pupil"), session_key="old", visit=Visit("", ""), now=NOW)
    Account.objects.filter(person_id=school.people["pupil"]).update(failed_count=5, locked_until=NOW)
    slips = api.issue_credentials(
        actor=school.actor("admin"), person_ids=[school.people["pupil"], school.people["classmate"]], now=NOW
    )
    assert [slip.name for slip in slips] == ["张三", "张小雨"]
    account = school.account("pupil")
    assert account.check_password(slips[0].password)
    assert (account.must_change_password, account.failed_count, account.locked_until) == (True, 0, None)
    assert not SignIn.objects.filter(session_key="old").exists()
    entries = audit.entries(action="identity.credentials_issued")
    assert {entry.target for entry in entries} == {f"person:{slip.person_id}" for slip in slips}
    assert not any(slip.password in str(entry.details) for slip in slips for entry in entries)


def test_parents_get_theirs_from_the_school_of_the_child(school: School) -> None:
    assert directory.people_within(actor=SYSTEM, person_ids=[school.people["parent"]])
    slips = api.issue_credentials(actor=school.actor("officer"), person_ids=[school.people["classmate"]], now=NOW)
    assert slips[0].username == "classmate"


@pytest.mark.parametrize("key", ["far_teacher", "officer"])
def test_people_outside_the_branch_do_not_exist(school: School, key: str) -> None:
    with pytest.raises(NotFound):
        api.issue_credentials(actor=school.actor("admin"), person_ids=[school.people["pupil"], school.people[key]], now=NOW)
    assert school.account("pupil").check_password(PASSWORD)


@pytest.mark.parametrize("key", ["head", "pupil", "parent", "far_teacher"])
def test_without_the_right_nobody_is_reached(school: School, key: str) -> None:
    with pytest.raises(NotFound):
        api.issue_credentials(actor=school.actor(key), person_ids=[school.people["classmate"]], now=NOW)


def test_a_school_does_not_take_over_somebody_with_wider_duties(school: School) -> None:
    school.employ("officer", "周志强", Role.STAFF, "school")
    with pytest.raises(Refused):
        api.issue_credentials(actor=school.actor("admin"), person_ids=[school.people["officer"]], now=NOW)
    school.employ("head", "陈立新", Role.TEACHER, "other")
    with pytest.raises(Refused):
        api.issue_credentials(actor=school.actor("admin"), person_ids=[school.people["head"]], now=NOW)
    assert api.issue_credentials(actor=school.actor("officer"), person_ids=[school.people["head"]], now=NOW)


def test_nobody_hands_a_password_to_themself(school: School) -> None:
    with pytest.raises(Refused):
        api.issue_credentials(actor=school.actor("admin"), person_ids=[school.people["admin"]], now=NOW)


def test_how_many_at_a_time(school: School) -> None:
    with pytest.raises(Invalid):
        api.issue_credentials(actor=school.actor("admin"), person_ids=[], now=NOW)
    with pytest.raises(Invalid):
        api.issue_credentials(actor=school.actor("admin"), person_ids=range(1, MAX_SLIPS + 2), now=NOW)
