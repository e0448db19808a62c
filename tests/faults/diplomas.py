"""A program: send lists of diplomas in, and SIGKILL whoever works on them, MOMENTS times, wherever they stand.

The worker is a process of its own each time. After every kill the rows must agree with each other; in the end every list
was given whole and once. Prints what was struck and what was wrong.
"""

import csv
import json
import os
import random
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.models import Count, Sum

from shuren.certificates import api as certificates
from shuren.certificates.data import CertificateKind, Layout, NewTemplate, Verdict
from shuren.certificates.models import Batch, BatchItem, Certificate, StatusList
from shuren.certificates.services import give_batch, take_list
from shuren.directory import api as directory
from shuren.directory.data import NewOrg, NewPerson, OrgType, Role
from shuren.directory.models import Person
from shuren.identity import api as identity
from shuren.intake import api as intake
from shuren.intake.data import ImportStatus
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.models import AuditEntry, Event
from shuren.messaging.models import Notice
from shuren.trust.models import LogEntry
from shuren.work import api as work
from shuren.work.models import Job

PEOPLE = 45
# Checking a list takes some hundred statements, taking it in and giving what it asks for some three hundred.
BEGIN, MANY = re.compile('"certificates_(template|batch)'), 300
LONGEST = 0.005
# So few at once that there is much to fall between.
give_batch._AT_ONCE = 4
take_list._AT_ONCE = 5


class School:
    """A school, its head, and people to be given diplomas by lists."""

    def __init__(self) -> None:
        now = clock.now()
        org = NewOrg(parent_id=None, type=OrgType.SCHOOL, name="测试学校", code="S1")
        self.org_id = directory.add_org(actor=SYSTEM, org=org, now=now).id
        head = directory.add_person(actor=SYSTEM, person=NewPerson(name="校长", is_synthetic=True), now=now)
        begun = clock.day_of(now)
        directory.affiliate(actor=SYSTEM, person_id=head.id, org_id=self.org_id, role=Role.HEAD, begin_date=begun, now=now)
        identity.create_accounts(actor=SYSTEM, person_ids=[head.id], usernames={head.id: "head"}, now=now)
        self.head = Actor(person_id=head.id, account_id=None, name="校长")
        for number in range(PEOPLE):
            made = directory.add_person(actor=SYSTEM, person=NewPerson(name=f"学生{number}", is_synthetic=True), now=now).id
            directory.affiliate(actor=SYSTEM, person_id=made, org_id=self.org_id, role=Role.STAFF, begin_date=begun, now=now)
        self.people = list(Person.objects.exclude(pk=head.id))

    def send_list(self, number: int) -> int:
        """A new template and a list of everybody for it; returns the import."""
        template = NewTemplate(
            kind=CertificateKind.DIPLOMA,
            name=f"毕业证书{number}",
            name_en="",
            criteria="修完全部课程，成绩合格。",
            wording="{name} 学习期满，准予毕业。",
            layout=Layout.FORMAL,
            seal_text="测试学校",
        )
        certificates.add_template(actor=self.head, org_id=self.org_id, template=template, now=clock.now())
        path = Path(settings.DATA_DIR) / f"list{number}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow([take_list.TEMPLATE, take_list.NUMBER, take_list.NAME, take_list.ORG])
            lines.writerows([template.name, person.number, person.name, "S1"] for person in self.people)
        return intake.start_import(
            actor=self.head, kind="certificates", file_name=path.name, content=path, options={}, now=clock.now()
        )


def struck_worker(statement: int, seconds: float) -> bool:
    """Let a process work and kill it so long after a statement of its work on lists; True where it had a job in its hands."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            with connection.execute_wrapper(Striking(statement, seconds)):
                work.run_pending()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    # Half a minute passes at once.
    return Job.objects.filter(status="running").update(lease_until=clock.now() - timedelta(seconds=1)) > 0


class Striking:
    """Counts statements from where the work on lists begins, so that the same moments are struck on quick and slow machines."""

    def __init__(self, statement: int, seconds: float) -> None:
        self.left, self.seconds, self.is_begun = statement, seconds, False

    def __call__(self, execute: Callable[..., object], sql: str, *words: object) -> object:
        self.is_begun = self.is_begun or BEGIN.search(sql) is not None
        self.left -= self.is_begun
        if self.left == 0 and self.is_begun:
            threading.Timer(self.seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return execute(sql, *words)


def faults() -> list[str]:
    """Whatever does not agree between what was written together."""
    given = Certificate.objects.count()
    counts = {
        "audit": AuditEntry.objects.filter(action="certificates.certificate_issued").count(),
        "log": LogEntry.objects.filter(subject__startswith="certificate:").count(),
        "seats": StatusList.objects.aggregate(taken=Sum("taken"))["taken"] or 0,
    }
    found = [f"{name}: {count} beside {given} certificates" for name, count in counts.items() if count != given]
    for batch in Batch.objects.filter(job_id__isnull=False).annotate(left=Count("items")):
        if batch.total != PEOPLE or Certificate.objects.filter(batch=batch).count() + batch.left != PEOPLE:
            found.append(f"batch {batch.pk}: {batch.total} of {PEOPLE}, {batch.left} left")
    return found


def faults_at_the_end(lists: int) -> list[str]:
    found = faults()
    counts = {
        "items left": (BatchItem.objects.count(), 0),
        "batches": (Batch.objects.count(), lists),
        "batches done": (Batch.objects.filter(done_at__isnull=False, missed=0).count(), lists),
        "certificates": (Certificate.objects.count(), lists * PEOPLE),
        "told of": (Event.objects.filter(name="certificates.batch_given").count(), lists),
        "audited": (AuditEntry.objects.filter(action="certificates.batch_given").count(), lists),
        "started": (AuditEntry.objects.filter(action="certificates.batch_started").count(), lists),
        "notices": (Notice.objects.filter(key__startswith="certificates:batch:").count(), lists * PEOPLE),
    }
    found += [f"{name}: {count}, not {wanted}" for name, (count, wanted) in counts.items() if count != wanted]
    holders = Counter(Certificate.objects.values_list("holder_id", flat=True))
    if set(holders.values()) != {lists} or len(holders) != PEOPLE:
        found.append(f"holders: {holders}")
    verdicts = {certificates.verdict_by_number(row.number, now=clock.now()).verdict for row in Certificate.objects.all()}
    return found + ([] if verdicts == {Verdict.VALID} else [f"verdicts: {verdicts}"])


def main(moments: str) -> None:
    call_command("migrate", verbosity=0)
    school = School()
    moment = random.Random(9)  # when it is killed needs no secrecy
    wrong: list[str] = []
    kills = hits = lists = 0
    while kills < int(moments):
        import_id = school.send_list(lists := lists + 1)
        while True:
            if kills < int(moments):
                kills += 1
                hits += struck_worker(moment.randint(1, MANY), moment.uniform(0, LONGEST))
                wrong += faults()
            else:
                work.run_pending()
            state = intake.import_state(import_id)
            if state.status is ImportStatus.READY:
                intake.request_apply(actor=school.head, import_id=import_id, now=clock.now())
            elif state.status not in (ImportStatus.UPLOADED, ImportStatus.CHECKING, ImportStatus.APPLYING, ImportStatus.APPLIED):
                wrong.append(f"list {lists}: {state.status} {state.error}")
                break
            elif Batch.objects.filter(import_id=import_id, done_at__isnull=False).exists():
                break
    work.run_pending()
    json.dump({"kills": kills, "hits": hits, "lists": lists, "faults": wrong + faults_at_the_end(lists)}, sys.stdout)
