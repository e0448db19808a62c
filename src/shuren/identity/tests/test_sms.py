"""Coming in by a code on the own phone."""

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.test import Client

from shuren.directory.data import Role
from shuren.identity.data import SignInMethod, Visit
from shuren.identity.models import OneTimeCode, SignIn
from shuren.identity.rules import locks
from shuren.identity.services import sms_door
from shuren.identity.services.second_factors import TooManyTries
from shuren.identity.tests.conftest import NOW, School
from shuren.identity.tests.test_second_factors import with_app
from shuren.messaging.api import letter_in
from shuren.messaging.data import Channel

OutboxMessage = apps.get_model("messaging.OutboxMessage")
PHONE = "13000000001"
VISIT = Visit("10.0.0.1")


@pytest.fixture
def school(school: School) -> School:
    """A teacher with a phone of her own; the administrator's is in the cast."""
    school.employ("teacher", "何晴", Role.TEACHER, "school", phone="13000000002")
    return school


def sent_code() -> str:
    sealed = OutboxMessage.objects.order_by("-pk")[0].body_sealed
    assert sealed is not None
    found = re.search(r"\d{6}", letter_in(bytes(sealed)).text)
    assert found
    return found[0]


def test_a_code_opens_the_door_once(school: School, client: Client) -> None:
    assert client.post("/sign-in/sms/", {"phone": PHONE, "next": "/account/"}).headers["Location"] == "/sign-in/sms/code/"
    code = sent_code()
    assert client.post("/sign-in/sms/code/", {"code": "000000" if code != "000000" else "111111"}).status_code == 401
    answer = client.post("/sign-in/sms/code/", {"code": code})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account/")
    assert SignIn.objects.get().methods == SignInMethod.SMS_CODE
    other = Client()
    other.post("/sign-in/sms/", {"phone": PHONE})
    assert other.post("/sign-in/sms/code/", {"code": code}).status_code == 401


def test_without_a_gateway_the_code_is_recorded_and_the_page_says_so(school: School, client: Client) -> None:
    assert "还没有接通短信" in client.get("/sign-in/sms/").content.decode()
    client.post("/sign-in/sms/", {"phone": PHONE})
    assert (OutboxMessage.objects.get().channel, OutboxMessage.objects.get().state) == (Channel.SMS, "recorded")
    assert "/sign-in/sms/" not in client.get("/sign-in/").content.decode()


@pytest.mark.parametrize("phone", ["13999999999", "13000000003"])
def test_unknown_and_shared_numbers_are_answered_alike_and_get_nothing(school: School, client: Client, phone: str) -> None:
    for key in ("one", "two"):
        school.employ(key, key, Role.TEACHER, "school", phone="13000000003")
    answer = client.post("/sign-in/sms/", {"phone": phone})
    assert answer.headers["Location"] == "/sign-in/sms/code/"
    assert client.get("/sign-in/sms/code/").status_code == 200
    assert client.post("/sign-in/sms/code/", {"code": "123456"}).status_code == 401
    assert not OutboxMessage.objects.exists()


def test_who_must_show_more_or_holds_more_gets_no_code(school: School) -> None:
    school.employ("inspector", "王督学", Role.COUNTY_OFFICER, "county", phone="13000000004")
    with_app(school, "admin")
    for phone in ("13000000004", PHONE):
        assert sms_door.ask_code(phone=phone, visit=VISIT, now=NOW) is None
    assert not OneTimeCode.objects.exists()


def test_guesses_close_the_door_and_walking_through_numbers_too(school: School) -> None:
    account_id = sms_door.ask_code(phone=PHONE, visit=VISIT, now=NOW)
    code = sent_code()
    wrong = "000000" if code != "000000" else "111111"
    for _turn in range(locks.MAX_FAILURES - 1):
        assert not sms_door.check_code(account_id=account_id, code=wrong, visit=VISIT, now=NOW)
    for typed in (wrong, code):
        with pytest.raises(TooManyTries):
            sms_door.check_code(account_id=account_id, code=typed, visit=VISIT, now=NOW)
    for turn in range(sms_door.MAX_ASKED - 1):
        sms_door.ask_code(phone=f"1390000{turn:04d}", visit=VISIT, now=NOW)
    with pytest.raises(TooManyTries):
        sms_door.ask_code(phone="13900000099", visit=VISIT, now=NOW)
    assert sms_door.ask_code(phone="13900000099", visit=VISIT, now=NOW + timedelta(minutes=16)) is None


@pytest.mark.parametrize("phone", ["", "abc", "1' OR 1=1", "１３０００００００１", "130"])
def test_what_is_no_number_is_said(client: Client, db: None, phone: str) -> None:
    assert client.post("/sign-in/sms/", {"phone": phone}).status_code == 400


def test_the_second_page_alone_leads_back(client: Client, db: None) -> None:
    assert client.get("/sign-in/sms/code/").headers["Location"] == "/sign-in/sms/"
