"""A small OneRoster service of others on loopback: pages, tokens that end, limits, and answers that tests spoil."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

Told = dict[str, Any]
OLD = "2026-09-01T00:00:00.000Z"
LIST_OF = ("orgs", "academicSessions", "courses", "classes", "users", "demographics", "enrollments")


def ref(kind: str, sourced_id: str) -> Told:
    return {"href": f"https://sis.example/{kind}s/{sourced_id}", "sourcedId": sourced_id, "type": kind}


@dataclass
class Service:
    """What the service holds, how large its pages are, and what has been asked of it; `spoil` may answer in its stead."""

    rows: dict[str, list[Told]] = field(default_factory=lambda: {name: [] for name in LIST_OF})
    most: int = 1_000
    tokens: int = 0
    valid: set[str] = field(default_factory=set)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    spoil: Callable[[str, dict[str, str]], tuple[int, dict[str, str], bytes] | None] = lambda name, query: None
    address: str = ""

    def add(self, resource: str, sourced_id: str, *, at: str = OLD, status: str = "active", **told: Any) -> None:
        self.drop(resource, sourced_id)
        self.rows[resource].append({"sourcedId": sourced_id, "status": status, "dateLastModified": at, **told})

    def drop(self, resource: str, sourced_id: str) -> None:
        self.rows[resource] = [row for row in self.rows[resource] if row["sourcedId"] != sourced_id]

    def row(self, resource: str, sourced_id: str) -> Told:
        return next(row for row in self.rows[resource] if row["sourcedId"] == sourced_id)

    def add_user(self, sourced_id: str, family: str, given: str, role: str, school: str, **more: Any) -> None:
        roles = [{"roleType": "primary", "role": role, "org": ref("org", school)}]
        told: Told = {"enabledUser": "true", "username": "", "givenName": given, "familyName": family, "roles": roles}
        self.add("users", sourced_id, **{**told, **more})

    def add_pupil(self, sourced_id: str, name: str, class_id: str, school: str, **more: Any) -> None:
        self.add_user(sourced_id, name[0], name[1:], "student", school, **more)
        place = {"user": ref("user", sourced_id), "class": ref("class", class_id), "school": ref("org", school)}
        self.add("enrollments", f"E-{sourced_id}", role="student", primary="true", **place)

    def answer(self, name: str, query: dict[str, str], token: str) -> tuple[int, dict[str, str], bytes]:
        self.asked.append((name, query))
        if token not in self.valid:
            return 401, {}, b"{}"
        if (spoilt := self.spoil(name, query)) is not None:
            return spoilt
        rows = sorted(self.rows[name], key=lambda row: row["sourcedId"])
        if "filter" in query:
            since = query["filter"].removeprefix("dateLastModified>='").removesuffix("'")
            rows = [row for row in rows if row["dateLastModified"] >= since]
        start, size = int(query["offset"]), min(int(query["limit"]), self.most)
        body = json.dumps({name: rows[start : start + size]}, ensure_ascii=False).encode()
        return 200, {"X-Total-Count": str(len(rows))}, body


def small_service() -> Service:
    """A school with one class, a teacher, thirty pupils and the mother of the first."""
    service = Service()
    service.add("orgs", "S9", name="新湖小学", type="school", identifier="")
    service.add(
        "academicSessions", "T1", title="2026 秋", type="term", startDate="2026-09-01", endDate="2027-01-31", schoolYear="2027"
    )
    service.add("courses", "KC", title="语文", courseCode="YW", org=ref("org", "S9"))
    terms = [ref("academicSession", "T1")]
    service.add(
        "classes", "K1", title="三年级1班", classType="homeroom", course=ref("course", "KC"), school=ref("org", "S9"), terms=terms
    )
    service.add_user("T-1", "沈", "老师", "teacher", "S9")
    service.add_user("G-1", "何", "妈妈", "parent", "S9")
    for number in range(1, 31):
        agents = [ref("user", "G-1")] if number == 1 else []
        service.add_pupil(f"P-{number:02}", f"何{chr(0x4E00 + number)}", "K1", "S9", agents=agents)
    place = {"user": ref("user", "T-1"), "class": ref("class", "K1"), "school": ref("org", "S9")}
    service.add("enrollments", "E-T-1", role="teacher", primary="true", **place)
    return service


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            service.tokens += 1
            token = f"t{service.tokens}"
            service.valid = {token}
            self._say(200, {}, json.dumps({"access_token": token, "token_type": "bearer", "expires_in": 3600}).encode())

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            self._say(*service.answer(parts.path.rsplit("/", 1)[-1], query, token))

        def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    service.address = f"http://127.0.0.1:{server.server_address[1]}"
    yield service
    server.shutdown()
    server.server_close()
