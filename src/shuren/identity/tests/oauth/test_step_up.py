"""How sure an app wants to be (`acr_values`, `claims`), which claims it asks for one by one, and what the ID token then says."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from shuren.identity.rules.oauth.asking import MAX_TEXT
from shuren.identity.rules.oauth.claims import ACR_PREFIX, AskedClaims, asked_claims
from shuren.identity.rules.oauth.faults import OAuthFault
from shuren.identity.tests.conftest import PASSWORD, School
from shuren.identity.tests.oauth.conftest import App, answer_in, payload
from shuren.identity.tests.test_second_factors import with_app
from shuren.kernel import clock

Enter = Callable[[str], Browser]
Make = Callable[..., App]
SINGLE, MULTI, CRYPTOGRAPHIC = (f"{ACR_PREFIX}{name}" for name in ("single", "multi", "cryptographic"))


def essential(*values: str, **more: Any) -> str:
    return json.dumps({"id_token": {"acr": {"essential": True, "values": list(values)}, **more}})


def told(app: App, answer: Any) -> dict[str, Any]:
    return payload(app.redeem(answer_in(answer)["code"]).json()["id_token"])


@pytest.mark.parametrize("asked", [{"acr_values": MULTI}, {"claims": essential(MULTI)}])
def test_a_second_factor_is_asked_for_and_reported(app: App, sign_in: Enter, school: School, asked: dict[str, str]) -> None:
    browser = sign_in("head")
    totp = with_app(school, "head", now=clock.now())
    assert told(app, app.ask(browser))["acr"] == SINGLE
    door = app.ask(browser, **asked).headers["Location"]
    assert "/confirm/?next=" in door
    where = browser.get(door).context["next"]
    later = clock.now().timestamp() + 30
    back = browser.post(door, {"code": totp.at(int(later)), "next": where})
    claims = told(app, browser.get(back.headers["Location"]))
    assert claims["acr"] == MULTI
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    assert clock.now().timestamp() - claims["auth_time"] < 60
    assert told(app, app.ask(browser, prompt="none", **asked))["acr"] == MULTI


def test_who_cannot_show_more_is_told_apart_from_who_need_not(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    assert told(app, app.ask(browser, acr_values=MULTI))["acr"] == SINGLE
    refused = answer_in(app.ask(browser, claims=essential(MULTI)))
    assert refused["error"] == "unmet_authentication_requirements"
    assert refused["state"] == "some-state"
    assert answer_in(app.ask(browser, claims=essential("urn:other:acr")))["error"] == "unmet_authentication_requirements"
    assert told(app, app.ask(browser, acr_values="urn:other:acr"))["acr"] == SINGLE
    assert told(app, app.ask(browser, claims=essential(CRYPTOGRAPHIC, SINGLE)))["acr"] == SINGLE


def test_a_silent_question_is_not_answered_with_less(app: App, sign_in: Enter, school: School) -> None:
    browser = sign_in("head")
    with_app(school, "head", now=clock.now())
    assert answer_in(app.ask(browser, prompt="none", claims=essential(MULTI)))["error"] == "interaction_required"
    assert told(app, app.ask(browser, prompt="none", acr_values=MULTI))["acr"] == SINGLE


def test_a_mark_of_another_question_does_not_stand_for_a_second_factor(app: App, sign_in: Enter, school: School) -> None:
    browser = sign_in("head")
    with_app(school, "head", now=clock.now())
    for mark in ("", "1.x", f"{int(clock.now().timestamp())}.{'0' * 64}"):
        answer = app.ask(browser, claims=essential(MULTI), again_after=mark)
        assert "/confirm/?next=" in answer.headers["Location"]


def test_the_password_alone_is_not_taken_for_the_second_factor(app: App, sign_in: Enter, school: School) -> None:
    browser = sign_in("head")
    with_app(school, "head", now=clock.now())
    door = app.ask(browser, claims=essential(MULTI)).headers["Location"]
    where = browser.get(door).context["next"]
    assert browser.post(door, {"password": PASSWORD, "code": "", "next": where}).status_code == 400
    answer = browser.get(where)
    assert answer_in(answer)["error"] == "unmet_authentication_requirements"


def test_claims_come_where_they_were_asked_for(app: App, sign_in: Enter) -> None:
    asked = json.dumps({"id_token": {"name": None, "email": {"essential": True}}, "userinfo": {"shuren_roles": None}})
    answer = app.ask(sign_in("head"), scope="openid", claims=asked)
    tokens = app.redeem(answer_in(answer)["code"]).json()
    claims = payload(tokens["id_token"])
    assert claims["name"] == "陈立新"
    assert "email" not in claims  # the app is not registered for it
    assert "shuren_roles" not in claims
    me = Browser().get("/oauth/userinfo/", headers={"authorization": f"Bearer {tokens['access_token']}"}).json()
    assert [role["role"] for role in me["shuren_roles"]] == ["head"]


def test_personal_claims_cannot_take_the_place_of_ours(app: App, sign_in: Enter) -> None:
    asked = json.dumps({"id_token": {name: {"value": "x"} for name in ("aud", "iss", "exp", "auth_time", "nonce")}})
    claims = told(app, app.ask(sign_in("head"), claims=asked))
    assert claims["aud"] == app.client_id
    assert claims["iss"] == "http://testserver"


def test_an_app_that_means_one_person_gets_nobody_else(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    sub = told(app, app.ask(browser))["sub"]
    assert told(app, app.ask(browser, claims=json.dumps({"id_token": {"sub": {"value": sub}}})))["sub"] == sub
    for prompt in (None, "none"):
        other = app.ask(browser, prompt=prompt, claims=json.dumps({"id_token": {"sub": {"value": "another"}}}))
        assert answer_in(other)["error"] == "login_required"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "1",
        '"x"',
        '{"id_token": 1}',
        '{"id_token": {"acr": 1}}',
        '{"id_token": {"acr": {"values": "x"}}}',
        '{"id_token": {"acr": {"values": [1]}}}',
        '{"id_token": {"sub": {"value": 1}}}',
        '{"id_token": {"sub": {"value": "a"}}, "userinfo": {"sub": {"value": "b"}}}',
        '{"userinfo": []  , "id_token": [1]}',
        "[" * 1500,
    ],
)
def test_claims_that_cannot_be_read(text: str, app: App, sign_in: Enter) -> None:
    assert len(text) <= MAX_TEXT
    with pytest.raises(OAuthFault, match="claims"):
        asked_claims(text, "")
    assert answer_in(app.ask(sign_in("head"), claims=text))["error"] == "invalid_request"


def test_what_was_asked_is_read(db: None) -> None:
    assert asked_claims("", "") == AskedClaims()
    assert asked_claims("", f"x {MULTI}").acrs == ("x", MULTI)
    assert asked_claims(essential(SINGLE), MULTI).acrs == (SINGLE,)
    assert not asked_claims(json.dumps({"id_token": {"acr": {"essential": True}}}), "").is_acr_essential
    assert asked_claims(json.dumps({"userinfo": {"picture": None}}), "").in_userinfo == frozenset()


def test_the_person_number_is_asked_for_by_name(make_app: Make, sign_in: Enter, school: School) -> None:
    app = make_app(scopes=frozenset({"openid", "person_number"}))
    browser = sign_in("head")

    def seen(**asked: str | None) -> dict[str, Any]:
        token = app.tokens(browser, **asked)["access_token"]
        me = Browser().get("/oauth/userinfo/", headers={"authorization": f"Bearer {token}"})
        return dict(me.json())

    assert "shuren_number" not in seen(scope=None)
    assert seen(scope="openid person_number")["shuren_number"] == school.account("head").person.number


def test_discovery_says_so() -> None:
    found = Browser().get("/.well-known/openid-configuration").json()
    assert found["claims_parameter_supported"] is True
    assert {SINGLE, MULTI, CRYPTOGRAPHIC} <= set(found["acr_values_supported"])
    assert {"name", "shuren_number"} <= set(found["claims_supported"])
