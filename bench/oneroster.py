"""OneRoster on a large region: a delta of one person in a hundred, deep pages and filters, through the whole WSGI stack.

`python -m bench oneroster --people 1000000`; `SHUREN_DATABASE_URL` chooses the database (empty: SQLite). The people are those
of `accounts`; the client is a system of the region's own. The limit beside the delta is what the same rows take to be read from
the database and written as JSON with nothing of the service in between.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from bench.accounts import Region
from bench.scim import asked, timed_both
from bench.tokens import Application
from shuren.directory import api as directory
from shuren.directory.models import Person
from shuren.identity import api as identity
from shuren.identity.data import GrantType, NewClient
from shuren.identity.services.oauth.families import own_access_token
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM
from shuren.standards.api import load_registry

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
