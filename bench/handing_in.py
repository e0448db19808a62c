"""Schools that hand in a form of many fields all at once, through the pages, against a server of two workers.

Each school opens what it is asked for, begins, has its draft saved once while it types, and hands in: five requests, as a
browser sends them. Everybody is signed in before the clock starts. The driver shares the processors with the server and the
database, so its own work is part of the figure. `SHUREN_DATABASE_URL` chooses the database.
"""

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
from django.conf import settings
from django.core.management import call_command

from bench.collections import add_city, add_schools, answer, issue, put_form, untold
from bench.frame import ROOT
from bench.web import free_port, wait_for
from shuren.casework.data import TargetState
from shuren.casework.models import CollectionTarget
from shuren.casework.services.collections.issue import issue_targets
from shuren.directory.models import Affiliation
from shuren.identity import api as identity
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM

PASSWORD = "bench-2026-pass"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
REVISION = re.compile(r'"revision": ?(\d+)')


@dataclass
class School:
    """A head's browser, and what it has to hand in."""

    url: str
    username: str
    targets: list[str] = field(default_factory=list)
    session: requests.Session = field(default_factory=requests.Session)

    def sign_in(self) -> None:
        page = self.session.get(f"{self.url}/sign-in/")
        told = {"csrfmiddlewaretoken": token_in(page.text), "username": self.username, "password": PASSWORD}
        answered = self.session.post(f"{self.url}/sign-in/", told, headers={"Referer": page.url})
        assert "/sign-in/" not in answered.url, answered.url

    def hand_in(self, target: str, data: dict[str, Any], took: dict[str, list[float]]) -> None:
        """Every answer is looked at: what is not accepted ends the run."""
        page = self._send(took, "open", "GET", f"{self.url}/collections/{target}/fill/")
        headers = {"Referer": page.url, "X-CSRFToken": token_in(page.text)}
        begun = self._send(took, "begin, form drawn", "POST", page.url, headers=headers)
        revision = REVISION.search(begun.text)
        assert revision, begun.url
        headers["X-CSRFToken"] = token_in(begun.text)
        told = {"revision": int(revision[1]), "data": data}
        self._send(took, "save while typing", "PATCH", begun.url, json=told, headers=headers)
        form = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in data.items()}
        form |= {"act": "submit", "revision": str(int(revision[1]) + 1)}
        done = self._send(took, "hand in, case shown", "POST", begun.url, data=form, headers=headers)
        assert not done.url.endswith("/fill/"), done.text[:2000]

    def _send(self, took: dict[str, list[float]], name: str, method: str, url: str, **more: Any) -> requests.Response:
        began = time.perf_counter()
        answered = self.session.request(method, url, **more)
        took[name].append(time.perf_counter() - began)
        answered.raise_for_status()
        return answered


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench handing_in")
    parser.add_argument("--schools", type=int, default=200)
    parser.add_argument("--times", type=int, default=5, help="collections that each school answers")
    parser.add_argument("--fields", type=int, default=300)
    parser.add_argument("--at-once", type=int, default=8)
    asked = parser.parse_args(options)
    call_command("migrate", verbosity=0)
    form, city = put_form(asked.fields), add_city()
    add_schools(city, asked.schools)
    for _ in range(asked.times):
        issue_targets(collection_id=issue(city, form.key).pk, on_progress=untold, now=clock.now())
    port = free_port()
    schools = with_accounts(f"http://127.0.0.1:{port}")
    words = [sys.executable, "-m", "shuren.front.cli", "serve", "--no-migrate", "--port", str(port)]
    server = subprocess.Popen(words, cwd=ROOT, env=os.environ | {"SHUREN_WORKERS": "2", "SHUREN_THREADS": "2"})
    try:
        wait_for(port, server)
        run(schools, answer(asked.fields), asked.at_once)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    print(f"database: {settings.DATABASES['default']['ENGINE'].rpartition('.')[2]}")


def with_accounts(url: str) -> list[School]:
    """One browser per school, its head with an account."""
    heads = dict(Affiliation.objects.values_list("org_id", "person_id"))
    names = {person: f"bench-{person}" for person in heads.values()}
    identity.create_accounts(actor=SYSTEM, person_ids=list(names), usernames=names, now=clock.now())
    schools = {org: School(url, names[person]) for org, person in heads.items()}
    for person in names:
        identity.set_password(actor=SYSTEM, person_id=person, password=PASSWORD, must_change=False, now=clock.now())
    for pk, org in CollectionTarget.objects.order_by("pk").values_list("pk", "org_id"):
        schools[org].targets.append(ids.encode("target", pk))
    return list(schools.values())


def run(schools: list[School], data: dict[str, Any], at_once: int) -> None:
    took: dict[str, list[float]] = defaultdict(list)
    with ThreadPoolExecutor(at_once) as crowd:
        list(crowd.map(School.sign_in, schools))
        began = time.perf_counter()
        for number in range(len(schools[0].targets)):
            list(crowd.map(lambda school, number=number: school.hand_in(school.targets[number], data, took), schools))
        wall = time.perf_counter() - began
    done = CollectionTarget.objects.filter(state=TargetState.ACCEPTED.value).count()
    assert done == CollectionTarget.objects.count(), done
    print(f"{done:,} forms of {len(data)} fields handed in by {len(schools):,} schools: {60 * done / wall:,.0f} a minute")
    print("| request | p50 ms | p95 ms |\n|---|---|---|")
    for name, times in took.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"| {name} | {1000 * statistics.median(times):.0f} | {1000 * p95:.0f} |", flush=True)


def token_in(page: str) -> str:
    found = TOKEN.search(page)
    assert found, page[:2000]
    return found[1]
