"""A form of many fields issued to every school, handed in by schools, and everything that was handed in taken out again.

`python -m bench collections --schools 20000 --fields 300 --submissions 1000 --answers 1000000` is what a province asks for;
the defaults are a county's. The answers to be exported are written straight into the tables, one org each; every export runs
in a process of its own, so that the peak of memory is its own. `SHUREN_DATABASE_URL` chooses the database.
"""

import argparse
import subprocess
import sys
import time
from datetime import timedelta
from itertools import count, islice
from typing import Any

from django.core.management import call_command
from django.db.models import Model

from bench.frame import ROOT, bare, multiply, timed
from shuren.casework.data import CaseState, CollectionState, DefinitionKind, DefinitionStatus, TargetState
from shuren.casework.models import Case, Collection, CollectionTarget, Definition, DefinitionVersion
from shuren.casework.rules.collections import NewCollection
from shuren.casework.selectors.collections.progress import progress_by_branch, progress_of
from shuren.casework.selectors.collections.reach import Reach
from shuren.casework.selectors.definitions import read_spec
from shuren.casework.services.cases.file import save_draft
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.collections.fill import begin_target
from shuren.casework.services.collections.issue import issue_collection, issue_targets
from shuren.directory import api as directory
from shuren.directory.data import NewOrg, OrgData, OrgType, Role
from shuren.directory.models import Affiliation, Org, Person
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM, Actor

AT_ONCE = 2_000


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench collections")
    parser.add_argument("--schools", type=int, default=1_000)
    parser.add_argument("--fields", type=int, default=300)
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--answers", type=int, default=20_000)
    asked = parser.parse_args(options)
    call_command("migrate", verbosity=0)
    form = put_form(asked.fields)
    city = add_city()
    timed(f"{asked.schools:,} schools with their heads", lambda: add_schools(city, asked.schools))
    row = issue(city, form.key)
    timed(
        f"issued to {asked.schools:,} schools", lambda: issue_targets(collection_id=row.pk, on_progress=untold, now=clock.now())
    )
    row.refresh_from_db()
    look(row)
    hand_in(row, min(asked.submissions, asked.schools), answer(asked.fields))
    timed(
        f"{asked.answers:,} answers written for the export", lambda: add_answers(city, form, asked.answers, answer(asked.fields))
    )
    for kind in ("csv", "parquet"):
        subprocess.run([sys.executable, "-m", "bench.like_installed", "collection_export", kind], cwd=ROOT, check=True)


def untold(_done: int, _total: int) -> None:
    """Nobody watches."""


def put_form(fields: int) -> Definition:
    """A form of numbers, decimals, texts and truths, in equal parts."""
    kinds = ("integer", "decimal", "text", "boolean")
    columns = [{"key": f"f{number}", "title": f"指标{number}", "type": kinds[number % 4]} for number in range(fields)]
    sections = [
        {"key": f"s{start}", "title": f"第 {start} 部分", "fields": columns[start : start + 50]} for start in range(0, fields, 50)
    ]
    body: dict[str, Any] = {"key": "bench.form", "title": "一张表", "sections": sections}
    read_spec(DefinitionKind.FORM, body)
    form = Definition.objects.create(kind="form", key=body["key"], title_zh="一张表", status=DefinitionStatus.IN_FORCE.value)
    form.current = DefinitionVersion.objects.create(definition=form, number=1, body=body, digest="", made_at=clock.now())
    form.save()
    return form


def answer(fields: int) -> dict[str, Any]:
    values = (320, 12.5, "填写说明文字，长短不一。", True)
    return {f"f{number}": values[number % 4] for number in range(fields)}


def add_city() -> OrgData:
    return add_place(None, OrgType.CITY, "测试市")


def add_place(parent: OrgData | None, kind: OrgType, name: str) -> OrgData:
    place = NewOrg(parent.id if parent else None, kind, name)
    place_id = directory.add_org(actor=SYSTEM, org=place, now=clock.now()).id
    return directory.orgs_by_ids([place_id])[place_id]


def add_orgs(place: OrgData, many: int, kind: OrgType) -> list[Org]:
    first = (Org.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    rows = [
        Org(
            id=pk,
            sourced_id=f"o{pk}",
            name=f"单位{pk}",
            code=f"c{pk}",
            type=kind.value,
            parent_id=place.id,
            depth=place.depth + 1,
        )
        for pk in range(first, first + many)
    ]
    for row in rows:
        row.path = f"{place.path}{row.pk}/"
    return Org.objects.bulk_create(rows, batch_size=AT_ONCE)


def add_schools(place: OrgData, many: int) -> None:
    """Schools, each with a head who fills in."""
    schools = add_orgs(place, many, OrgType.SCHOOL)
    numbers = count(10**12 + Person.objects.count())
    people = [
        Person(sourced_id=f"p{org.pk}", number=str(next(numbers)), name=f"校长{org.pk}", is_synthetic=True) for org in schools
    ]
    Person.objects.bulk_create(people, batch_size=AT_ONCE)
    begun = clock.day_of(clock.now()) - timedelta(days=30)
    heads = [
        Affiliation(
            sourced_id=f"a{org.pk}",
            person=person,
            org=org,
            org_path=org.path,
            role=Role.HEAD.value,
            is_primary=True,
            begin_date=begun,
        )
        for org, person in zip(schools, people, strict=True)
    ]
    Affiliation.objects.bulk_create(heads, batch_size=AT_ONCE)


def issue(city: OrgData, form: str) -> Collection:
    now = clock.now()
    due_at = now + timedelta(days=10)
    return issue_collection(actor=SYSTEM, new=NewCollection(title="一张表", form=form, org_id=city.id, due_at=due_at), now=now)


def look(row: Collection) -> None:
    """The cockpit's two questions, over every school."""
    reach, now = Reach(row, (row.path,), may_manage=True), clock.now()
    for label, ask in (
        ("whole", lambda: progress_of(reach, now=now)),
        ("tree", lambda: progress_by_branch(reach, row.path, now=now)),
    ):
        began = time.perf_counter()
        ask()
        print(f"progress, {label}: {1000 * (time.perf_counter() - began):.0f} ms", flush=True)


def hand_in(row: Collection, many: int, data: dict[str, Any]) -> None:
    """Begin, save and hand in, one after the other in this process."""
    targets = list(islice(row.targets.order_by("pk").values_list("pk", "org_id"), many))
    heads = dict(Affiliation.objects.filter(org_id__in=[org for _pk, org in targets]).values_list("org_id", "person_id"))
    began = time.perf_counter()
    for pk, org_id in targets:
        actor, now = Actor(person_id=heads[org_id], account_id=None, name="校长"), clock.now()
        case = begin_target(actor=actor, target_id=pk, now=now)
        save_draft(actor=actor, case_id=case.pk, data=data, base_revision=case.revision, now=now)
        submit_case(actor=actor, case_id=case.pk, now=now)
    took = time.perf_counter() - began
    accepted = row.targets.filter(state=TargetState.ACCEPTED.value).count()
    print(f"{accepted:,} handed in and accepted: {60 * many / took:,.0f} a minute, {1000 * took / many:.1f} ms each", flush=True)


def add_answers(city: OrgData, form: Definition, many: int, data: dict[str, Any]) -> None:
    """A second collection with one accepted answer per org."""
    now = clock.now()
    row = Collection.objects.create(
        title="导出",
        form_version_id=form.current_id or 0,
        org_id=city.id,
        path=city.path,
        types=["agency"],
        state=CollectionState.OPEN.value,
        issued_at=now,
        due_at=now,
    )
    facts: dict[str, Any] = {
        "definition": form,
        "form_version_id": form.current_id,
        "state": CaseState.CLOSED.value,
        "result": "done",
    }
    with bare(Case, CollectionTarget, Org):
        orgs = add_orgs(city, min(AT_ONCE, many), OrgType.AGENCY)
        cases = [
            Case(
                number=f"B{org.pk}",
                title="一张表",
                org=org,
                org_path=org.path,
                data=data,
                filed_at=now,
                changed_at=now,
                **facts,
            )
            for org in orgs
        ]
        Case.objects.bulk_create(cases, batch_size=AT_ONCE)
        targets = [
            CollectionTarget(
                collection=row,
                org=org,
                org_path=org.path,
                case=case,
                state=TargetState.ACCEPTED.value,
                due_at=now,
                submitted_at=now,
            )
            for org, case in zip(orgs, cases, strict=True)
        ]
        CollectionTarget.objects.bulk_create(targets, batch_size=AT_ONCE)
        moved = {"id": "id + {step}", "org_id": "org_id + {step}", "org_path": path_moved(city)}
        tables: dict[type[Model], dict[str, str]] = {
            Org: {
                "id": "id + {step}",
                "path": path_moved(city, "id"),
                "code": "'c' || (id + {step})",
                "sourced_id": "'o' || (id + {step})",
            },
            Case: {**moved, "number": "'B' || (org_id + {step})"},
            CollectionTarget: {**moved, "case_id": "case_id + {step}"},
        }
        multiply(tables, len(orgs), many)


def path_moved(city: OrgData, column: str = "org_id") -> str:
    return f"'{city.path}' || ({column} + {{step}}) || '/'"
