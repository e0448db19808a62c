"""Tokens per second: what the provider gives and what it says of them, through the whole WSGI stack on one core.

Beside the figures stand the bare costs of the same run: the keyed hash that closes an access token, the signature of an id
token, and a committed row per token on this disk, which is what opaque tokens in a table would cost. Named anchor: Keycloak's
sizing guide plans one vCPU for 120 client credential grants a second.
"""

import argparse
import io
import json
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from shuren.identity import api as identity
from shuren.identity.data import GrantType, NewClient, RegisteredClient
from shuren.identity.models import SpentValue
from shuren.identity.selectors.bearers import spent_digest, token_mac
from shuren.identity.services.oauth.id_tokens import sign_claims
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM

KEYCLOAK = 120
ISSUED, INTROSPECTED = 300, 1000
Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench tokens")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each figure is measured")
    seconds = parser.parse_args(options).seconds
    call_command("migrate", verbosity=0)
    client = identity.register_client(
        actor=SYSTEM,
        client=NewClient(
            name="bench", grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}), scopes=frozenset({"directory.read"})
        ),
        now=clock.now(),
    )
    application = get_wsgi_application()
    token = json.loads(_call(application, "/oauth/token/", client, grant_type="client_credentials"))["access_token"]
    _show_bare(seconds)
    issued = _rate(seconds, lambda: _call(application, "/oauth/token/", client, grant_type="client_credentials"))
    told = _rate(seconds, lambda: _call(application, "/oauth/introspect/", client, token=token))
    _line("client credential grants", issued, f"{issued / KEYCLOAK:.1f} x Keycloak's {KEYCLOAK}; asked for {ISSUED}")
    _line("introspections", told, f"asked for {INTROSPECTED}")
    if issued < ISSUED or told < INTROSPECTED:
        sys.exit("slower than asked for")


def _show_bare(seconds: float) -> None:
    now = clock.now()
    claims = {"iss": "https://bench", "sub": "somebody", "aud": "bench", "iat": 0, "exp": 0, "nonce": "n"}
    _line("bare: keyed hash", _rate(seconds / 5, lambda: token_mac("sat_" + "x" * 120)))
    for algorithm in ("RS256", "ES256"):
        rate = _rate(seconds / 5, lambda algorithm=algorithm: sign_claims(claims, algorithm=algorithm, typ="JWT", now=now))
        _line(f"bare: id token {algorithm}", rate)
    rows = iter(range(10_000_000))
    until = now + timedelta(hours=1)
    rate = _rate(
        seconds / 5,
        lambda: SpentValue.objects.bulk_create([SpentValue(digest=spent_digest(str(next(rows))), expires_at=until)]),
        time.perf_counter,
    )
    _line("bare: a committed row per token", rate, "by the clock: it waits for the disk")


def _rate(seconds: float, work: Callable[[], object], measure: Callable[[], float] = time.process_time) -> float:
    """Runs per second of CPU of this process, which serves no other; or by another measure of time."""
    for _turn in range(20):
        work()
    count, wall, begun = 0, time.perf_counter(), measure()
    while time.perf_counter() - wall < seconds:
        work()
        count += 1
    return count / (measure() - begun)


def _call(application: Application, path: str, client: RegisteredClient, **form: str) -> bytes:
    body = urlencode(form).encode()
    basic = b64encode(f"{client.client_id}:{client.client_secret}".encode()).decode()
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Basic {basic}",
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
    }
    answered: list[str] = []
    response = application(environ, lambda status, _headers, *_rest: answered.append(status))
    content = b"".join(response)
    response.close()
    if not answered[0].startswith("200"):
        raise RuntimeError(f"{path}: {answered[0]} {content!r}")
    return content


def _line(label: str, rate: float, note: str = "") -> None:
    print(f"{label:<44} {rate:10,.0f} /s of one core  {note}", flush=True)
