"""Authenticator apps, recovery codes and codes that are sent: right once, wrong for ever, and never twice."""

import html
import json
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from django.apps import apps
from django.conf import LazySettings
from django.test import Client

from shuren.identity.data import SignInMethod, Visit
from shuren.identity.models import Account, OneTimeCode, RecoveryCode, SignIn, TotpSecret
from shuren.identity.rules import locks
from shuren.identity.services import codes, second_factors
from shuren.identity.services.second_factors import TooManyTries, WrongCode
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.kernel import audit, clock
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.messaging import api as messaging
from shuren.messaging.api import letter_in
from shuren.messaging.data import Channel
from shuren.trust import api as trust

OutboxMessage = apps.get_model("messaging.OutboxMessage")
Enter = Callable[[str], Client]
VISIT = Visit("10.0.0.1")


def secret_in(sealed: str) -> pyotp.TOTP:
    return pyotp.TOTP(trust.unseal(b64decode(sealed), purpose="identity.totp").decode())


def with_app(school: School, who: str, *, now: datetime = NOW) -> pyotp.TOTP:
    sealed = second_factors.new_totp_secret()
    totp = secret_in(sealed)
    second_factors.confirm_totp(actor=school.actor(who), sealed=sealed, code=totp.at(now), now=now)
    return totp


def verify(school: School, code: str, *, after: timedelta = timedelta(), visit: Visit = VISIT) -> SignInMethod:
    return second_factors.verify_code(account=school.account("officer"), code=code, visit=visit, now=NOW + after)


def test_the_app_is_kept_only_once_it_has_shown_a_right_number(school: School) -> None:
    sealed = second_factors.new_totp_secret()
    with pytest.raises(WrongCode):
        second_factors.confirm_totp(actor=school.actor("officer"), sealed=sealed, code="000000", now=NOW)
    assert not TotpSecret.objects.exists()
    totp = with_app(school, "officer")
    assert totp.secret.encode() not in bytes(TotpSecret.objects.get().secret_sealed)


def test_a_number_serves_once_and_one_step_late(school: School) -> None:
    totp = with_app(school, "officer")
    with pytest.raises(WrongCode):
        verify(school, totp.at(NOW))
    later = NOW + timedelta(seconds=30)
    assert verify(school, totp.at(later), after=timedelta(seconds=59)) is SignInMethod.TOTP
    with pytest.raises(WrongCode):
        verify(school, totp.at(later), after=timedelta(seconds=59))


@pytest.mark.parametrize("seconds", [-3600, -120, -90, 120, 300, 86_400])
def test_numbers_of_other_times_are_refused(school: School, seconds: int) -> None:
    totp = with_app(school, "officer", now=NOW - timedelta(days=2))
    with pytest.raises(WrongCode):
        verify(school, totp.at(NOW + timedelta(seconds=seconds)))


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "000000", "-12345", "12 34 5", "' OR 1=1"])
def test_what_is_no_number_of_the_app_is_refused(school: School, typed: str) -> None:
    totp = with_app(school, "officer", now=NOW - timedelta(days=2))
    assert typed != totp.at(NOW)
    with pytest.raises(WrongCode):
        verify(school, typed)


def test_five_wrong_numbers_make_this_origin_wait_and_no_other(school: School) -> None:
    totp = with_app(school, "officer", now=NOW - timedelta(days=2))
    for _turn in range(4):
        with pytest.raises(WrongCode):
            verify(school, "000000")
    with pytest.raises(TooManyTries):
        verify(school, "000000")
    with pytest.raises(TooManyTries):
        verify(school, totp.at(NOW))
    assert verify(school, totp.at(NOW), visit=Visit("192.0.2.1")) is SignInMethod.TOTP
    assert audit.entries(action="identity.second_factor_refused").count() == 5


def test_whoever_changes_their_address_does_not_guess_for_ever_and_the_owner_is_told(school: School) -> None:
    totp = with_app(school, "officer", now=NOW - timedelta(days=2))
    for turn in range(locks.MAX_FACTOR_FAILURES):
        with pytest.raises(WrongCode):
            verify(school, "000000", visit=Visit(f"198.51.100.{turn}"))
    with pytest.raises(TooManyTries):
        verify(school, totp.at(NOW), visit=Visit("192.0.2.1"))
    assert verify(school, totp.at(NOW + timedelta(hours=1)), visit=Visit("192.0.2.1"), after=timedelta(hours=1))
    told = messaging.notices_of(school.people["officer"]).rows
    assert [notice.title for notice in told] == ["有人用您的密码登录，第二步输错了多次"]


def test_a_recovery_code_serves_once(school: School) -> None:
    made = second_factors.make_recovery_codes(actor=school.actor("officer"), now=NOW)
    assert len(set(made)) == 10
    assert verify(school, made[0].upper()) is SignInMethod.RECOVERY_CODE
    assert verify(school, made[1].replace("-", " ")) is SignInMethod.RECOVERY_CODE
    for used in made[:2]:
        with pytest.raises(WrongCode):
            verify(school, used)
    assert not RecoveryCode.objects.filter(code_hash__in=[code.replace("-", "") for code in made]).exists()


def test_new_recovery_codes_void_the_old_and_serve_their_owner_only(school: School) -> None:
    old = second_factors.make_recovery_codes(actor=school.actor("officer"), now=NOW)
    second_factors.make_recovery_codes(actor=school.actor("officer"), now=NOW)
    others = second_factors.make_recovery_codes(actor=school.actor("head"), now=NOW)
    for code in (old[0], others[0]):
        with pytest.raises(WrongCode):
            verify(school, code)


def test_removing_an_app_that_is_not_there(school: School) -> None:
    with pytest.raises(NotFound):
        second_factors.remove_totp(actor=school.actor("officer"), now=NOW)


@pytest.fixture
def gateways(tmp_path: Path, settings: LazySettings) -> None:
    file = tmp_path / "gateways.toml"
    file.write_text('[sms]\nurl = "https://sms.example"\n[email]\nurl = "smtp://127.0.0.1:1"\nfrom = "a@example.org"\n')
    settings.SHUREN_GATEWAYS_FILE = str(file)


def sent_code() -> str:
    sealed = OutboxMessage.objects.order_by("-pk")[0].body_sealed
    assert sealed is not None
    found = re.search(r"\d{6}", letter_in(bytes(sealed)).text)
    assert found
    return found[0]


def send(school: School, *, after: timedelta = timedelta()) -> str:
    codes.send_code(account=school.account("officer"), channel=Channel.EMAIL, now=NOW + after)
    return sent_code()


def test_a_sent_code_serves_once_for_five_minutes(school: School, gateways: None) -> None:
    code = send(school)
    assert code not in OutboxMessage.objects.get().text_masked
    assert verify(school, code) is SignInMethod.EMAIL_CODE
    with pytest.raises(WrongCode):
        verify(school, code)
    late = send(school, after=timedelta(minutes=2))
    with pytest.raises(WrongCode):
        verify(school, late, after=timedelta(minutes=7, seconds=1))


def test_a_newer_code_voids_the_older(school: School, gateways: None) -> None:
    old = send(school)
    new = send(school, after=timedelta(minutes=1, seconds=1))
    if old != new:
        with pytest.raises(WrongCode):
            verify(school, old, after=timedelta(minutes=2))
    assert verify(school, new, after=timedelta(minutes=2)) is SignInMethod.EMAIL_CODE


def test_five_tries_spend_a_code(school: School, gateways: None) -> None:
    code = send(school)
    wrong = "000000" if code != "000000" else "000001"
    for number in range(5):
        with pytest.raises((WrongCode, TooManyTries)):
            verify(school, wrong, visit=Visit(f"10.0.1.{number}"))
    with pytest.raises(WrongCode):
        verify(school, code, visit=Visit("10.0.2.1"))


def test_one_a_minute_and_ten_a_day(school: School, gateways: None) -> None:
    for number in range(10):
        send(school, after=timedelta(minutes=2 * number))
        with pytest.raises(Conflict):
            send(school, after=timedelta(minutes=2 * number, seconds=30))
    with pytest.raises(Conflict):
        send(school, after=timedelta(hours=5))
    send(school, after=timedelta(days=2))
    assert OneTimeCode.objects.count() == 11


def test_without_a_gateway_or_an_address_nothing_is_sent(school: School) -> None:
    assert codes.addresses_of(school.account("officer")) == {}
    with pytest.raises(Invalid):
        codes.send_code(account=school.account("officer"), channel=Channel.EMAIL, now=NOW)
    assert not OutboxMessage.objects.exists()


def test_the_code_of_another_does_not_serve(school: School, gateways: None) -> None:
    code = send(school)
    with pytest.raises(WrongCode):
        second_factors.verify_code(account=school.account("head"), code=code, visit=VISIT, now=NOW)


def ask(username: str = "officer", client: Client | None = None) -> tuple[Client, Any]:
    client = client or Client()
    return client, client.post("/sign-in/", {"username": username, "password": PASSWORD})


def test_a_second_factor_stands_between_password_and_house(school: School) -> None:
    totp = with_app(school, "officer", now=NOW)
    client, answer = ask()
    assert answer.headers["Location"] == "/sign-in/verify/"
    assert client.get("/").headers["Location"] == "/sign-in/"
    assert client.post("/sign-in/verify/", {"code": "000000"}).status_code == 401
    assert client.post("/sign-in/verify/", {"code": totp.at(clock.now())}).headers["Location"] == "/"
    assert client.get("/account/").status_code == 200
    assert SignIn.objects.get().methods == "password totp"


def test_the_first_step_alone_is_forgotten_after_ten_minutes(school: School) -> None:
    totp = with_app(school, "officer", now=NOW)
    client, _answer = ask()
    session = client.session
    session["pending"] |= {"at": clock.now().timestamp() - 601}
    session.save()
    assert client.post("/sign-in/verify/", {"code": totp.at(clock.now())}).headers["Location"] == "/sign-in/"
    assert client.get("/account/").status_code == 302


def test_the_key_of_the_session_changes_with_each_step(school: School) -> None:
    totp = with_app(school, "officer", now=NOW)
    client = Client()
    client.get("/sign-in/")
    session = client.session
    session["planted"] = 1
    session.save()
    client.cookies["shuren_session"] = planted = session.session_key or ""
    ask(client=client)
    second = client.session.session_key
    client.post("/sign-in/verify/", {"code": totp.at(clock.now())})
    assert len({planted, second, client.session.session_key}) == 3
    stranger = Client()
    stranger.cookies["shuren_session"] = planted
    assert stranger.get("/account/").status_code == 302


@pytest.mark.parametrize("path", ["/sign-in/verify/", "/account/confirm/", "/account/security/totp/", "/sign-in/"])
def test_forged_forms_are_refused(school: School, sign_in: Enter, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = sign_in("officer").cookies
    assert client.post(path, {"code": "1", "password": PASSWORD, "username": "officer"}).status_code == 403


def test_what_is_sensitive_asks_again_after_ten_minutes(school: School, sign_in: Enter) -> None:
    client = sign_in("admin")
    assert client.get("/account/security/totp/").status_code == 200
    session = client.session
    session["proof"] |= {"verified": clock.now().timestamp() - 601}
    session.save()
    assert client.get("/account/security/totp/").headers["Location"].startswith("/account/confirm/?next=%2Faccount%2Fsecurity")
    assert client.post("/account/confirm/", {"password": "wrong", "next": "/account/security/totp/"}).status_code == 400
    assert client.get("/account/security/totp/").status_code == 302
    right = client.post("/account/confirm/", {"password": PASSWORD, "next": "/account/security/totp/"})
    assert right.headers["Location"] == "/account/security/totp/"
    assert client.get("/account/security/totp/").status_code == 200


def gone_stale(client: Client) -> Client:
    session = client.session
    session["proof"] |= {"verified": clock.now().timestamp() - 601}
    session.save()
    return client


def test_a_file_of_people_asks_again_and_is_given_afterwards(school: School, sign_in: Enter) -> None:
    client = gone_stale(sign_in("admin"))
    assert client.get("/people/").status_code == 200
    asked = client.get("/people/?role=pupil&export=csv", headers={"referer": "http://testserver/people/?role=pupil"})
    door = asked.headers["Location"]
    assert door.startswith("/account/confirm/?file=%2Fpeople%2F%3Frole%3Dpupil%26export%3Dcsv&next=%2Fpeople%2F")
    assert not audit.entries(action="directory.people_exported").exists()
    assert "文件里有个人信息" in client.get(door).content.decode()
    assert client.post(door, {"password": "wrong"}).status_code == 400
    assert client.get("/people/?export=xlsx").status_code == 302
    form = re.search(r'name="next" value="([^"]+)"', client.get(door).content.decode())
    assert form is not None
    right = client.post(door, {"password": PASSWORD, "next": html.unescape(form[1])})
    ready = client.get(right.headers["Location"])
    links = [html.unescape(link) for link in re.findall(r'href="(/people[^"]*)"', ready.content.decode())]
    assert links[-2:] == ["/people/?role=pupil&export=csv", "/people/"]
    file = client.get(links[-2])
    assert b"".join(file.streaming_content)  # type: ignore[attr-defined]
    assert audit.entries(action="directory.people_exported").count() == 1


@pytest.mark.parametrize("wanted", ["https://evil.example/x.csv", "//evil.example", "javascript:alert(1)", ""])
def test_a_file_from_elsewhere_is_not_offered(school: School, sign_in: Enter, wanted: str) -> None:
    ready = sign_in("admin").get("/account/confirm/", {"file": wanted, "next": wanted}).content.decode()
    led = re.findall(r'href="([^"]+)"', ready)
    assert [way for way in led if "evil" in way or "javascript" in way] == []
    assert ("下载文件" in ready) is bool(wanted)


def test_the_password_does_not_confirm_for_whoever_holds_an_app(school: School, sign_in: Enter) -> None:
    client = sign_in("admin")
    totp = with_app(school, "admin", now=NOW)
    assert client.get("/account/security/totp/").status_code == 302
    assert client.post("/account/confirm/", {"password": PASSWORD}).status_code == 400
    assert client.post("/account/confirm/", {"code": totp.at(clock.now())}).status_code == 302
    assert client.get("/account/security/totp/").status_code == 200


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example"])
def test_confirming_leads_nowhere_else(school: School, sign_in: Enter, wanted: str) -> None:
    assert sign_in("admin").post("/account/confirm/", {"password": PASSWORD, "next": wanted}).headers["Location"] == "/"


def test_an_officer_without_a_key_is_sent_to_register_one_when_grace_is_over(school: School, sign_in: Enter) -> None:
    Account.objects.filter(person_id=school.people["officer"]).update(
        first_sign_in_at=clock.now() - timedelta(days=31), last_sign_in_at=clock.now() - timedelta(days=1)
    )
    client = sign_in("officer")
    assert client.get("/account/").headers["Location"] == "/account/security/"
    assert "宽限期已过" in client.get("/account/security/").content.decode()
    assert client.post("/role/", {"role": ""}).headers["Location"] == "/account/security/"


def test_the_security_page_shows_what_is_held(school: School, sign_in: Enter) -> None:
    client = sign_in("admin")
    page = client.post("/account/security/recovery-codes/").content.decode()
    assert len(re.findall(r"<code>[0-9a-z]{5}-[0-9a-z]{5}</code>", page)) == 10
    shown = client.get("/account/security/").content.decode()
    assert "还有 10 个没有用过" in shown
    assert json.dumps(page[:20]) not in shown


def test_an_officer_with_an_app_is_sent_no_code_instead(school: School, gateways: None, client: Client) -> None:
    with_app(school, "officer")
    client.post("/sign-in/", {"username": "officer", "password": PASSWORD})
    page = client.get("/sign-in/verify/").content.decode()
    assert 'value="email"' not in page
    assert client.post("/sign-in/verify/", {"channel": "email"}).status_code == 403
    assert not OutboxMessage.objects.exists()
    assert not SignIn.objects.exists()


def test_a_recovery_code_leads_an_officer_to_where_the_lost_factor_is_replaced(school: School, client: Client) -> None:
    with_app(school, "officer")
    codes_made = second_factors.make_recovery_codes(actor=school.actor("officer"), now=NOW)
    client.post("/sign-in/", {"username": "officer", "password": PASSWORD})
    client.post("/sign-in/verify/", {"code": codes_made[0]})
    assert client.get("/account/").headers["Location"] == "/account/security/"
    assert client.get("/account/security/").status_code == 200
    # The code is proof enough to register a key in place of what was lost, and for nothing else.
    assert client.post("/account/security/passkeys/begin/", "{}", content_type="application/json").status_code == 200
    assert client.get("/people/").headers["Location"] == "/account/security/"
