"""OneRoster on a large region: a delta of one person in a hundred, deep pages and filters, through the whole WSGI stack.

`python -m bench oneroster --people 1000000`; `SHUREN_DATABASE_URL` chooses the database (empty: SQLite). The people are those
of `accounts`; the client is a system of the region's own. The limit beside the delta is what the same rows take to be read from
the database and written as JSON with nothing of the service in between.

Last the other direction: one person in a hundred changed in a system of others, taken by a roster source from the first page
asked to the import applied. The other side answers from memory, so that the figure is ours alone; indexing and counting come
after.
"""

import argparse
import json
import time
from collections.abc import Callable
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.core.cache import cache
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from bench.accounts import Region
from bench.scim import asked, timed_both
from bench.tokens import Application
from shuren.directory import api as directory
from shuren.directory.models import Affiliation, Person
from shuren.identity import api as identity
from shuren.identity.data import GrantType, NewClient
from shuren.identity.services.oauth.families import own_access_token
from shuren.interop.data import PullStatus, SourceMode
from shuren.interop.models import RosterPull, RosterSource
from shuren.interop.services.roster_pull import remote
from shuren.interop.services.roster_pull.sources import ask_pull
from shuren.kernel import clock, ids, outward
from shuren.kernel.data import SYSTEM
from shuren.standards.api import load_registry
from shuren.trust.api import seal
from shuren.work.api import run_pending
from shuren.work.models import Job

SCOPE = "https://purl.imsglobal.org/spec/or/v1p2/scope/roster.readonly"
SECONDS = 60.0
_PAGE = 10_000


class Reader:
    """A client with a token that reads the roster."""

    def __init__(self, application: Application, org_id: int) -> None:
        new = NewClient(
            name="bench",
            grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}),
            scopes=frozenset({SCOPE}),
            is_first_party=True,
            org_id=org_id,
        )
        client = identity.register_client(actor=SYSTEM, client=new, now=clock.now())
        self._token = own_access_token(client_pk=client.id, scopes=(SCOPE,), now=clock.now())
        self._application = application

    def ask(self, path: str, **query: object) -> Any:
        return asked(self._application, f"/ims/oneroster/rostering/v1p2{path}", token=self._token, query=query)


def delta(reader: Reader, since: str) -> int:
    """Everybody changed since, page by page; returns how many."""
    found = 0
    while True:
        query: dict[str, object] = {"filter": f"dateLastModified>'{since}'", "limit": _PAGE, "offset": found}
        page = reader.ask("/users", **query)["users"]
        found += len(page)
        if len(page) < _PAGE:
            return found


def bare_rows(row_ids: list[int]) -> float:
    begun = time.perf_counter()
    names = ("pk", "name", "grade", "email", "phone", "is_active")
    json.dumps([list(row) for row in Person.objects.filter(pk__in=row_ids).values_list(*names)])
    return time.perf_counter() - begun


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench oneroster", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=10, help="how often each question is asked")
    chosen = parser.parse_args(options)
    call_command("migrate", verbosity=0)
    load_registry()
    application: Application = get_wsgi_application()
    region = Region()
    region.grow(chosen.people)
    directory.rebuild_counts(day=clock.day_of(clock.now()))
    reader = Reader(application, region.city.id)
    since = clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    last = region.kind.pk + region.people
    changed = list(range(region.kind.pk + 1, last, 100))
    for start in range(0, len(changed), 500):
        Person.objects.filter(pk__in=changed[start : start + 500]).update()
    # The first answer of a process reads its programs.
    reader.ask("/orgs")
    begun, cpu = time.perf_counter(), time.process_time()
    found = delta(reader, since)
    used = time.process_time() - cpu
    took = time.perf_counter() - begun
    limit = bare_rows(changed[:10_000])
    print(f"{region.people:,} people, {found:,} changed: delta in {took:.1f} s ({found / took:,.0f}/s; wanted {SECONDS:.0f} s),")
    print(f"{used:.1f} s of Python,")
    print(f"{took / max(limit, 1e-9) * min(1, 10_000 / max(found, 1)):.0f} × the bare rows of the same people\n")
    print("| | CPU of Python, mean ms | wall, p95 ms |\n|---|---|---|")
    for label, work in questions(reader, region).items():
        wall, cpu = timed_both(work, chosen.turns)
        print(f"| {label} | {cpu:,.0f} | {wall:,.0f} |", flush=True)
    take_delta(region, changed)


class Other:
    """A OneRoster service of others that answers from memory, in place of the network."""

    def __init__(self, users: list[dict[str, Any]]) -> None:
        self._users = users

    def call(self, url: str, *, method: str = "GET", **_options: object) -> outward.Answer:
        if method == "POST":
            return outward.Answer(200, b'{"access_token": "bench", "expires_in": 3600}', {})
        parts = urlsplit(url)
        name, query = parts.path.rsplit("/", 1)[-1], dict(parse_qsl(parts.query))
        rows = self._users if name == "users" else []
        start = int(query["offset"])
        body = json.dumps({name: rows[start : start + int(query["limit"])]}).encode()
        return outward.Answer(200, body, {"X-Total-Count": str(len(rows)), "Date": format_datetime(clock.now())})


def changed_users(row_ids: list[int]) -> list[dict[str, Any]]:
    """The same people as the other side tells of them, each with another family name."""
    at = clock.now().isoformat(timespec="milliseconds")
    told = []
    for start in range(0, len(row_ids), 500):
        rows = Affiliation.objects.filter(person_id__in=row_ids[start : start + 500])
        for person, name, org in rows.values_list("person__sourced_id", "person__name", "org__sourced_id"):
            role = {"roleType": "primary", "role": "student", "org": {"href": "", "sourcedId": org, "type": "org"}}
            names = {"familyName": "改", "givenName": name[1:] or name, "enabledUser": "true", "roles": [role]}
            told.append({"sourcedId": person, "status": "active", "dateLastModified": at, **names})
    return told


def take_delta(region: Region, row_ids: list[int]) -> None:
    """Take one turn of changes, and say how long it took from the first page to the last row."""
    source = RosterSource.objects.create(
        org_id=region.city.id,
        name="bench",
        address="https://sis.example.cn/v1p2",
        token_address="https://sis.example.cn/token",
        client_id="bench",
        secret_sealed=seal(b"bench", purpose=remote.SEALED_FOR),
        mode=SourceMode.APPLY.value,
        owner_person_id=region.officer.person_id,
        owner_name=region.officer.name,
        seen_at=clock.now(),
        full_at=clock.now(),
        created_at=clock.now(),
    )
    other = Other(changed_users(row_ids))
    kept, outward.call = outward.call, other.call  # type: ignore[assignment]  # the bench stands in for the network
    try:
        Job.objects.all().delete()
        begun, cpu = time.perf_counter(), time.process_time()
        pull_id = ask_pull(actor=region.officer, source_id=source.pk, kind=None, now=clock.now())
        while RosterPull.objects.get(pk=pull_id).ended_at is None and run_pending(1):
            pass
        took, used = time.perf_counter() - begun, time.process_time() - cpu
    finally:
        outward.call = kept
    pull = RosterPull.objects.get(pk=pull_id)
    assert pull.status == PullStatus.APPLIED, (pull.status, pull.error, pull.faults[:3])
    changed = pull.changes["person"]["changed"]
    print(f"\na source's delta of {changed:,} people: {took:.1f} s (wanted {SECONDS:.0f} s), {used:.1f} s of CPU")


def questions(reader: Reader, region: Region) -> dict[str, Callable[[int], Any]]:
    def far(turn: int) -> Any:
        cache.clear()
        return reader.ask("/users", offset=region.people // 2 + turn)

    def one(turn: int) -> Any:
        return reader.ask(f"/users/{ids.encode('person', region.kind.pk + turn * 7919 % region.people + 1)}")

    return {
        "first page of 100": lambda _turn: reader.ask("/users"),
        "page after page": lambda turn: reader.ask("/users", offset=turn * 100),
        "a page in the middle, asked for out of the blue": far,
        "one user": one,
        "phone='…'": lambda turn: reader.ask("/users", filter=f"phone='{13000000000 + 2 * turn}'"),
        "a page of 10,000": lambda _turn: reader.ask("/users", limit=10_000),
    }
