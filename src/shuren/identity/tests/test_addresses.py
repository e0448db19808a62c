"""From where a request comes, asked of the application as a server runs it."""

from collections.abc import Iterator
from io import BytesIO
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client, RequestFactory

from shuren.conf import environment
from shuren.conf.wsgi import application
from shuren.identity.models import Failure, SignIn
from shuren.identity.rules import locks
from shuren.identity.tests.conftest import PASSWORD, School
from shuren.kernel import audit

TOKEN = "a" * 32


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """A server gives its connection back after each request; here it carries the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def knock(*, peer: str, forwarded: str = "", password: str = "wrong") -> int:
    """Try to sign in as the pupil; returns the status."""
    body = urlencode({"username": "pupil", "password": password, "csrfmiddlewaretoken": TOKEN}).encode()
    environ = RequestFactory().get("/sign-in/").environ | {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        "HTTP_COOKIE": f"shuren_csrf={TOKEN}",
        "REMOTE_ADDR": peer,
    }
    if forwarded:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    said: list[str] = []
    application(environ, lambda status, headers: said.append(status)).close()
    return int(said[0].split()[0])


def counted() -> dict[str, int]:
    return dict(Failure.objects.filter(key__startswith="address:").values_list("key", "count"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("::1", "2001:db8::7", "2001:db8::/64"),
        ("127.0.0.1", "", "127.0.0.1"),
        # What the browser itself wrote stands before what the proxy added.
        ("127.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7, 127.0.0.1", "203.0.113.7"),
        # A stranger may write what they like.
        ("192.0.2.9", "203.0.113.7", "192.0.2.9"),
        ("192.0.2.9", "127.0.0.1", "192.0.2.9"),
        ("127.0.0.1", "x" * 300, ""),
    ],
)
def test_failures_count_against_the_browser(school: School, peer: str, forwarded: str, address: str) -> None:
    assert knock(peer=peer, forwarded=forwarded) == 401
    assert counted() == {f"address:{address}": 1}
    assert audit.entries(action="identity.sign_in_refused").get().details["address"] in (address, "2001:db8::7")


def test_one_browser_behind_the_proxy_does_not_lock_out_the_others(school: School) -> None:
    knock(peer="127.0.0.1", forwarded="203.0.113.7")
    Failure.objects.filter(key__startswith="address:").update(count=locks.MAX_ADDRESS_FAILURES)
    assert knock(peer="127.0.0.1", forwarded="203.0.113.7") == 401
    assert knock(peer="127.0.0.1", forwarded="203.0.113.7", password=PASSWORD) == 429
    assert knock(peer="127.0.0.1", forwarded="203.0.113.8", password=PASSWORD) == 302
    assert SignIn.objects.get().address == "203.0.113.8"


def test_a_stranger_cannot_shake_off_the_count(school: School) -> None:
    knock(peer="192.0.2.9", forwarded="203.0.113.7")
    Failure.objects.filter(key__startswith="address:").update(count=locks.MAX_ADDRESS_FAILURES)
    assert knock(peer="192.0.2.9", forwarded="203.0.113.5") == 401
    assert knock(peer="192.0.2.9", forwarded="203.0.113.8", password=PASSWORD) == 429


def test_django_counts_against_the_same_address(school: School, client: Client) -> None:
    client.login(request=RequestFactory().get("/", REMOTE_ADDR="203.0.113.7"), username="pupil", password="wrong")
    assert counted() == {"address:203.0.113.7": 1}


def test_loopback_alone_is_trusted_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.SHUREN_TRUSTED_PROXIES == ["127.0.0.1/32", "::1/128"]
    monkeypatch.setenv("SHUREN_TRUSTED_PROXIES", " 10.0.0.5, 10.1.0.0/16 ")
    assert environment.trusted_proxies() == ["10.0.0.5/32", "10.1.0.0/16"]
    monkeypatch.setenv("SHUREN_TRUSTED_PROXIES", "")
    assert environment.trusted_proxies() == []


@pytest.mark.parametrize("said", ["*", "nginx", "10.0.0.5/8"])
def test_whom_nobody_can_name_is_not_trusted(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHUREN_TRUSTED_PROXIES", said)
    with pytest.raises(ValueError, match="SHUREN_TRUSTED_PROXIES"):
        environment.trusted_proxies()
