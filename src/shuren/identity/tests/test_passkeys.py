"""Passkeys against a key in software: what fits comes in, whatever is bent does not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from fido2.webauthn import AuthenticatorData

from shuren.identity.data import SignInMethod
from shuren.identity.models import Account, Passkey, SignIn
from shuren.identity.services import passkeys
from shuren.identity.services.passkeys import PasskeyRefused
from shuren.identity.tests.authenticator import Authenticator
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.kernel import audit
from shuren.kernel.errors import Conflict, NotFound

HOST = "localhost"
Enter = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _domain(settings: LazySettings) -> None:
    settings.SHUREN_PASSKEY_DOMAIN = "localhost"


def register(school: School, who: str, key: Authenticator) -> Passkey:
    account = school.account(who)
    options, state = passkeys.begin_registration(account=account, name="张三", host=HOST, now=NOW)
    return passkeys.finish_registration(
        actor=school.actor(who), state=state, response=key.create(options), name="手机", host=HOST, now=NOW
    )


def prove(key: Authenticator, *, account_id: int | None = None, **bends: Any) -> int:
    options, state = passkeys.begin_proof(account_id=account_id, host=HOST, now=NOW)
    return passkeys.finish_proof(state=state, response=key.get(options, **bends), account_id=account_id, host=HOST, now=NOW)


def test_a_registered_key_opens_its_account(school: School) -> None:
    key = Authenticator()
    row = register(school, "officer", key)
    account_id = school.account("officer").pk
    assert prove(key) == prove(key, account_id=account_id) == account_id
    row.refresh_from_db()
    assert (row.sign_count, row.used_at) == (2, NOW)
    assert audit.entries(action="identity.passkey_added").get().target == f"account:{account_id}"


def test_a_key_that_counts_backwards_was_copied(school: School) -> None:
    key = Authenticator()
    register(school, "officer", key)
    prove(key)
    prove(key)
    key.counter = 0
    with pytest.raises(PasskeyRefused, match="复制"):
        prove(key)
    assert audit.entries(action="identity.passkey_copied").count() == 1


def test_a_key_that_never_counts_is_taken(school: School) -> None:
    key = Authenticator()
    register(school, "officer", key)
    for _turn in range(2):
        key.counter = -1
        prove(key)


@pytest.mark.parametrize(
    "bend",
    ["signature", "type", "origin", "plain_http", "domain", "not_present", "not_verified", "handle", "other_key", "challenge"],
)
def test_a_bent_answer_opens_nothing(school: School, bend: str) -> None:
    key = Authenticator()
    register(school, "officer", key)
    match bend:
        case "origin":
            key.origin = "https://localhost.evil.example"
        case "plain_http":
            key.origin = "http://edu.example.cn"
        case "domain":
            key.domain = "evil.example"
        case "not_present":
            key.flags = AuthenticatorData.FLAG.UV
        case "not_verified":
            key.flags = AuthenticatorData.FLAG.UP
        case "handle":
            key.user_handle = b"x" * 32
        case "other_key":
            stolen, key = key, Authenticator()
            key.credential_id = stolen.credential_id
    options, state = passkeys.begin_proof(account_id=None, host=HOST, now=NOW)
    if bend == "challenge":
        options, _other = passkeys.begin_proof(account_id=None, host=HOST, now=NOW)
    answer = key.get(options, spoil=bend == "signature", kind="webauthn.create" if bend == "type" else "webauthn.get")
    with pytest.raises(PasskeyRefused):
        passkeys.finish_proof(state=state, response=answer, account_id=None, host=HOST, now=NOW)


@pytest.mark.parametrize("wait", [timedelta(minutes=5), timedelta(days=1), timedelta(seconds=-1)])
def test_a_challenge_lasts_five_minutes(school: School, wait: timedelta) -> None:
    key = Authenticator()
    register(school, "officer", key)
    options, state = passkeys.begin_proof(account_id=None, host=HOST, now=NOW)
    with pytest.raises(PasskeyRefused):
        passkeys.finish_proof(state=state, response=key.get(options), account_id=None, host=HOST, now=NOW + wait)


def test_a_key_proves_its_own_account_only(school: School) -> None:
    key = Authenticator()
    register(school, "officer", key)
    with pytest.raises(PasskeyRefused):
        prove(key, account_id=school.account("head").pk)
    options, state = passkeys.begin_proof(account_id=school.account("officer").pk, host=HOST, now=NOW)
    with pytest.raises(PasskeyRefused):
        passkeys.finish_proof(state=state, response=key.get(options), account_id=school.account("head").pk, host=HOST, now=NOW)


@pytest.mark.parametrize("answer", [{}, {"id": "x"}, {"id": "x", "rawId": "x", "type": "public-key", "response": {}}])
def test_nonsense_is_refused_like_a_wrong_key(school: School, answer: dict[str, Any]) -> None:
    _options, state = passkeys.begin_proof(account_id=None, host=HOST, now=NOW)
    with pytest.raises(PasskeyRefused):
        passkeys.finish_proof(state=state, response=answer, account_id=None, host=HOST, now=NOW)
    with pytest.raises(PasskeyRefused):
        passkeys.finish_proof(state=None, response=answer, account_id=None, host=HOST, now=NOW)
    _options, state = passkeys.begin_registration(account=school.account("head"), name="x", host=HOST, now=NOW)
    with pytest.raises(PasskeyRefused):
        passkeys.finish_registration(actor=school.actor("head"), state=state, response=answer, name="", host=HOST, now=NOW)


def test_a_key_is_registered_once_and_ten_at_most(school: School) -> None:
    key = Authenticator()
    register(school, "officer", key)
    with pytest.raises(Conflict):
        register(school, "head", key)
    for _turn in range(passkeys.MAX_PASSKEYS):
        register(school, "head", Authenticator())
    with pytest.raises(Conflict):
        register(school, "head", Authenticator())


def test_nobody_touches_the_keys_of_others(school: School) -> None:
    row = register(school, "officer", Authenticator())
    with pytest.raises(NotFound):
        passkeys.remove_passkey(actor=school.actor("head"), passkey_id=row.pk, now=NOW)
    with pytest.raises(NotFound):
        passkeys.rename_passkey(actor=school.actor("head"), passkey_id=row.pk, name="x", now=NOW)
    passkeys.rename_passkey(actor=school.actor("officer"), passkey_id=row.pk, name="  办公室 ", now=NOW)
    row.refresh_from_db()
    assert row.name == "办公室"
    passkeys.remove_passkey(actor=school.actor("officer"), passkey_id=row.pk, now=NOW)
    assert not Passkey.objects.exists()


def post(client: Client, url: str, body: dict[str, Any] | None = None) -> Any:
    return client.post(url, body or {}, content_type="application/json")


def registered_in_browser(client: Client, key: Authenticator) -> None:
    options = post(client, "/account/security/passkeys/begin/").json()
    answer = post(client, "/account/security/passkeys/finish/", {"credential": key.create(options), "name": "笔记本"})
    assert answer.status_code == 200, answer.content


def test_from_the_page_to_the_door(school: School, sign_in: Enter) -> None:
    key = Authenticator()
    registered_in_browser(sign_in("officer"), key)
    stranger = Client()
    options = post(stranger, "/sign-in/passkey/begin/").json()
    answer = post(stranger, "/sign-in/passkey/finish/", {"credential": key.get(options), "next": "/account/"})
    assert answer.json() == {"url": "/account/"}
    assert stranger.get("/account/").status_code == 200
    assert SignIn.objects.order_by("-pk")[0].methods == SignInMethod.PASSKEY.value
    assert answer.cookies["shuren_device"]["httponly"]


def test_the_same_answer_does_not_open_twice(school: School, sign_in: Enter) -> None:
    key = Authenticator()
    registered_in_browser(sign_in("officer"), key)
    stranger = Client()
    options = post(stranger, "/sign-in/passkey/begin/").json()
    shown = key.get(options)
    assert post(stranger, "/sign-in/passkey/finish/", {"credential": shown}).status_code == 200
    stranger.post("/sign-out/")
    assert post(stranger, "/sign-in/passkey/finish/", {"credential": shown}).status_code == 400
    assert post(Client(), "/sign-in/passkey/finish/", {"credential": shown}).status_code == 400


def test_whoever_holds_a_key_shows_it_after_the_password(school: School, sign_in: Enter) -> None:
    key = Authenticator()
    registered_in_browser(sign_in("officer"), key)
    client = Client()
    asked = client.post("/sign-in/", {"username": "officer", "password": PASSWORD, "next": "/account/"})
    assert asked.headers["Location"] == "/sign-in/verify/"
    assert client.get("/account/").headers["Location"].startswith("/sign-in/")
    options = post(client, "/sign-in/passkey/begin/").json()
    assert post(client, "/sign-in/passkey/finish/", {"credential": key.get(options)}).json() == {"url": "/account/"}
    assert SignIn.objects.order_by("-pk")[0].methods == "password passkey"


def test_a_key_of_somebody_else_does_not_complete_the_second_step(school: School, sign_in: Enter) -> None:
    mine, other = Authenticator(), Authenticator()
    registered_in_browser(sign_in("officer"), mine)
    registered_in_browser(sign_in("head"), other)
    client = Client()
    client.post("/sign-in/", {"username": "officer", "password": PASSWORD})
    options = post(client, "/sign-in/passkey/begin/").json()
    assert post(client, "/sign-in/passkey/finish/", {"credential": other.get(options)}).status_code == 400
    assert client.get("/account/").status_code == 302


def test_a_closed_account_does_not_come_in_by_key(school: School, sign_in: Enter) -> None:
    key = Authenticator()
    registered_in_browser(sign_in("officer"), key)
    Account.objects.filter(person_id=school.people["officer"]).update(is_active=False)
    client = Client()
    options = post(client, "/sign-in/passkey/begin/").json()
    assert post(client, "/sign-in/passkey/finish/", {"credential": key.get(options)}).status_code == 400
    assert client.get("/account/").status_code == 302


@pytest.mark.parametrize("body", ["", "[]", "{", '{"credential": 1}', '{"credential": []}', '{"credential": {"id": null}}'])
def test_broken_bodies_are_refused_without_a_fault(school: School, body: str) -> None:
    client = Client()
    post(client, "/sign-in/passkey/begin/")
    answer = client.post("/sign-in/passkey/finish/", body, content_type="application/json")
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["begin", "finish"])
def test_forged_requests_are_refused(school: School, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert post(client, f"/sign-in/passkey/{path}/").status_code == 403
