"""A school with people, and services that stand outside."""

import http.server
import threading
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from shuren.identity.models import CasService
from shuren.identity.services.cas.register import NewCasService, register_cas_service
from shuren.identity.tests.conftest import *  # noqa: F403  # the cast of all of identity's tests
from shuren.identity.tests.conftest import NOW, School
from shuren.kernel.data import SYSTEM


class Outside:
    """A program of somebody else that listens on this machine and remembers who called."""

    def __init__(self, server: http.server.ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.calls: list[tuple[str, str, dict[str, list[str]]]] = []
        self.status = 200
        self.bodies: dict[str, bytes] = {}
        self.answers_post: Callable[[str], bytes] = lambda _path: b"ok"


@pytest.fixture
def outside(settings: object) -> Iterator[Outside]:
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.0/8"]

    class Desk(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            here.calls.append(("GET", parts.path, parse_qs(parts.query)))
            self._answer(here.bodies.get(parts.path, b"ok"))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            path = urlsplit(self.path).path
            here.calls.append(("POST", path, parse_qs(body)))
            self._answer(here.answers_post(path))

        def _answer(self, body: bytes) -> None:
            self.send_response(here.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    here = Outside(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield here
    server.shutdown()
    server.server_close()


@pytest.fixture
def library(school: School, outside: Outside, settings: object) -> CasService:
    """The school's library, which may know names and roles and may go on to other services."""
    settings.SHUREN_CAS_TICKET_SECONDS = 300  # a busy machine takes longer than ten seconds for some tests
    new = NewCasService(
        name="图书馆",
        address=f"{outside.url}/lib/",
        org_id=school.orgs["school"],
        user="number",
        attributes=("name", "roles", "orgs"),
        may_proxy=True,
        is_first_party=True,
    )
    return CasService.objects.select_related("org").get(pk=register_cas_service(actor=SYSTEM, service=new, now=NOW))
