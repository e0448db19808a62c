"""SCIM on a large region: what lists, pages far in, filters and refusals take, through the whole WSGI stack.

`python -m bench scim --accounts 1000000`; `SHUREN_DATABASE_URL` chooses the database (empty: SQLite). The people are those of
`accounts`; one client reaches the whole region, one a school.
"""

import argparse
import io
import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from bench.accounts import Region
from bench.tokens import Application
from shuren.directory import api as directory
from shuren.identity import api as identity
from shuren.identity.data import GrantType, NewClient
from shuren.identity.services.oauth.families import own_access_token
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM
from shuren.standards.api import load_registry

COUNT = 100


def asked(application: Application, path: str, *, token: str, status: str = "200", query: Mapping[str, object]) -> Any:
    """The JSON that a GET is answered with in this process, without a server; raises `RuntimeError` for another status."""
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": urlencode(query),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
    }
    answered: list[str] = []
    response = application(environ, lambda line, _headers, *_rest: answered.append(line))
    content = b"".join(response)
    response.close()
    if not answered[0].startswith(status):
        raise RuntimeError(f"{path}: {answered[0]} {content[:500]!r}")
    return json.loads(content)


class Reader:
    """A client with a token that reads over SCIM."""

    def __init__(self, application: Application, org_id: int) -> None:
        scopes = frozenset({"scim.read"})
        new = NewClient(
            name="bench",
            grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}),
            scopes=scopes,
            is_first_party=True,
            org_id=org_id,
        )
        client = identity.register_client(actor=SYSTEM, client=new, now=clock.now())
        self._token = own_access_token(client_pk=client.id, scopes=tuple(scopes), now=clock.now())
        self._application = application

    def ask(self, path: str, *, status: str = "200", **query: object) -> Any:
        return asked(self._application, f"/scim/v2{path}", token=self._token, status=status, query=query)


def timed_both(work: Callable[[int], object], turns: int) -> tuple[float, float]:
    """The 95th percentile on the wall and the mean of this process's CPU, in milliseconds; the first turn is left out."""
    work(0)
    walls, cpu = [], time.process_time()
    for turn in range(1, turns + 1):
        begun = time.perf_counter()
        work(turn)
        walls.append(1_000 * (time.perf_counter() - begun))
    return sorted(walls)[math.ceil(0.95 * turns) - 1], 1_000 * (time.process_time() - cpu) / turns


def look(region: Region, everything: Reader, school: Reader, turns: int) -> dict[str, tuple[float, float]]:
    def number(turn: int) -> int:
        return turn * 7919 % region.people + 1

    def far(turn: int) -> Any:
        cache.clear()
        return everything.ask("/Users", startIndex=region.people // 2 + turn, count=COUNT)

    def equal(reader: Reader, key: str, value: str) -> Any:
        return reader.ask("/Users", filter=f'{key} eq "{value}"')

    def person(turn: int) -> str:
        return ids.encode("person", region.kind.pk + number(turn))

    return {
        f"the region: first page of {COUNT}": timed_both(lambda _turn: everything.ask("/Users", count=COUNT), turns),
        "page after page": timed_both(lambda turn: everything.ask("/Users", startIndex=1 + turn * COUNT, count=COUNT), turns),
        "a page in the middle, asked for out of the blue": timed_both(far, turns),
        "userName eq": timed_both(lambda turn: equal(everything, "userName", f"B{number(turn):013d}"), turns),
        "phoneNumbers.value eq": timed_both(
            lambda turn: equal(everything, "phoneNumbers.value", str(13000000000 + 2 * (number(turn) // 2))), turns
        ),
        "one user by id": timed_both(lambda turn: everything.ask(f"/Users/{person(turn)}"), turns),
        "a filter without an index, refused": timed_both(
            lambda _turn: everything.ask("/Users", status="400", filter='displayName co "伟"'), turns
        ),
        f"a school of 2,000: first page of {COUNT}": timed_both(lambda _turn: school.ask("/Users", count=COUNT), turns),
        "its last page": timed_both(lambda _turn: school.ask("/Users", startIndex=1_901, count=COUNT), turns),
        "a filter without an index, answered by reading all 2,000": timed_both(
            lambda _turn: school.ask("/Users", filter='displayName co "伟"', count=COUNT), min(turns, 3)
        ),
    }


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench scim", description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=20, help="how often each question is asked")
    chosen = parser.parse_args(options)
    call_command("migrate", verbosity=0)
    load_registry()
    application: Application = get_wsgi_application()
    region = Region()
    region.grow(chosen.accounts)
    directory.rebuild_counts(day=clock.day_of(clock.now()))
    everything, school = Reader(application, region.city.id), Reader(application, region.first_school)
    print(f"{region.people:,} accounts; ms\n\n| | CPU of Python, mean | wall, p95 |\n|---|---|---|")
    for label, (wall, cpu) in look(region, everything, school, chosen.turns).items():
        print(f"| {label} | {cpu:,.0f} | {wall:,.0f} |", flush=True)
