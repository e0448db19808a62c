from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, Role
from shuren.identity.data import Visit
from shuren.identity.models import Account, BindingCode
from shuren.identity.rules.binding import (
    CODES_PER_WARD,
    FAILURE_WINDOW,
    MAX_FAILURES,
    VALID_FOR,
    bare_code,
    binding_code,
    is_same_name,
    short_name,
)
from shuren.identity.services.binding import (
    TooManyTries,
    find_binding,
    make_binding_codes,
    register_guardian,
    revoke_binding_codes,
)
from shuren.identity.services.credentials import create_accounts
from shuren.identity.tests.conftest import BEGUN, NOW, PASSWORD, School
from shuren.kernel import audit, clock, ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.messaging import api as messaging

VISIT = Visit("10.0.0.9", "")


@pytest.fixture
def taught(school: School) -> School:
    """The class has its class teacher."""
    school.add_person("class_teacher", "王建国")
    directory.enrol(
        actor=SYSTEM,
        person_id=school.people["class_teacher"],
        class_id=school.orgs["class"],
        role=EnrollmentRole.TEACHER,
        is_primary=True,
        begin_date=BEGUN,
        now=NOW,
    )
    return school


def make(school: School, key: str = "pupil", by: str = "class_teacher") -> tuple[str, ...]:
    return make_binding_codes(actor=school.actor(by), person_ids=[school.people[key]], now=clock.now())[0].codes


@given(st.builds(binding_code))
def test_a_code_reads_the_same_however_it_is_typed(code: str) -> None:
    assert len(code) == 11
    assert bare_code(code) == bare_code(f"  {code.lower().replace('-', ' ')} ") == code.replace("-", "")
    assert bare_code(code.replace("0", "o").replace("1", "l")) == code.replace("-", "")
    assert bare_code(code[:-1]) == bare_code(code + "0") == bare_code("!" + code[1:]) == ""


def test_names_are_compared_without_blanks_and_dots() -> None:
    assert is_same_name(" 张 三", "张三")
    assert is_same_name("阿依古丽买买提", "阿依古丽·买买提")
    assert not is_same_name("", "")
    assert not is_same_name("张三丰", "张三")
    assert short_name("张小雨") == "张**"


def test_a_class_teacher_makes_codes_for_the_own_class_only(taught: School) -> None:
    codes = make(taught)
    assert len(set(codes)) == CODES_PER_WARD
    assert not any(bare_code(code) in str(row.__dict__) for code in codes for row in BindingCode.objects.all())
    for key in ("far_teacher", "parent", "pupil"):
        with pytest.raises(NotFound):
            make(taught, by=key)
    with pytest.raises(NotFound):
        make(taught, key="head")


def test_new_codes_take_the_place_of_unused_ones(taught: School) -> None:
    first, second = make(taught), make(taught)
    for code in first:
        with pytest.raises(Invalid):
            find_binding(code=code, ward_name="张三", visit=VISIT, now=clock.now())
    assert find_binding(code=second[0], ward_name="张三", visit=VISIT, now=clock.now()).ward_id == taught.people["pupil"]
    assert revoke_binding_codes(actor=taught.actor("class_teacher"), person_ids=[taught.people["pupil"]], now=clock.now()) == 2
    with pytest.raises(Invalid):
        find_binding(code=second[0], ward_name="张三", visit=VISIT, now=clock.now())


def test_a_code_without_the_name_and_after_its_time_opens_nothing(taught: School) -> None:
    code = make(taught)[0]
    for name in ("", "张小雨", "李四"):
        with pytest.raises(Invalid):
            find_binding(code=code, ward_name=name, visit=VISIT, now=clock.now())
    with pytest.raises(Invalid):
        find_binding(code=code, ward_name="张三", visit=VISIT, now=clock.now() + VALID_FOR + timedelta(seconds=1))


def test_guessing_is_slowed_for_the_network_that_guesses(taught: School) -> None:
    code, now = make(taught)[0], clock.now()
    for _turn in range(MAX_FAILURES):
        with pytest.raises(Invalid):
            find_binding(code=binding_code(), ward_name="张三", visit=VISIT, now=now)
    with pytest.raises(TooManyTries):
        find_binding(code=code, ward_name="张三", visit=VISIT, now=now)
    assert find_binding(code=code, ward_name="张三", visit=Visit("10.0.0.10", ""), now=now)
    assert find_binding(code=code, ward_name="张三", visit=VISIT, now=now + FAILURE_WINDOW + timedelta(seconds=1))


def test_a_new_parent_gets_an_account_and_the_child(taught: School, client: Client) -> None:
    code = make(taught)[0]
    assert client.get(f"/bind/?code={code}").status_code == 200
    answer = client.post("/bind/", {"code": code.lower(), "ward_name": "张三"})
    assert answer.headers["Location"] == "/bind/to/"
    facts = {"name": "张母", "relation": "母亲", "phone": "130 0000 0099", "password": "kavu-mite-tane-4827"}
    assert client.post("/bind/to/", {**facts, "password": "12345678"}).status_code == 400
    assert client.post("/bind/to/", facts).status_code == 302
    account = Account.objects.get(person__name="张母")
    assert (account.person.phone, account.must_change_password) == ("13000000099", False)
    wards = directory.wards_of([account.person_id], day=clock.day_of(clock.now()))
    assert [(ward.ward_id, ward.relation) for ward in wards] == [(taught.people["pupil"], "母亲")]
    assert client.get(f"/people/{ids.encode('person', taught.people['pupil'])}/").status_code == 200
    assert client.get(f"/people/{ids.encode('person', taught.people['classmate'])}/").status_code == 404
    for key in ("class_teacher", "parent"):
        assert "绑定了张三" in messaging.notices_of(taught.people[key]).rows[0].title
    assert audit.entries(action="identity.guardian_bound").count() == 1
    again = Client().post("/bind/", {"code": code, "ward_name": "张三"})
    assert again.status_code == 400


def test_a_known_parent_binds_a_second_child_to_the_same_account(taught: School, sign_in: Callable[..., Client]) -> None:
    code = make(taught, "classmate")[0]
    browser = sign_in("parent")
    browser.post("/bind/", {"code": code, "ward_name": "张小雨"})
    assert browser.post("/bind/to/", {"relation": "父亲"}).status_code == 302
    wards = directory.wards_of([taught.people["parent"]], day=clock.day_of(clock.now()))
    assert {ward.ward_id for ward in wards} == {taught.people["pupil"], taught.people["classmate"]}


def test_somebody_known_signs_in_instead_of_registering_again(taught: School, client: Client) -> None:
    first, second = make(taught)
    facts = {"name": "张母", "relation": "母亲", "phone": "13000000099", "password": PASSWORD}
    client.post("/bind/", {"code": first, "ward_name": "张三"})
    client.post("/bind/to/", facts)
    other = Client()
    other.post("/bind/", {"code": second, "ward_name": "张三"})
    answer = other.post("/bind/to/", facts)
    assert answer.status_code == 400
    assert "先登录" in answer.content.decode()
    assert Account.objects.filter(person__name="张母").count() == 1


def test_without_a_code_there_is_nothing_to_bind(school: School, client: Client, sign_in: Callable[..., Client]) -> None:
    for browser in (client, sign_in("parent")):
        assert browser.get("/bind/to/").headers["Location"] == "/bind/"
        assert browser.post("/bind/to/", {"relation": "父亲"}).headers["Location"] == "/bind/"
    assert not BindingCode.objects.exists()


def test_a_code_is_used_once_even_by_two_at_a_time(taught: School) -> None:
    code = make(taught)[0]
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.post("/bind/", {"code": code, "ward_name": "张三"})
    facts = {"relation": "母亲", "password": PASSWORD}
    answers = [
        browser.post("/bind/to/", {**facts, "name": f"家长{at}", "phone": f"1300000010{at}"})
        for at, browser in enumerate(browsers)
    ]
    assert [answer.headers.get("Location") for answer in answers] == ["/", "/bind/"]
    assert Account.objects.filter(person__name__startswith="家长").count() == 1


def test_slips_tell_no_names_and_are_not_kept(taught: School) -> None:
    browser = Client()
    assert browser.post("/sign-in/", {"username": "admin", "password": PASSWORD}).status_code == 302
    class_id = ids.encode("org", taught.orgs["class"])
    assert browser.get("/binding/").status_code == 302
    assert "张小雨" in browser.get(f"/binding/{class_id}/").content.decode()
    page = browser.post(f"/binding/{class_id}/make/", {"ids": [ids.encode("person", taught.people["classmate"])]})
    text = page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    assert "张**" in text
    assert "张小雨" not in text
    assert text.count("data:image/svg") == CODES_PER_WARD


def listed_parent(school: School) -> int:
    """A mother as a roster lists her: with her phone, and an account nobody ever got a password for."""
    person_id = school.add_person("mother", "李梅", phone="13000000077")
    directory.link_guardian(
        actor=SYSTEM, guardian_id=person_id, ward_id=school.people["pupil"], relation="母亲", begin_date=BEGUN, now=NOW
    )
    create_accounts(actor=SYSTEM, person_ids=[person_id], now=NOW)
    return person_id


def register(school: School, code: str) -> int:
    binding = find_binding(code=code, ward_name="张三", visit=VISIT, now=clock.now())
    return register_guardian(
        binding=binding, name="李梅", phone="13000000077", relation="母亲", password="tiankong-Blau7", now=clock.now()
    )


def test_a_parent_of_the_roster_chooses_the_first_password_by_the_code(taught: School) -> None:
    person_id = listed_parent(taught)
    first, second = make(taught)
    account_id = register(taught, first)
    account = Account.objects.get(pk=account_id)
    assert (account.person_id, account.check_password("tiankong-Blau7")) == (person_id, True)
    assert len([link for link in directory.guardians_of([taught.people["pupil"]]) if link.guardian_id == person_id]) == 1
    with pytest.raises(Conflict):  # the other code does not take the account over
        register(taught, second)


def test_a_code_opens_no_account_of_somebody_with_duties(taught: School) -> None:
    listed_parent(taught)
    taught.employ("mother", "李梅", Role.TEACHER, "school")
    with pytest.raises(Conflict):
        register(taught, make(taught)[0])


def test_a_code_for_one_child_opens_no_account_of_another_ones_parent(taught: School) -> None:
    listed_parent(taught)
    binding = find_binding(code=make(taught, "classmate")[0], ward_name="张小雨", visit=VISIT, now=clock.now())
    with pytest.raises(Conflict):
        register_guardian(
            binding=binding, name="李梅", phone="13000000077", relation="母亲", password="tiankong-Blau7", now=clock.now()
        )
