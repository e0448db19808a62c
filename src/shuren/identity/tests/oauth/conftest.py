"""A registered app and the steps of its flow, each of which a test can bend."""

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.test import Client as Browser

from shuren.identity import api
from shuren.identity.data import GrantType, NewClient
from shuren.identity.rules.oauth.asking import challenge_of
from shuren.identity.tests.conftest import School
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM

CALLBACK = "https://read.example.cn/cb"
APP = NewClient(
    name="课后阅读",
    redirect_uris=(CALLBACK, "https://read.example.cn/other"),
    post_logout_redirect_uris=("https://read.example.cn/bye",),
    grant_types=frozenset(
        {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.CLIENT_CREDENTIALS, GrantType.DEVICE_CODE}
    ),
    scopes=frozenset({"openid", "profile", "org", "offline_access", "directory.read"}),
    is_first_party=True,
)


@dataclass
class App:
    """An app as its developer would write it against us."""

    client_id: str
    secret: str
    pk: int
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()

    def question(self, **changed: str | None) -> dict[str, str]:
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile",
            "state": "some-state",
            "nonce": "some-nonce",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            **changed,
        }
        return {key: value for key, value in asked.items() if value is not None}

    def ask(self, browser: Browser, **changed: str | None) -> Any:
        return browser.get("/oauth/authorize/?" + urlencode(self.question(**changed)))

    def code(self, browser: Browser, **changed: str | None) -> str:
        return answer_in(self.ask(browser, **changed))["code"]

    def post(self, path: str, *, basic: str | None = "", **form: str | None) -> Any:
        sent = {key: value for key, value in form.items() if value is not None}
        header = {"authorization": self.basic if basic == "" else basic} if basic is not None else {}
        return Browser().post(
            f"/oauth/{path}/", urlencode(sent), content_type="application/x-www-form-urlencoded", headers=header
        )

    def redeem(self, code: str, **changed: str | None) -> Any:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": self.verifier}
        return self.post("token", **{**form, **changed})

    def tokens(self, browser: Browser, **changed: str | None) -> dict[str, Any]:
        answer = self.redeem(self.code(browser, **changed))
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    def refresh(self, token: str, **changed: str | None) -> Any:
        return self.post("token", **{"grant_type": "refresh_token", "refresh_token": token, **changed})

    def is_active(self, token: str) -> bool:
        return bool(self.post("introspect", token=token).json()["active"])


def answer_in(response: Any) -> dict[str, str]:
    """The parameters at the return address of a redirect."""
    assert response.status_code == 302, (response.status_code, response.content[:500])
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


def payload(token: str) -> dict[str, Any]:
    """The unchecked claims of a JWT."""
    body = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))


@pytest.fixture
def make_app(school: School) -> Callable[..., App]:
    """Return a function that registers an app like `APP`, but for what is changed."""

    def make(**changed: Any) -> App:
        registered = api.register_client(actor=SYSTEM, client=replace(APP, **changed), now=clock.now())
        return App(registered.client_id, registered.client_secret, registered.id)

    return make


@pytest.fixture
def app(make_app: Callable[..., App]) -> App:
    return make_app()
