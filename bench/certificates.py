"""A list of diplomas from a file: checked, taken in, signed, anchored and audited; verified; and the printed page.

`python -m bench certificates --count 100000` is the list of a region. Processes of their own work on it, and one of them is
killed by SIGKILL while it gives; after `--seconds` the giving is stopped, so that what was given by then counts. The bare
limit is the rate of Ed25519 signatures in the same run. `SHUREN_DATABASE_URL` chooses the database.
"""

import argparse
import csv
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from bench.evidence import cores_busy
from bench.frame import ROOT
from shuren.certificates import api as certificates
from shuren.certificates.data import CertificateKind, Layout, NewTemplate, Verdict
from shuren.certificates.models import Batch, Certificate
from shuren.certificates.services.present import status_list
from shuren.certificates.services.print import printed
from shuren.certificates.services.take_list import NAME, NUMBER, ORG, TEMPLATE
from shuren.directory import api as directory
from shuren.directory.data import NewOrg, NewPerson, OrgType, Role
from shuren.directory.models import Affiliation, Person
from shuren.identity import api as identity
from shuren.intake import api as intake
from shuren.intake.data import ImportStatus
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM, Actor
from shuren.work.models import Job


def giver() -> tuple[Actor, int]:
    """The head of a school, and the school."""
    now = clock.now()
    org = directory.add_org(actor=SYSTEM, org=NewOrg(parent_id=None, type=OrgType.SCHOOL, name="测试学校", code="S1"), now=now)
    person = directory.add_person(actor=SYSTEM, person=NewPerson(name="测试", is_synthetic=True), now=now)
    directory.affiliate(actor=SYSTEM, person_id=person.id, org_id=org.id, role=Role.HEAD, begin_date=clock.day_of(now), now=now)
    identity.create_accounts(actor=SYSTEM, person_ids=[person.id], usernames={person.id: "head"}, now=now)
    return Actor(person_id=person.id, account_id=None, name="测试"), org.id


def bare_signatures(count: int) -> float:
    key = Ed25519PrivateKey.generate()
    began = time.perf_counter()
    for _turn in range(count):
        key.sign(b"x" * 64)
    return count / (time.perf_counter() - began)


def timed(count: int, what: str, action: Callable[[], object]) -> None:
    wall, cpu = time.perf_counter(), sum(os.times()[:4])
    action()
    seconds, busy = time.perf_counter() - wall, max(sum(os.times()[:4]) - cpu, 0.01)
    print(f"{what}: {seconds:.2f} s, {count / seconds:,.0f}/s; {count / busy:,.0f} for a second of processor time")


def write_list(path: Path, people: Iterable[Person]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow([TEMPLATE, NUMBER, NAME, ORG])
        lines.writerows(["毕业证书", person.number, person.name, "S1"] for person in people)


def worked(*, until: Callable[[], bool], deadline: float) -> bool:
    """Let a process work until it has nothing left, or kill it where `until` comes first; False after the deadline."""
    worker = subprocess.Popen([sys.executable, "-m", "bench", "drain"], cwd=ROOT)
    while worker.poll() is None:
        if until() or time.monotonic() > deadline:
            worker.kill()
            worker.wait()
            Job.objects.filter(status="running").update(lease_until=clock.now() - timedelta(seconds=1))
            return time.monotonic() <= deadline
        time.sleep(0.1)
    return True


def give_list(actor: Actor, path: Path, count: int, seconds: float) -> None:
    """Send the list in and have it worked, with a kill after a third was given."""
    import_id = intake.start_import(
        actor=actor, kind="certificates", file_name=path.name, content=path, options={}, now=clock.now()
    )
    never, deadline = (lambda: False), time.monotonic() + 3_600
    timed(count, "list checked", lambda: worked(until=never, deadline=deadline))
    assert intake.import_state(import_id).status is ImportStatus.READY, intake.import_state(import_id)
    intake.request_apply(actor=actor, import_id=import_id, now=clock.now())
    begun, busy = time.monotonic(), sum(os.times()[2:4])
    worked(until=lambda: Certificate.objects.count() >= count / 3, deadline=begun + seconds)
    given = Certificate.objects.count()
    print(f"killed after {given:,} were given")
    is_all = worked(until=never, deadline=begun + seconds)
    spent, given = time.monotonic() - begun, Certificate.objects.count()
    (batch,) = Batch.objects.all()
    left = batch.items.count()
    busy = sum(os.times()[2:4]) - busy
    print(f"taken in, given, signed, anchored, audited, told: {given:,} in {spent:.0f} s, {given / spent:,.0f}/s, {left:,} left")
    print(f"{given / busy:,.0f} for a second of the workers' processor time beside the database")
    assert given + left == count == batch.total
    assert not is_all or left == 0
    print(f"peak memory of a worker: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:,.0f} MiB")


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench certificates", description=__doc__)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=240)
    chosen = parser.parse_args(options)
    call_command("migrate", verbosity=0)
    print(f"{connection.vendor}, {cores_busy()}\n")
    print(f"bare Ed25519 signatures: {bare_signatures(2_000):,.0f}/s")
    actor, org_id = giver()
    now = clock.now()
    template = NewTemplate(
        kind=CertificateKind.DIPLOMA,
        name="毕业证书",
        name_en="",
        criteria="修完全部课程，成绩合格。",
        wording="{name} 在{school}学习期满，准予毕业。",
        layout=Layout.FORMAL,
        seal_text="测试学校",
    )
    certificates.add_template(actor=actor, org_id=org_id, template=template, now=now)
    people = add_people(chosen.count, org_id, now)
    path = Path(settings.DATA_DIR) / "list.csv"
    write_list(path, people)
    give_list(actor, path, chosen.count, chosen.seconds)
    rows = list(Certificate.objects.select_related("version").order_by("id")[:500])
    timed(len(rows), "checked by number", lambda: check([row.number for row in rows], now))
    timed(1, "status list", lambda: status_list(rows[0].status_list_id, now=now))
    printed(rows[0], now=now)  # the first one loads the fonts
    timed(10, "printed and sealed", lambda: [printed(row, now=now) for row in rows[1:11]])


def add_people(count: int, org_id: int, now: datetime) -> Iterable[Person]:
    """People who work at the school: the shortest way into the reach of its head."""
    people = [Person(sourced_id=f"c{i}", number=f"C{i:08d}", name=f"测试{i}", is_synthetic=True) for i in range(count)]
    made = Person.objects.bulk_create(people, batch_size=2_000)
    path = directory.orgs_by_ids([org_id])[org_id].path
    Affiliation.objects.bulk_create(
        [
            Affiliation(
                sourced_id=f"a{person.sourced_id}",
                person=person,
                org_id=org_id,
                org_path=path,
                role=Role.STAFF,
                begin_date=clock.day_of(now),
            )
            for person in made
        ],
        batch_size=2_000,
    )
    return made


def check(numbers: list[str], now: datetime) -> None:
    found = {certificates.verdict_by_number(number, now=now).verdict for number in numbers}
    assert found == {Verdict.VALID}
