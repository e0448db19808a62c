"""Learning records taken in over HTTP by a server of two workers on PostgreSQL: batches of a hundred, then single ones.

Statements have 0.9 KB, as a lesson's app tells them: actor, verb, activity with its definition, result, context. All have ids
of their own and are answered when they are on the disk. The driver shares the processors with the server and the database, so its
own work is part of the figure. Single ones come over as many connections as an installation that was not told otherwise has
threads for: those that come at once are written together. Beside them stands the floor of the same run: the same rows by COPY
into a stage and ON CONFLICT, one connection, no checks. With `--rows` the tables are filled first, over twelve months, and
everything is measured again.
Named anchor: Ralph 5.1 with files as its store, 2,341 a second falling to 1,393 within 10,000 rows.
"""

import argparse
import http.client
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
from django.core.management import call_command
from django.db import connection

from bench.frame import ROOT
from bench.statements_kept import fill, show_sums
from bench.web import free_port, wait_for
from shuren.identity import api as identity
from shuren.identity.data import GrantType, NewClient, RegisteredClient
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.records.models import StatementKey
from shuren.work.data import JobStatus
from shuren.work.models import Job

BATCH = 100
BATCHES_AT_ONCE = 6
BATCHES, SINGLE = 8_000, 700
RALPH = 2_341
SETTLES, LIVE = 90.0, (JobStatus.QUEUED.value, JobStatus.RUNNING.value)
PEOPLE, ACTIVITIES, TEMPLATES = 20_000, 2_000, 4_000
VERBS = ("experienced", "attempted", "answered", "completed", "passed", "failed", "progressed")


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench statements")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each figure is measured")
    parser.add_argument("--rows", type=int, default=0, help="statements that lie there before everything is measured again")
    parser.add_argument(
        "--lake-rows", type=int, default=0, help="statements of a year that are summed in the lake; those of --rows unless told"
    )
    parser.add_argument("--at-once", type=int, default=24, help="connections of the driver with single statements")
    parser.add_argument("--threads", type=int, default=12, help="threads of each of the two workers")
    asked = parser.parse_args(options)
    if connection.vendor != "postgresql":
        sys.exit("needs PostgreSQL: set SHUREN_DATABASE_URL")
    call_command("migrate", verbosity=0)
    told = list(templates())
    print(f"statements of {statistics.mean(len(one) for one in told) + 44:,.0f} bytes; database {connection.vendor}")
    floor = stage_rate(told, asked.seconds / 4)
    line("floor: COPY into a stage, ON CONFLICT", floor, "one connection, nothing checked")
    with server(asked.threads) as port:
        call = Driver(port, client(), told, asked.at_once)
        measure(call, asked.seconds, floor)
        if asked.rows:
            fill(asked.rows)
            print(f"with {StatementKey.objects.count():,} statements over twelve months:")
            measure(call, asked.seconds, floor)
    if asked.rows or asked.lake_rows:
        show_sums(asked.lake_rows or asked.rows)


def measure(call: "Driver", seconds: float, floor: float) -> None:
    for label, size, aim in (("batches of a hundred", BATCH, BATCHES), ("single statements", 1, SINGLE)):
        call.run(1.0, size)
        before = busy()
        rate, p99 = call.run(seconds, size)
        spent = (busy() - before) / (rate * seconds / size)
        note = (
            f"{rate / floor:.2f} of the floor; p99 {p99:.0f} ms; {1000 * spent:.2f} ms of both cores a request; asked for {aim:,}"
        )
        line(label, rate, f"{note}; {rate / RALPH:.1f} x Ralph" if size > 1 else note)


def busy() -> float:
    """Seconds that all cores have worked since the machine began, whoever for: server, database and driver are all of it here."""
    user, nice, system = Path("/proc/stat").read_text().split(None, 4)[1:4]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def templates() -> Iterator[bytes]:
    """Statements without their ids, which a batch puts in."""
    draw = random.Random(5)
    for _ in range(TEMPLATES):
        activity, person = draw.randrange(ACTIVITIES), draw.randrange(PEOPLE)
        statement = {
            "actor": {"objectType": "Agent", "account": {"homePage": "https://lessons.example.org", "name": f"p{person}"}},
            "verb": {"id": f"http://adlnet.gov/expapi/verbs/{draw.choice(VERBS)}", "display": {"zh-CN": "回答"}},
            "object": {
                "id": f"https://lessons.example.org/activities/{activity}",
                "definition": {
                    "name": {"zh-CN": f"分数的初步认识 第 {activity} 题"},
                    "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
                    "interactionType": "numeric",
                },
            },
            "result": {"success": draw.random() < 0.7, "score": {"scaled": round(draw.random(), 2)}, "duration": "PT42S"},
            "context": {
                "registration": str(UUID(int=draw.getrandbits(128), version=4)),
                "platform": "lessons",
                "contextActivities": {"parent": [{"id": f"https://lessons.example.org/units/{activity // 20}"}]},
            },
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        yield json.dumps(statement, ensure_ascii=False).encode()[1:]


def stage_rate(told: list[bytes], seconds: float) -> float:
    """Statements a second into a stage and from there into a table with a unique id, a hundred a transaction."""
    server, _slash, name = os.environ["SHUREN_DATABASE_URL"].rpartition("/")
    draw, count = random.Random(6), 0
    with psycopg.connect(f"{server}/{name}") as own:
        own.execute("CREATE TABLE bench_floor (id uuid PRIMARY KEY, body text)")
        own.execute("CREATE TEMP TABLE bench_stage (id uuid, body text)")
        own.commit()
        begun = time.perf_counter()
        while time.perf_counter() - begun < seconds:
            with own.cursor().copy("COPY bench_stage FROM STDIN") as copy:
                for one in draw.choices(told, k=BATCH):
                    copy.write_row((UUID(int=draw.getrandbits(128), version=4), one.decode()))
            own.execute("INSERT INTO bench_floor SELECT * FROM bench_stage ON CONFLICT DO NOTHING")
            own.execute("TRUNCATE bench_stage")
            own.commit()
            count += BATCH
        took = time.perf_counter() - begun
        own.execute("DROP TABLE bench_floor")
    return count / took


def client() -> RegisteredClient:
    grants, scopes = frozenset({GrantType.CLIENT_CREDENTIALS}), frozenset({"statements/write", "define"})
    new = NewClient(name="bench", grant_types=grants, scopes=scopes, is_first_party=True)
    return identity.register_client(actor=SYSTEM, client=new, now=clock.now())


class server:  # noqa: N801  # a context manager, used as one
    """`shuren serve` with two workers on a port of its own."""

    def __init__(self, threads: int) -> None:
        self.threads = str(threads)

    def __enter__(self) -> int:
        port = free_port()
        words = [sys.executable, "-m", "shuren.front.cli", "serve", "--no-migrate", "--port", str(port)]
        self.process = subprocess.Popen(words, cwd=ROOT, env=os.environ | {"SHUREN_WORKERS": "2", "SHUREN_THREADS": self.threads})
        wait_for(port, self.process)
        until = time.monotonic() + SETTLES
        while Job.objects.filter(status__in=LIVE, run_after__lte=clock.now()).exists() and time.monotonic() < until:
            time.sleep(1)  # what a worker has to do once when it begins is none of ours
        return port

    def __exit__(self, *_raised: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


class Driver:
    """Connections that are kept, each with statements of its own."""

    def __init__(self, port: int, registered: RegisteredClient, told: list[bytes], at_once: int) -> None:
        self.port, self.told, self.at_once = port, told, at_once
        basic = b64encode(f"{registered.client_id}:{registered.client_secret}".encode()).decode()
        self.headers = {
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/json",
            "X-Experience-API-Version": "1.0.3",
        }

    def run(self, seconds: float, size: int) -> tuple[float, float]:
        """Statements a second, and the 99th percentile of a request in milliseconds."""
        begun, lanes = time.perf_counter(), self.at_once if size == 1 else min(BATCHES_AT_ONCE, self.at_once)
        seeds = [random.randrange(1 << 62) for _ in range(lanes)]
        with ThreadPoolExecutor(lanes) as crowd:
            took = [one for some in crowd.map(lambda seed: self._send(seed, begun + seconds, size), seeds) for one in some]
        wall = time.perf_counter() - begun
        return len(took) * size / wall, 1000 * statistics.quantiles(took, n=100)[-1]

    def _send(self, seed: int, until: float, size: int) -> list[float]:
        draw, took, link = random.Random(seed), [], http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while time.perf_counter() < until:
            body = b",".join(_with_id(one, draw.getrandbits(128)) for one in draw.choices(self.told, k=size))
            began = time.perf_counter()
            link.request("POST", "/xapi/statements", body=b"[" + body + b"]", headers=self.headers)
            answer = link.getresponse()
            content = answer.read()
            took.append(time.perf_counter() - began)
            if answer.status != 200 or content.count(b"-") != 4 * size:
                raise RuntimeError(f"{answer.status} {content[:500]!r}")
        link.close()
        return took


def _with_id(template: bytes, bits: int) -> bytes:
    return b'{"id":"%s",' % str(UUID(int=bits, version=4)).encode() + template


def line(label: str, rate: float, note: str) -> None:
    print(f"{label:<44} {rate:10,.0f} /s  {note}", flush=True)
