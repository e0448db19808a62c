"""A program: an office whose cases are handed in, or whose timers fire, until somebody kills it.

`prepare COUNT` makes the office and drafts; `submit` hands them in, telling every one that is acknowledged; `fire` lets every
timer happen.
"""

import json
import sys
from datetime import timedelta

from django.core.management import call_command

from shuren.casework.data import DefinitionKind, DefinitionStatus
from shuren.casework.models import Case, Definition, DefinitionVersion, Timer
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.timers import fire_timers
from shuren.directory import api as directory
from shuren.directory.data import NewOrg, NewPerson, OrgType, Role
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM

_FORM = {
    "key": "office.form",
    "title": "申请",
    "sections": [{"key": "main", "title": "申请", "fields": [{"key": "why", "title": "事由", "type": "text"}]}],
}
_STAGE = {
    "key": "review",
    "title": "审批",
    "who": {"role": "head"},
    "outcomes": [{"key": "agree", "title": "同意", "to": "end:done"}],
    "due": {"hours": 1},
    "late": {"after": {"hours": 1}, "outcome": "agree"},
}
_FLOW = {
    "key": "office.flow",
    "title": "审批",
    "form": "office.form",
    "filed_by": {"anyone": True},
    "stages": [_STAGE],
    "ends": [{"key": "done", "title": "办结", "result": "done"}],
}


def define(kind: DefinitionKind, body: dict[str, object]) -> Definition:
    status = DefinitionStatus.IN_FORCE.value
    made = Definition.objects.create(kind=kind.value, key=body["key"], title_zh=body["title"], status=status)
    made.current = DefinitionVersion.objects.create(definition=made, number=1, body=body, digest="", made_at=clock.now())
    made.save()
    return made


def add_school() -> int:
    """The one org of an empty installation."""
    call_command("migrate", verbosity=0)
    org = NewOrg(parent_id=None, type=OrgType.SCHOOL, name="学校", code="S1")
    return directory.add_org(actor=SYSTEM, org=org, now=clock.now()).id


def _prepare(count: int) -> None:
    org_id, now = add_school(), clock.now()
    head = directory.add_person(actor=SYSTEM, person=NewPerson(name="校长", is_synthetic=True), now=now)
    begun = clock.day_of(now)
    directory.affiliate(actor=SYSTEM, person_id=head.id, org_id=org_id, role=Role.HEAD, begin_date=begun, now=now)
    define(DefinitionKind.FORM, _FORM)
    define(DefinitionKind.FLOW, _FLOW)
    for number in range(count):
        file_case(actor=SYSTEM, flow="office.flow", org_id=org_id, data={"why": str(number)}, now=now)
    sys.stdout.write(json.dumps(count))


def main(what: str, count: str = "0") -> None:
    if what == "prepare":
        _prepare(int(count))
    elif what == "submit":
        for pk in Case.objects.filter(state="draft").order_by("pk").values_list("pk", flat=True):
            submit_case(actor=SYSTEM, case_id=pk, now=clock.now())
            sys.stdout.write(f"{pk}\n")
            sys.stdout.flush()
    else:
        later = clock.now() + timedelta(days=3)
        sys.stdout.write("begun\n")
        sys.stdout.flush()
        while fire_timers(now=later, limit=10):
            pass
        sys.stdout.write(json.dumps(Timer.objects.filter(fired_at__isnull=True).count()))
