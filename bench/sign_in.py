"""Signing in: how near to the bare password hash, how the same time tells no names apart, and a storm with its queue.

`python -m bench sign_in`; `--storm 120` shortens the storm of 20,000 people in ten minutes, `--seconds 0` runs it alone. Each
sign-in is a request through every middleware: lookup, locks, hash, risk, session, list of sign-ins, audit and event. The
bare limit is the same argon2id in the same run, on one core. `SHUREN_DATABASE_URL` chooses the database.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from bisect import bisect_left, bisect_right
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import connection
from django.test import Client

from bench.frame import ROOT
from shuren.directory.data import EnrollmentRole, OrgType, Role
from shuren.directory.models import Affiliation, Enrollment, Org, Person
from shuren.identity.data import Visit
from shuren.identity.hashers import Argon2idHasher
from shuren.identity.models import Account
from shuren.identity.services.sign_in import check_sign_in
from shuren.kernel import clock
from shuren.kernel.statistics import refresh_statistics

PASSWORD = "kavu-mite-tane-4827"  # of accounts that live as long as the bench
STORM_PEOPLE, STORM_SECONDS = 20_000, 600


def populate(people: int) -> None:
    """People who share one hash (what a sign-in costs does not depend on it): a pupil each, and every twentieth a teacher."""
    now, encoded = clock.now(), make_password(PASSWORD)
    school = Org.objects.create(pk=1, sourced_id="s", name="测试学校", type=OrgType.SCHOOL, path="1/", depth=1)
    room = Org.objects.create(pk=2, sourced_id="c", name="测试班", type=OrgType.CLASS, parent=school, path="1/2/", depth=2)
    rows = [Person(sourced_id=f"b{i}", number=f"B{i:08d}", name="测试", is_synthetic=True) for i in range(people)]
    Person.objects.bulk_create(rows, batch_size=2_000)
    accounts = [Account(person=row, username=row.number.lower(), password=encoded, created_at=now) for row in rows]
    Account.objects.bulk_create(accounts, batch_size=2_000)
    ties, seats = [], []
    for place, row in enumerate(rows):
        is_teacher = place % 20 == 0
        role, seat = (Role.TEACHER, EnrollmentRole.TEACHER) if is_teacher else (Role.PUPIL, EnrollmentRole.STUDENT)
        ties.append(Affiliation(sourced_id=row.sourced_id, person=row, org=school, org_path=school.path, role=role))
        seats.append(Enrollment(sourced_id=row.sourced_id, person=row, class_org=room, org_path=room.path, role=seat))
    Affiliation.objects.bulk_create(ties, batch_size=2_000)
    Enrollment.objects.bulk_create(seats, batch_size=2_000)
    refresh_statistics(Person, Account, Affiliation, Enrollment)


def come(client: Client, name: str) -> int:
    """One sign-in as a browser sends its form; returns the status."""
    sent = urlencode({"username": name, "password": PASSWORD})
    return client.post("/sign-in/", sent, content_type="application/x-www-form-urlencoded").status_code


def bare_limit(seconds: float) -> float:
    """Verifications of argon2id per CPU second of one thread."""
    hasher = Argon2idHasher()
    encoded = hasher.encode(PASSWORD, "salt" * 6)
    count, began = 0, time.process_time()
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        hasher.verify(PASSWORD, encoded)
        count += 1
    return count / (time.process_time() - began)


def sign_ins(seconds: float, people: int) -> tuple[float, float]:
    """Sign-ins per CPU second, and per second of wall time, one after the other through the whole stack."""
    client = Client()  # one for all: building the middleware is no part of a sign-in
    for place in range(5):  # the first request reads the whole program
        client.cookies.clear()
        come(client, f"b{people - 1 - place:08d}")
    count, began, started = 0, time.process_time(), time.perf_counter()
    while time.perf_counter() - started < seconds:
        client.cookies.clear()
        status = come(client, f"b{count % people:08d}")
        assert status == 302, status
        count += 1
    return count / (time.process_time() - began), count / (time.perf_counter() - started)


def name_times(tries: int, seconds: float) -> dict[str, tuple[list[float], list[float]]]:
    """Milliseconds, by the wall and by the processor, of a wrong password for a name that somebody has and for one that
    nobody has, sorted; by turns, neither always after the other. Ends early after `seconds`.
    """
    times: dict[str, tuple[list[float], list[float]]] = {"wall": ([], []), "processor": ([], [])}
    ends = time.perf_counter() + seconds
    for turn in range(tries):
        for kind in (0, 1) if turn % 2 else (1, 0):
            visit, now = Visit(f"10.{turn >> 8 & 255}.{turn & 255}.1"), clock.now() + timedelta(seconds=turn)
            began, spent = time.perf_counter(), time.thread_time()
            check_sign_in(name=f"{'bx'[kind]}{turn:08d}", password="wrong", visit=visit, now=now)  # a wrong one
            times["processor"][kind].append((time.thread_time() - spent) * 1_000)
            times["wall"][kind].append((time.perf_counter() - began) * 1_000)
        if time.perf_counter() > ends:
            break
    return {by: (sorted(known), sorted(unknown)) for by, (known, unknown) in times.items()}


def tell_apart(known: list[float], unknown: list[float]) -> float:
    """How well the time tells a known name from an unknown one: 0.5 is not at all, 1 always (area under the ROC curve)."""
    smaller = sum(bisect_left(unknown, value) + bisect_right(unknown, value) for value in known)
    return smaller / 2 / (len(known) * len(unknown))


def print_times(times: dict[str, tuple[list[float], list[float]]]) -> None:
    for by, (known, unknown) in times.items():
        print(f"wrong password, {len(known):,} of each, ms by the {by:<10} p5     p25     p50     p75     p95")
        for label, found in (("a name somebody has", known), ("a name nobody has", unknown)):
            shown = "  ".join(f"{found[int(len(found) * share)]:6.2f}" for share in (0.05, 0.25, 0.5, 0.75, 0.95))
            print(f"  {label:<46} {shown}")
        apart = abs(statistics.median(known) - statistics.median(unknown)) / statistics.median(known)
        print(f"  medians {apart:.1%} apart; a time tells which is which in {tell_apart(known, unknown):.3f} (0.5: never)")


def storm(seconds: float, people: int) -> None:
    """`shuren serve` on loopback, and the crowd as a process beside it on the same cores."""
    port = free_port()
    serve = [sys.executable, "-m", "shuren.front.cli", "serve", "--no-migrate", "--port", str(port)]
    crowd = [sys.executable, "-m", "bench.storm", str(port), PASSWORD, "--seconds", str(seconds), "--people", str(people)]
    server = subprocess.Popen(serve, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        wait_until_up(port)
        subprocess.run([*crowd, "--rate", str(STORM_PEOPLE / STORM_SECONDS)], cwd=ROOT, check=True)
    finally:
        server.terminate()
        server.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(port: int) -> None:
    for _try in range(240):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=1).close()
            return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError("serve did not answer")


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench sign_in", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--tries", type=int, default=2_000)
    parser.add_argument("--patience", type=float, default=240, help="seconds the tries may take")
    parser.add_argument("--storm", type=float, default=STORM_SECONDS, help="seconds of the storm at the same rate; 0 for none")
    wanted = parser.parse_args(options)
    settings.ALLOWED_HOSTS = ["*"]
    call_command("migrate", verbosity=0)
    populate(wanted.people)
    if not wanted.seconds:
        storm(wanted.storm, wanted.people)
        return
    print(f"{connection.vendor}, {wanted.people:,} accounts, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    bare = bare_limit(wanted.seconds / 2)
    cpu, wall = sign_ins(wanted.seconds, wanted.people)
    again = bare_limit(wanted.seconds / 2)
    limit = (bare + again) / 2
    print(f"bare argon2id {limit:6.1f}/CPU s   sign-ins {cpu:6.1f}/CPU s ({wall:.1f}/s)   ratio {cpu / limit:.2f}")
    print_times(name_times(wanted.tries, wanted.patience))
    if wanted.storm:
        storm(wanted.storm, wanted.people)
