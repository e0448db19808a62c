from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from joserfc import jwt
from joserfc.jwk import KeySet

from shuren.identity import api
from shuren.identity.data import ClientAuth
from shuren.identity.models import AppConsent, Authorization
from shuren.identity.services.oauth.families import sweep_families
from shuren.identity.services.oauth.id_tokens import rotate_keys
from shuren.identity.tests.conftest import PASSWORD, School
from shuren.identity.tests.oauth.conftest import APP, App, answer_in, payload
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.models import AuditEntry

Enter = Callable[[str], Browser]
Make = Callable[..., App]


def test_a_person_comes_in_with_a_code(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    answer = answer_in(app.ask(browser))
    assert (answer["state"], answer["iss"]) == ("some-state", "http://testserver")
    tokens = app.redeem(answer["code"]).json()
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", "openid profile")
    keys = KeySet.import_key_set(Browser().get("/oauth/jwks/").json())
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == ("http://testserver", app.client_id, "some-nonce")
    me = Browser().get("/oauth/userinfo/", headers={"authorization": f"Bearer {tokens['access_token']}"}).json()
    assert (me["sub"], me["name"]) == (claims["sub"], "陈立新")


def test_strangers_sign_in_first_and_come_back(app: App, school: School) -> None:
    browser = Browser()
    door = app.ask(browser).headers["Location"]
    assert door.startswith("/sign-in/?next=%2Foauth%2Fauthorize")
    entered = browser.post(door, {"username": "head", "password": PASSWORD, "next": door.partition("next=")[2]})
    assert entered.status_code == 302
    assert "code" in answer_in(app.ask(browser))


def test_a_code_is_good_once_and_its_family_dies_with_the_second_try(app: App, sign_in: Enter) -> None:
    code = app.code(sign_in("head"))
    tokens = app.redeem(code).json()
    assert app.is_active(tokens["access_token"])
    assert app.redeem(code).json()["error"] == "invalid_grant"
    assert not app.is_active(tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert AuditEntry.objects.filter(action="identity.token_replayed").exists()


def test_refresh_tokens_turn_over_and_a_used_one_ends_the_line(app: App, sign_in: Enter) -> None:
    first = app.tokens(sign_in("head"))
    second = app.refresh(first["refresh_token"]).json()
    third = app.refresh(second["refresh_token"]).json()
    assert app.is_active(third["access_token"])
    assert payload(third["id_token"])["sub"] == payload(first["id_token"])["sub"]
    assert app.refresh(second["refresh_token"]).status_code == 400
    assert not app.is_active(third["access_token"])
    assert app.refresh(third["refresh_token"]).status_code == 400


def test_refreshing_may_ask_for_less_but_not_for_more(app: App, sign_in: Enter) -> None:
    tokens = app.tokens(sign_in("head"))
    less = app.refresh(tokens["refresh_token"], scope="openid").json()
    assert (less["scope"], "id_token" in less) == ("openid", True)
    more = app.refresh(less["refresh_token"], scope="openid org")
    assert more.json()["error"] == "invalid_scope"


def test_signing_out_ends_tokens_of_the_session_but_not_offline_ones(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    tied, free = app.tokens(browser), app.tokens(browser, scope="openid offline_access")
    assert app.is_active(tied["access_token"])
    browser.post("/sign-out/")
    assert not app.is_active(tied["access_token"])
    assert app.refresh(tied["refresh_token"]).status_code == 400
    assert app.is_active(free["access_token"])
    assert app.refresh(free["refresh_token"]).status_code == 200


def test_an_inactive_account_has_no_tokens(app: App, sign_in: Enter, school: School) -> None:
    tokens = app.tokens(sign_in("head"), scope="openid offline_access")
    account = school.account("head")
    account.is_active = False
    account.save()
    assert not app.is_active(tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).status_code == 400


def test_a_client_in_its_own_name(app: App) -> None:
    answer = app.post("token", grant_type="client_credentials", scope="directory.read").json()
    assert (answer["scope"], "refresh_token" in answer, "id_token" in answer) == ("directory.read", False, False)
    facts = app.post("introspect", token=answer["access_token"]).json()
    assert (facts["sub"], facts["client_id"]) == (app.client_id, app.client_id)
    assert app.post("token", grant_type="client_credentials", scope="openid").json()["error"] == "invalid_scope"


def test_a_revoked_access_token_goes_alone_and_a_refresh_token_takes_all_along(app: App, sign_in: Enter) -> None:
    tokens = app.tokens(sign_in("head"))
    assert app.post("revoke", token=tokens["access_token"]).status_code == 200
    assert not app.is_active(tokens["access_token"])
    next_ = app.refresh(tokens["refresh_token"]).json()
    assert app.post("revoke", token=next_["refresh_token"], token_type_hint="access_token").status_code == 200
    assert not app.is_active(next_["access_token"])
    assert app.post("revoke", token="nonsense").status_code == 200


def test_another_client_cannot_revoke_and_learns_its_own_subject(make_app: Make, sign_in: Enter) -> None:
    mine = make_app()
    other = make_app(redirect_uris=("https://other.example.cn/cb",))
    tokens = mine.tokens(sign_in("head"))
    other.post("revoke", token=tokens["refresh_token"])
    assert mine.is_active(tokens["access_token"])
    assert other.is_active(tokens["access_token"])
    assert not other.is_active(tokens["refresh_token"])
    seen = [app.post("introspect", token=tokens["access_token"]).json()["sub"] for app in (mine, other)]
    assert seen[0] == payload(tokens["id_token"])["sub"] != seen[1]


def test_third_parties_are_allowed_refused_and_withdrawn(make_app: Make, sign_in: Enter, school: School) -> None:
    app, browser = make_app(is_first_party=False), sign_in("head")
    page = app.ask(browser)
    assert (page.status_code, "课后阅读" in page.content.decode()) == (200, True)
    assert answer_in(app.ask(browser, prompt="none"))["error"] == "consent_required"
    where = page.content.decode().partition('action="/oauth/decide/')[2].partition('"')[0].replace("&amp;", "&")
    refused = browser.post("/oauth/decide/" + where, {"decision": "refuse"})
    assert (answer_in(refused)["error"], answer_in(refused)["state"]) == ("access_denied", "some-state")
    assert not AppConsent.objects.get(account=school.account("head")).is_allowed
    code = answer_in(browser.post("/oauth/decide/" + where, {"decision": "allow"}))["code"]
    tokens = app.redeem(code).json()
    assert "code" in answer_in(app.ask(browser, prompt="none"))
    assert app.ask(browser, scope="openid profile org").status_code == 200
    assert "课后阅读" in browser.get("/account/apps/").content.decode()
    client_id = api.client_by_client_id(app.client_id)
    assert client_id is not None
    assert browser.post(f"/account/apps/{client_id.public_id}/withdraw/").status_code == 302
    assert not app.is_active(tokens["access_token"])
    assert answer_in(app.ask(browser, prompt="none"))["error"] == "consent_required"


def test_a_pupils_name_is_given_to_third_parties_masked(make_app: Make, sign_in: Enter) -> None:
    app, browser = make_app(is_first_party=False), sign_in("pupil")
    page = app.ask(browser, scope="openid profile org").content.decode()
    where = page.partition('action="/oauth/decide/')[2].partition('"')[0].replace("&amp;", "&")
    code = answer_in(browser.post("/oauth/decide/" + where, {"decision": "allow"}))["code"]
    token = app.redeem(code).json()["access_token"]
    me = Browser().get("/oauth/userinfo/", headers={"authorization": f"Bearer {token}"}).json()
    assert me["name"] == "张*"
    assert [role["role"] for role in me["shuren_roles"]] == ["pupil"]


def age_proof(browser: Browser, *, hours: int) -> None:
    """Let the person of this browser have come in some hours ago."""
    session = browser.session
    then = clock.now().timestamp() - hours * 3600
    session["proof"] = session["proof"] | {"begun": then, "verified": then}
    session.save()


def test_silent_questions_are_answered_without_a_page(app: App, sign_in: Enter) -> None:
    assert answer_in(app.ask(Browser(), prompt="none")) == {
        "error": "login_required",
        "state": "some-state",
        "iss": "http://testserver",
    }
    browser = sign_in("head")
    assert "code" in answer_in(app.ask(browser, prompt="none"))
    age_proof(browser, hours=1)
    assert answer_in(app.ask(browser, prompt="none", max_age="60"))["error"] == "login_required"
    assert "code" in answer_in(app.ask(browser, prompt="none", max_age="7200"))


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "0"}])
def test_a_fresh_sign_in_is_asked_for_once(app: App, sign_in: Enter, asked: dict[str, str]) -> None:
    browser = sign_in("head")
    age_proof(browser, hours=1)
    door = app.ask(browser, **asked).headers["Location"]
    assert "/confirm/?next=" in door
    back = browser.post(door, {"password": PASSWORD, "next": browser.get(door).context["next"]})
    answer = answer_in(browser.get(back.headers["Location"]))
    claims = payload(app.redeem(answer["code"]).json()["id_token"])
    assert clock.now().timestamp() - claims["auth_time"] < 60


def test_answers_by_form_post(app: App, sign_in: Enter) -> None:
    page = app.ask(sign_in("head"), response_mode="form_post")
    assert page.status_code == 200
    assert 'name="code"' in page.content.decode()
    assert "form-action https://read.example.cn;" in page.headers["Content-Security-Policy"]


def test_a_browser_that_sent_our_form_gets_a_page_that_goes_on(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    browser.defaults["HTTP_SEC_FETCH_SITE"] = "same-origin"
    page = app.ask(browser)
    assert (page.status_code, "https://read.example.cn/cb?code=" in page.content.decode()) == (200, True)


def test_pushed_requests(app: App, sign_in: Enter) -> None:
    pushed = app.post("par", **app.question()).json()
    name = pushed["request_uri"]
    browser = sign_in("head")
    wanted = {"client_id": app.client_id, "request_uri": name}
    answer = answer_in(browser.get("/oauth/authorize/", wanted))
    assert app.redeem(answer["code"]).status_code == 200
    assert browser.get("/oauth/authorize/", wanted).status_code == 400
    assert app.post("par", **app.question(redirect_uri="https://evil.example/")).status_code == 400


def test_devices_without_keyboard(app: App, sign_in: Enter) -> None:
    asked = app.post("device", scope="openid").json()
    poll = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": asked["device_code"]}
    assert app.post("token", **poll).json()["error"] == "authorization_pending"
    assert app.post("token", **poll).json()["error"] == "slow_down"
    browser = sign_in("head")
    assert browser.get("/device/?user_code=BBBB-BBBB").status_code == 404
    page = browser.get(asked["verification_uri_complete"].removeprefix("http://testserver"))
    assert "课后阅读" in page.content.decode()
    assert f'name="user_code" value="{asked["user_code"]}"' in page.content.decode()
    browser.post("/device/", {"user_code": asked["user_code"].lower(), "decision": "allow"})
    tokens = app.post("token", **poll).json()
    browser.post("/sign-out/")
    assert app.is_active(tokens["access_token"])
    assert app.post("token", **poll).json()["error"] == "invalid_grant"


def test_a_refused_device_hears_no(app: App, sign_in: Enter) -> None:
    asked = app.post("device", scope="openid").json()
    sign_in("head").post("/device/", {"user_code": asked["user_code"], "decision": "refuse"})
    poll = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": asked["device_code"]}
    assert app.post("token", **poll).json()["error"] == "access_denied"


def test_signing_out_for_an_app(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    tokens = app.tokens(browser)
    wanted = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": "https://read.example.cn/bye", "state": "s"}
    away = browser.get("/oauth/end-session/", wanted)
    assert away.headers["Location"] == "https://read.example.cn/bye?state=s"
    assert browser.get("/account/").status_code == 302
    elsewhere = browser.get("/oauth/end-session/", {**wanted, "post_logout_redirect_uri": "https://evil.example/"})
    assert elsewhere.status_code == 200


def test_nobody_is_signed_out_by_a_link_of_strangers(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    tokens = app.tokens(sign_in("officer"))
    for wanted in ({}, {"client_id": app.client_id}, {"id_token_hint": tokens["id_token"]}):
        assert browser.get("/oauth/end-session/", wanted).status_code == 200
        assert browser.get("/account/").status_code == 200
    browser.post("/oauth/end-session/confirmed/", {"decision": "stay"})
    assert browser.get("/account/").status_code == 200
    browser.post("/oauth/end-session/confirmed/", {"decision": "leave"})
    assert browser.get("/account/").status_code == 302


def test_public_clients_need_no_secret_and_get_no_introspection(make_app: Make, sign_in: Enter) -> None:
    app = make_app(auth=ClientAuth.NONE, grant_types=frozenset({"authorization_code", "refresh_token"}))
    code = app.code(sign_in("head"))
    tokens = app.redeem(code, basic=None, client_id=app.client_id).json()
    assert "access_token" in tokens
    assert app.post("introspect", basic=None, client_id=app.client_id, token=tokens["access_token"]).status_code == 401


def test_keys_turn_over_and_old_signatures_still_count(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    old = app.tokens(browser)["id_token"]
    assert rotate_keys(now=clock.now() + timedelta(days=200)) >= 1
    new = app.tokens(browser)["id_token"]
    keys = KeySet.import_key_set(Browser().get("/oauth/jwks/").json())
    for token in (old, new):
        jwt.decode(token, keys, algorithms=["RS256"])
    assert old.split(".")[0] != new.split(".")[0]


def test_what_ran_out_is_swept(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    app.tokens(browser)
    app.code(browser)
    assert sweep_families(now=clock.now()) == 0
    assert sweep_families(now=clock.now() + timedelta(hours=1)) == 1
    assert sweep_families(now=clock.now() + timedelta(days=1)) == 1
    app.post("par", **app.question())
    app.post("device", scope="openid")
    assert sweep_families(now=clock.now()) == 0
    assert sweep_families(now=clock.now() + timedelta(hours=1)) == 2
    assert not Authorization.objects.exists()


def test_discovery_names_what_there_is(school: School) -> None:
    found: dict[str, Any] = Browser().get("/.well-known/openid-configuration").json()
    assert found == Browser().get("/.well-known/oauth-authorization-server").json()
    assert found["issuer"] == "http://testserver"
    for name, url in found.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert Browser().options(url.removeprefix("http://testserver")).status_code != 404


def test_a_client_that_may_less_loses_its_tokens(app: App, sign_in: Enter) -> None:
    tokens = app.tokens(sign_in("head"), scope="openid org offline_access")
    less = replace(APP, scopes=APP.scopes - {"org"})
    api.change_client(actor=SYSTEM, client_id=app.client_id, client=less, now=clock.now())
    assert not app.is_active(tokens["access_token"])
