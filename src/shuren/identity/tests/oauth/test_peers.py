"""Clients that other people wrote, against a real server: Authlib, and a Django site with mozilla-django-oidc."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

from shuren.identity import api
from shuren.identity.data import RegisteredClient
from shuren.identity.tests.conftest import PASSWORD, School
from shuren.identity.tests.oauth.conftest import APP
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.work import api as work

pytestmark = pytest.mark.django_db(transaction=True)
PARTY = Path(__file__).with_name("relying_party.py")


@pytest.fixture
def server(transactional_db: None, school: School, live_server: Any, settings: Any) -> str:
    """Our own address, with the cast behind it and this machine open to notices."""
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.1/32"]
    return str(live_server.url)


@dataclass
class Person:
    """A person with one browser, without scripts: pages that go on by themselves are followed by hand."""

    browser: requests.Session

    def sign_in(self, page: requests.Response, username: str) -> requests.Response:
        fields = dict(re.findall(r'name="(csrfmiddlewaretoken|next)" value="([^"]*)"', page.text))
        fields = {key: value.replace("&amp;", "&") for key, value in fields.items()}
        return self.browser.post(page.url, data={**fields, "username": username, "password": PASSWORD}, timeout=20)

    def get(self, url: str) -> requests.Response:
        return self.browser.get(url, timeout=20)


@pytest.fixture
def person() -> Iterator[Person]:
    with requests.Session() as browser:
        yield Person(browser)


def register(**changed: Any) -> RegisteredClient:
    return api.register_client(actor=SYSTEM, client=replace(APP, **changed), now=clock.now())


def test_what_we_say_about_ourselves_is_complete(server: str) -> None:
    found = requests.get(f"{server}/.well-known/openid-configuration", timeout=10).json()
    secure = {key: value.replace("http://", "https://") if isinstance(value, str) else value for key, value in found.items()}
    OpenIDProviderMetadata(secure).validate()
    AuthorizationServerMetadata(secure).validate()


def test_authlib_signs_in_refreshes_revokes_and_signs_out(server: str, person: Person) -> None:
    callback = "http://127.0.0.1:9/cb"
    client = register(redirect_uris=(callback,), post_logout_redirect_uris=("http://127.0.0.1:9/bye",))
    found = requests.get(f"{server}/.well-known/openid-configuration", timeout=10).json()
    app = OAuth2Session(
        client.client_id,
        client.client_secret,
        scope="openid profile org",
        redirect_uri=callback,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",  # names a way
    )
    verifier = "v" * 64
    url, state = app.create_authorization_url(found["authorization_endpoint"], nonce="n-1", code_verifier=verifier)
    door = person.get(url)
    with pytest.raises(requests.ConnectionError) as away:
        person.sign_in(door, "head")
    reached = str(away.value.request.url)
    tokens = app.fetch_token(found["token_endpoint"], authorization_response=reached, state=state, code_verifier=verifier)
    keys = KeySet.import_key_set(requests.get(found["jwks_uri"], timeout=10).json())
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (server, client.client_id, "n-1")
    assert f"iss={server.replace(':', '%3A').replace('/', '%2F')}" in reached
    me = app.get(found["userinfo_endpoint"]).json()
    assert (me["sub"], me["name"]) == (claims["sub"], "陈立新")
    assert {"role": "head"}.items() <= me["shuren_roles"][0].items()
    again = app.refresh_token(found["token_endpoint"], refresh_token=tokens["refresh_token"])
    assert again["access_token"] != tokens["access_token"]
    facts = app.introspect_token(found["introspection_endpoint"], token=again["access_token"]).json()
    assert (facts["active"], facts["sub"]) == (True, claims["sub"])
    assert app.revoke_token(found["revocation_endpoint"], token=again["refresh_token"]).status_code == 200
    assert app.introspect_token(found["introspection_endpoint"], token=again["access_token"]).json() == {"active": False}
    out = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": "http://127.0.0.1:9/bye"}
    with pytest.raises(requests.ConnectionError):
        person.browser.get(found["end_session_endpoint"], params=out, timeout=20)
    assert person.browser.get(f"{server}/account/", allow_redirects=False, timeout=20).status_code == 302


def test_authlib_acts_in_its_own_name(server: str) -> None:
    client = register()
    app = OAuth2Session(client.client_id, client.client_secret, scope="directory.read")
    tokens = app.fetch_token(f"{server}/oauth/token/", grant_type="client_credentials")
    assert tokens["token_type"] == "Bearer"
    assert app.get(f"{server}/api/v1/orgs").json()["rows"] == []


@pytest.fixture
def party(server: str) -> Iterator[str]:
    """The address of the relying party, running beside us."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    client = register(
        redirect_uris=(f"{url}/oidc/callback/",),
        post_logout_redirect_uris=(f"{url}/",),
        backchannel_logout_uri=f"{url}/told/",
        id_token_alg="ES256",  # names an algorithm
    )
    words = [sys.executable, str(PARTY), str(port), server, client.client_id, client.client_secret]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=PARTY.parent) as process:  # our own words
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        for _turn in range(100):
            try:
                requests.get(url, timeout=2)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield url
        process.terminate()


def test_a_django_site_lets_people_in_keeps_them_and_hears_when_they_leave(server: str, party: str, person: Person) -> None:
    door = person.get(f"{party}/oidc/authenticate/")
    entered = person.sign_in(door, "head")
    assert entered.url == f"{party}/me/"
    assert entered.json()["name"] == "陈立新"
    time.sleep(2.5)
    renewed = person.get(f"{party}/me/")
    assert [answer.url.split("?")[0] for answer in renewed.history][:2] == [f"{party}/me/", f"{server}/oauth/authorize/"]
    assert renewed.json() == entered.json()
    page = person.get(f"{server}/account/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    person.browser.post(f"{server}/sign-out/", data={"csrfmiddlewaretoken": token[1]}, timeout=20)
    work.run_pending()
    assert person.get(f"{party}/me/").status_code == 401


def test_a_django_site_signs_people_out_here_as_well(server: str, party: str, person: Person) -> None:
    person.sign_in(person.get(f"{party}/oidc/authenticate/"), "head")
    token = person.browser.cookies.get("csrftoken", "")
    away = person.browser.post(f"{party}/oidc/logout/", data={"csrfmiddlewaretoken": token}, timeout=20)
    assert away.url == f"{party}/"
    assert person.browser.get(f"{server}/account/", allow_redirects=False, timeout=20).status_code == 302
