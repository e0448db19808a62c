"""A thousand tries at getting in with something changed: counted by protocol, every one of them refused."""

import base64
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core import signing
from django.test import Client

from shuren.identity.models import CasService, CasTicket, SignIn
from shuren.identity.rules.oauth.faults import OAuthFault
from shuren.identity.rules.oauth.tokens import TokenKind
from shuren.identity.selectors.bearers import standing_of
from shuren.identity.selectors.clients import client_by_client_id
from shuren.identity.services.cas.register import NewCasService, register_cas_service
from shuren.identity.services.oauth import devices
from shuren.identity.services.oauth.devices import ask_for_device, device_request
from shuren.identity.services.oauth.families import redeem_code
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.identity.tests.oauth.conftest import APP, CALLBACK, App, make_app
from shuren.identity.views.saml import _SALT
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM

__all__ = ["make_app"]
Enter = Callable[[str], Client]
ADDRESS = "https://lib.example.org/app/"
ASKED_FOR = 1000
refused: Counter[str] = Counter()
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def bent(text: str, count: int, *, seed: int = 1) -> Iterator[str]:
    """Neighbours of `text`: a letter changed, left out, doubled, two swapped, a bit of its bytes turned, an end cut off."""
    chance = Random(seed)
    found: set[str] = set()
    while len(found) < count:
        at = chance.randrange(len(text))
        other = chance.choice(_LETTERS)
        changed = chance.choice(
            (
                text[:at] + other + text[at + 1 :],
                text[:at] + text[at + 1 :],
                text[:at] + text[at] + text[at:],
                text[:at] + text[at : at + 2][::-1] + text[at + 2 :],
                text[: max(1, at)],
                text + other,
                text[at:] + text[:at],
            )
        )
        if changed != text and changed not in found:
            found.add(changed)
            yield changed


@pytest.fixture
def app(make_app: Callable[..., App]) -> App:
    return make_app(grant_types=APP.grant_types)


@pytest.mark.parametrize(("kind", "name"), [(TokenKind.ACCESS, "access_token"), (TokenKind.REFRESH, "refresh_token")])
def test_tokens(kind: TokenKind, name: str, app: App, sign_in: Enter) -> None:
    token = app.tokens(sign_in("head"))[name]
    assert standing_of(token, kind=kind, now=clock.now()) is not None
    for text in bent(token, 150):
        assert standing_of(text, kind=kind, now=clock.now()) is None
        refused[f"oauth {name}"] += 1
    assert app.is_active(token)


def test_codes(app: App, sign_in: Enter) -> None:
    code = app.code(sign_in("head"))
    for text in bent(code, 120):
        with pytest.raises(OAuthFault):
            redeem_code(code=text, client_pk=app.pk, redirect_uri=CALLBACK, verifier=app.verifier, now=clock.now())
        refused["oauth code"] += 1
    assert app.redeem(code).status_code == 200


def test_device_codes(app: App) -> None:
    client = client_by_client_id(app.client_id)
    assert client is not None
    given = ask_for_device(client=client, scope="openid", issuer="x", page="y", now=clock.now())
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}
    for text in bent(given["device_code"], 60):
        assert app.post("token", **grant, device_code=text).json()["error"] == "invalid_grant"
        refused["device"] += 1
    shown = given["user_code"].replace("-", "")
    for text in bent(shown, 60):
        # Other letters are no part of a code: people type blanks and dashes as they like.
        if "".join(letter for letter in text.upper() if letter in devices._LETTERS) != shown:
            assert device_request(text, now=clock.now()) is None
            refused["device"] += 1


def test_return_addresses(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    for text in bent(CALLBACK, 120):
        answer = browser.get("/oauth/authorize/?" + urlencode(app.question(redirect_uri=text)))
        assert answer.status_code == 400
        refused["redirect"] += 1
    for text in bent("//evil.example/", 60, seed=2):
        entered = Client().post("/sign-in/", {"username": "head", "password": PASSWORD, "next": text})
        assert entered.headers["Location"].startswith("/")
        assert not entered.headers["Location"].startswith(("//", "/\\"))
        refused["redirect"] += 1


def test_cas(school: School, sign_in: Enter) -> None:
    new = NewCasService(name="图书馆", address=ADDRESS, org_id=school.orgs["school"], is_first_party=True)
    register_cas_service(actor=SYSTEM, service=new, now=NOW)
    assert CasService.objects.count() == 1
    sent = sign_in("pupil").get("/cas/login", {"service": ADDRESS})
    ticket = sent.headers["Location"].partition("ticket=")[2]
    for text in bent(ticket, 120):
        answer = Client().get("/cas/p3/serviceValidate", {"ticket": text, "service": ADDRESS}).content.decode()
        assert "INVALID_TICKET" in answer or "INVALID_REQUEST" in answer
        refused["cas"] += 1
    assert CasTicket.objects.get().used_at is None


def test_saml_requests_that_were_checked(school: School, sign_in: Enter) -> None:
    kept = {"service": 1, "id": "_x", "acs": "https://sp.example.org/acs", "relay": "", "passive": False, "forced": False}
    text, browser = signing.dumps(kept, salt=_SALT, compress=True), sign_in("pupil")
    assert browser.get("/saml/answer", {"request": text}).status_code == 404  # there is no such service
    for other in bent(text, 120):
        assert browser.get("/saml/answer", {"request": other}).status_code == 403
        refused["saml"] += 1
    for other in bent(base64.b64encode(b"<AuthnRequest/>" * 20).decode(), 60):
        assert browser.post("/saml/sso", {"SAMLRequest": other}).status_code == 403
        refused["saml"] += 1


FORMS = (
    *("/sign-in/", "/sign-out/", "/role/", "/account/password/", "/account/confirm/", "/account/security/totp/"),
    *("/oauth/decide/", "/device/", "/oauth/end-session/confirmed/", "/upstream/link/", "/bind/", "/credentials/"),
    *("/sign-in-policy/cas/add/", "/sign-in-policy/saml/add/", "/sign-in-policy/saml/key/turn/"),
    *("/sign-in-policy/providers/add/", "/sign-in-policy/clients/add/", "/account/sessions/end-others/"),
)


@pytest.mark.parametrize("path", FORMS)
def test_forms_of_others(path: str, school: School) -> None:
    browser = Client(enforce_csrf_checks=True)
    page = browser.get("/sign-in/")
    good = page.context["csrf_token"]
    entered = browser.post("/sign-in/", {"username": "head", "password": PASSWORD, "csrfmiddlewaretoken": str(good)})
    assert entered.status_code == 302
    sign_ins = SignIn.objects.count()
    fitting = str(browser.get("/account/").context["csrf_token"])
    tries: list[tuple[dict[str, str], dict[str, Any]]] = [({}, {})]
    tries += [({"csrfmiddlewaretoken": text}, {}) for text in (*bent(fitting, 8), "", str(good), secrets.token_urlsafe(48))]
    tries += [({"csrfmiddlewaretoken": fitting}, {"HTTP_ORIGIN": origin}) for origin in ("https://evil.example", "null")]
    for form, headers in tries:
        answer = browser.post(path, {"decision": "allow", **form}, **headers)
        assert answer.status_code == 403, (path, form, headers)
        refused["csrf"] += 1
    assert SignIn.objects.count() == sign_ins


def test_a_thousand_were_refused(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> None:
    """Counts what this file tried; the bent assertions, responses and notices of the other files come on top."""
    if not request.config.option.keyword and len(refused) > 1:
        assert {"device", "redirect", "cas", "saml", "csrf"} <= set(refused)
        assert sum(refused.values()) >= ASKED_FOR, dict(refused)
        assert min(refused.values()) >= 100, dict(refused)
        with capsys.disabled():
            lines = ", ".join(f"{name} {count}" for name, count in sorted(refused.items()))
            print(f"\nrefused: {sum(refused.values())} ({lines})")  # noqa: T201  # the figure is what is asked for
