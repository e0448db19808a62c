"""Countersigning: a flow that asks the head of every school below, 10, 100 and 1,000 of them, and is done when all have agreed.

Here a decision is everything a decision is in the product: rights, lock, history, audit trail, news, one durable transaction.
The peer is SpiffWorkflow with the same flow as a BPMN user task of as many parallel instances. `kept` loads, answers one task
and saves, as an application does between two requests; `in memory` never saves, which no application can do, and is what its
engine costs alone. `SHUREN_DATABASE_URL` chooses the database of both.
"""

import argparse
import logging
import time

from django.core.management import call_command
from django.db import connection
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from bench.collections import add_city, add_place, add_schools
from shuren.casework.data import CaseState, DefinitionKind
from shuren.casework.models import Case, WorkItem
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.define import put_definition
from shuren.directory.data import OrgData, OrgType
from shuren.directory.models import Affiliation
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM, Actor

FORM_KEY, FLOW_KEY = "bench.notice", "bench.countersign"
FORM = {
    "key": FORM_KEY,
    "title": "会签文件",
    "sections": [{"key": "main", "title": "文件", "fields": [{"key": "name", "title": "名称", "type": "text"}]}],
}
FLOW = {
    "key": FLOW_KEY,
    "title": "会签",
    "form": FORM_KEY,
    "filed_by": {"roles": ["county_officer"]},
    "stages": [
        {
            "key": "sign",
            "title": "各校会签",
            "who": {"role": "head", "at": "school", "each": True},
            "decide": "all",
            "outcomes": [
                {"key": "agree", "title": "同意", "to": "end:agreed"},
                {"key": "refuse", "title": "不同意", "to": "end:refused"},
            ],
        }
    ],
    "ends": [
        {"key": "agreed", "title": "通过", "result": "granted"},
        {"key": "refused", "title": "未通过", "result": "refused"},
    ],
}
BPMN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="bench" targetNamespace="bench"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><process id="countersign" isExecutable="true">
<startEvent id="start"><outgoing>to_sign</outgoing></startEvent>
<userTask id="sign"><incoming>to_sign</incoming><outgoing>to_end</outgoing>
<multiInstanceLoopCharacteristics isSequential="false">
<loopCardinality xsi:type="tFormalExpression">{signers}</loopCardinality></multiInstanceLoopCharacteristics></userTask>
<endEvent id="end"><incoming>to_end</incoming></endEvent>
<sequenceFlow id="to_sign" sourceRef="start" targetRef="sign"/>
<sequenceFlow id="to_end" sourceRef="sign" targetRef="end"/></process></definitions>"""


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench countersign")
    parser.add_argument("--signers", default="10,100,1000")
    parser.add_argument("--kept", type=int, default=100, help="tasks of the peer that are answered with a load and a save each")
    asked = parser.parse_args(options)
    call_command("migrate", verbosity=0)
    logging.getLogger("spiff").setLevel(logging.WARNING)
    for kind, body in ((DefinitionKind.FORM, FORM), (DefinitionKind.FLOW, FLOW)):
        put_definition(actor=SYSTEM, kind=kind, body=body, now=clock.now())
    print("| signers | ms a decision | cases/s | peer kept, ms | times faster | peer in memory, ms |\n|---|---|---|---|---|---|")
    city = add_city()
    counties = {many: add_place(city, OrgType.COUNTY, f"{many}所学校的县") for many in map(int, asked.signers.split(","))}
    for signers, county in counties.items():
        add_schools(county, signers)
        here, kept, alone = sign_here(county), sign_kept(signers, asked.kept), sign_in_memory(signers)
        times = f"{1000 * here:.2f} | {1 / (here * signers):.3f} | {1000 * kept:.2f} | {kept / here:.1f} | {1000 * alone:.2f}"
        print(f"| {signers:,} | {times} |", flush=True)


def sign_here(county: OrgData) -> float:
    """Seconds a decision, what it takes to file and to ask everybody spread over them."""
    began, now = time.perf_counter(), clock.now()
    case = file_case(actor=SYSTEM, flow=FLOW_KEY, org_id=county.id, data={"name": "关于会签的通知"}, now=now)
    submit_case(actor=SYSTEM, case_id=case.pk, now=now)
    heads = dict(Affiliation.objects.filter(org_path__startswith=county.path).values_list("org_id", "person_id"))
    items = list(WorkItem.objects.filter(case=case).values_list("pk", "org_id"))
    for pk, org_id in items:
        actor = Actor(person_id=heads[org_id or 0], account_id=None, name="校长")
        decide_work(actor=actor, work_id=pk, outcome="agree", now=clock.now())
    case = Case.objects.get(pk=case.pk)
    assert (case.state, case.result) == (CaseState.CLOSED.value, "granted")
    return (time.perf_counter() - began) / len(items)


def sign_kept(signers: int, many: int) -> float:
    """The peer's seconds a task, each loaded from the database, answered, and committed to it."""
    serializer = BpmnWorkflowSerializer()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_peer (id integer PRIMARY KEY, state text)")
        cursor.execute("DELETE FROM bench_peer")
        cursor.execute("INSERT INTO bench_peer VALUES (1, %s)", [serializer.serialize_json(begun(signers))])
        done, began = min(many, signers), time.perf_counter()
        for _ in range(done):
            cursor.execute("SELECT state FROM bench_peer WHERE id = 1")
            workflow = serializer.deserialize_json(cursor.fetchone()[0])
            answer(workflow, workflow.get_next_task(state=TaskState.READY, manual=True))
            cursor.execute("UPDATE bench_peer SET state = %s WHERE id = 1", [serializer.serialize_json(workflow)])
        return (time.perf_counter() - began) / done


def sign_in_memory(signers: int) -> float:
    """The peer's seconds a task where nothing is ever written down."""
    began, workflow = time.perf_counter(), begun(signers)
    for task in workflow.get_tasks(state=TaskState.READY, manual=True):
        answer(workflow, task)
    assert workflow.completed
    return (time.perf_counter() - began) / signers


def begun(signers: int) -> BpmnWorkflow:
    parser = BpmnParser()
    parser.add_bpmn_str(BPMN.format(signers=signers).encode())
    workflow = BpmnWorkflow(parser.get_spec("countersign"))
    workflow.do_engine_steps()
    return workflow


def answer(workflow: BpmnWorkflow, task: Task) -> None:
    task.data["outcome"] = "agree"
    task.run()
    workflow.do_engine_steps()
