"""The pages of cases with a million open ones, read by officers of the province, a city, a county, and by a head.

`python -m bench cases --cases 1000000` fills eight flows over 2,000 schools in bulk, counts them, and asks every page in turn
through the whole of the server but its sockets. What a page costs is the median, the 95th percentile and the worst of
`--rounds` reads after a first one. `SHUREN_DATABASE_URL` chooses the database.
"""

import argparse
import random
import statistics
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.core.management import call_command
from django.db.models import Model
from django.test import Client

from bench.cast import PASSWORD, sit
from bench.collections import add_place
from bench.countersign import FORM, FORM_KEY
from bench.frame import bare, multiply, peak, timed
from shuren.casework.data import Act, CaseState, DefinitionKind, WorkKind, WorkState
from shuren.casework.models import Case, CaseEvent, Definition, StageRun, WorkItem
from shuren.casework.services.define import put_definition
from shuren.casework.services.tally_cases import recount_cases
from shuren.directory.data import OrgData, OrgType, Role
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.statistics import refresh_statistics

AT_ONCE = 5_000
FIRST = 50_000
FLOWS = 8
CITIES, COUNTIES, SCHOOLS = 10, 10, 20
STAGES = (("school", Role.HEAD, "school"), ("county", Role.COUNTY_OFFICER, "above"))
ROLES = {key: role.value for key, role, _at in STAGES}
WORDS = ("设备", "请假", "申请", "没有这样的词")


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench cases")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    asked = parser.parse_args(options)
    call_command("migrate", verbosity=0)
    flows, places = put_flows(), add_region()
    timed(f"{asked.cases:,} open cases", lambda: add_cases(flows, places, asked.cases))
    timed("counted", lambda: [recount_cases(definition_id=flow.pk) for flow in flows])
    refresh_statistics(Case, StageRun, WorkItem, CaseEvent)
    print("| page | read by | p50 ms | p95 ms | worst ms |\n|---|---|---|---|---|")
    times: list[float] = []
    for name, who, client, address in pages(flows, places):
        took = read(client, address, asked.rounds)
        times += took
        print(f"| {name} | {who} | {statistics.median(took):.0f} | {p95(took):.0f} | {max(took):.0f} |", flush=True)
    print(f"all pages: p50 {statistics.median(times):.0f} ms, p95 {p95(times):.0f} ms; peak {peak():.0f} MiB")


def p95(times: list[float]) -> float:
    return sorted(times)[-(-95 * len(times) // 100) - 1]


def put_flows() -> list[Definition]:
    put_definition(actor=SYSTEM, kind=DefinitionKind.FORM, body=FORM, now=clock.now())
    bodies = [flow_body(number) for number in range(FLOWS)]
    return [put_definition(actor=SYSTEM, kind=DefinitionKind.FLOW, body=body, now=clock.now()) for body in bodies]


def flow_body(number: int) -> dict[str, Any]:
    """First the head of the school, then the office above."""
    stages = [
        {
            "key": key,
            "title": key,
            "who": {"role": role.value, "at": at},
            "due": {"working_days": 5},
            "outcomes": [
                {"key": "agree", "title": "同意", "to": "county" if key == "school" else "end:done"},
                {"key": "back", "title": "退回", "to": "filer"},
            ],
        }
        for key, role, at in STAGES
    ]
    return {
        "key": f"bench.flow{number}",
        "title": f"办理{number}",
        "form": FORM_KEY,
        "filed_by": {"roles": ["teacher", "head"]},
        "stages": stages,
        "ends": [{"key": "done", "title": "办结", "result": "done"}],
    }


def add_region() -> dict[OrgType, list[OrgData]]:
    province = add_place(None, OrgType.PROVINCE, "测试省")
    cities = [add_place(province, OrgType.CITY, f"第{number}市") for number in range(CITIES)]
    counties = [add_place(city, OrgType.COUNTY, f"{city.name}{number}县") for city in cities for number in range(COUNTIES)]
    schools = [
        add_place(county, OrgType.SCHOOL, f"{county.name}{number}小学") for county in counties for number in range(SCHOOLS)
    ]
    return {OrgType.PROVINCE: [province], OrgType.CITY: cities, OrgType.COUNTY: counties, OrgType.SCHOOL: schools}


def add_cases(flows: list[Definition], places: dict[OrgType, list[OrgData]], many: int) -> None:
    rows, first = cases(flows, places, min(many, FIRST)), min(many, FIRST)
    with bare(Case, StageRun, WorkItem, CaseEvent):
        while some := list(islice(rows, AT_ONCE)):
            Case.objects.bulk_create(some, batch_size=AT_ONCE)
            runs = [
                StageRun(case=case, stage=case.stage, visit=1, asked=1, entered_at=case.filed_at, due_at=case.due_at)
                for case in some
            ]
            StageRun.objects.bulk_create(runs, batch_size=AT_ONCE)
            items = [
                WorkItem(
                    case=run.case,
                    stage_run=run,
                    kind=WorkKind.DECIDE.value,
                    state=WorkState.OPEN.value,
                    role=ROLES[run.stage],
                    org_id=run.case.org_id if run.stage == "school" else int(run.case.org_path.split("/")[2]),
                    opened_at=run.entered_at,
                    due_at=run.due_at,
                )
                for run in runs
            ]
            WorkItem.objects.bulk_create(items, batch_size=AT_ONCE)
            events = [CaseEvent(case=case, at=case.filed_at, act=Act.SUBMITTED.value, name="老师") for case in some]
            CaseEvent.objects.bulk_create(events, batch_size=AT_ONCE)
        moved = {"id": "id + {step}", "case_id": "case_id + {step}"}
        tables: dict[type[Model], dict[str, str]] = {
            Case: {"id": "id + {step}", "number": "'N' || (id + {step})"},
            StageRun: moved,
            WorkItem: {**moved, "stage_run_id": "stage_run_id + {step}"},
            CaseEvent: moved,
        }
        multiply(tables, first, many)


def cases(flows: list[Definition], places: dict[OrgType, list[OrgData]], many: int) -> Iterator[Case]:
    """Filed evenly over a year, by schools in turn, half at the school and half at the county, a fifth of them late."""
    chance, now = random.Random(20261130), clock.now()
    form_version_id = Definition.objects.get(key=FORM_KEY).current_id
    schools = places[OrgType.SCHOOL]
    for number in range(many):
        school, flow = schools[number % len(schools)], flows[chance.randrange(FLOWS)]
        filed: datetime = now - timedelta(days=365 * (many - number) / many)
        stage = STAGES[number % 2][0]
        due = now + timedelta(days=chance.randrange(-5, 20))
        yield Case(
            number=f"N{number}",
            title=f"{('设备报修', '教师请假', '用房申请')[number % 3]} · {school.name}",
            flow_version_id=flow.current_id,
            form_version_id=form_version_id,
            definition=flow,
            state=CaseState.RUNNING.value,
            stage=stage,
            org_id=school.id,
            org_path=school.path,
            data={"name": f"第{number}件"},
            asked=1,
            saved=0,
            filed_at=filed,
            submitted_at=filed,
            changed_at=filed,
            due_at=due,
            stage_due_at=due,
            tallied_state=CaseState.RUNNING.value,
            tallied_stage=stage,
        )


def pages(flows: list[Definition], places: dict[OrgType, list[OrgData]]) -> Iterator[tuple[str, str, Client, str]]:
    """Who reads what: name, reader, their browser, address."""
    readers = {
        "province": signed_in(places[OrgType.PROVINCE][0], Role.PROVINCE_OFFICER),
        "city": signed_in(places[OrgType.CITY][3], Role.CITY_OFFICER),
        "county": signed_in(places[OrgType.COUNTY][33], Role.COUNTY_OFFICER),
        "head": signed_in(places[OrgType.SCHOOL][660], Role.HEAD),
    }
    for who, client in readers.items():
        yield "list of cases", who, client, "/cases/"
        yield "page 20 of it", who, client, "/cases/?page=20"
        yield "one flow", who, client, f"/cases/?flow={flows[3].key}"
        yield "running", who, client, "/cases/?state=running"
        for word in WORDS:
            yield f"search {word}", who, client, f"/cases/?q={word}"
        yield "search of a number", who, client, "/cases/?q=N4711"
        yield "what waits", who, client, "/work/"
        yield "what waits and is late", who, client, "/work/?which=overdue"
        yield "flows", who, client, "/flows/"
        yield "flow with counts and times", who, client, f"/flows/{flows[3].key}/"
        yield "fields asked and saved", who, client, "/burden/"
        yield "home", who, client, "/"
    school = places[OrgType.SCHOOL][660]
    one = Case.objects.filter(org_id=school.id, stage="school").order_by("-pk")[0]
    item = WorkItem.objects.get(case=one)
    yield "one case", "head", readers["head"], f"/cases/{ids.encode('case', one.pk)}/"
    yield "one question", "head", readers["head"], f"/work/{ids.encode('work', item.pk)}/"


def signed_in(org: OrgData, role: Role) -> Client:
    person = sit(org, role)
    client = Client(HTTP_HOST="127.0.0.1")
    answered = client.post("/sign-in/", {"username": f"bench-{person}", "password": PASSWORD})
    assert answered.status_code == 302, answered.content[:2000]
    return client


def read(client: Client, address: str, rounds: int) -> list[float]:
    took = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        answered = client.get(address)
        took.append(1000 * (time.perf_counter() - began))
        assert answered.status_code == 200, (address, answered.status_code, answered.headers)
    return took[1:]
