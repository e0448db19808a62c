"""Reports of units: stored bodies with names put to them, only inside the actor's branches."""

import json
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from shuren.assessment.api import assessment_state, items_of
from shuren.assessment.data import AssessmentData
from shuren.directory.api import orgs_by_ids, scope_of
from shuren.directory.data import OrgData, Permission
from shuren.evaluation.data import Crumb, Level, Report, RunState, RunStatus
from shuren.evaluation.models import EvaluationRun, UnitReport
from shuren.evaluation.rules.addresses import report_address, runs_address
from shuren.evaluation.rules.declaration import from_json
from shuren.evaluation.rules.document import Earlier, Names, OrgName, document
from shuren.evaluation.selectors.answers import item_infos
from shuren.evaluation.selectors.runs import state_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import Scope

MOST_EARLIER = 6


def report_of(*, actor: Actor, run_id: int, org_id: int, now: datetime) -> Report:
    """The report of one unit in a finished run; `NotFound` outside the actor's VIEW_REPORTS branches."""
    row = UnitReport.objects.select_related("run").filter(run_id=run_id, org_id=org_id, run__status=RunStatus.DONE).first()
    scope = scope_of(actor=actor, permission=Permission.VIEW_REPORTS, now=now)
    if row is None or not scope.covers(row.org_path):
        raise NotFound(_("没有找到这份报告。"))
    run = state_of(row.run)
    body = unpacked(row)
    path_ids = _path_ids(row)
    orgs = orgs_by_ids({*path_ids, *_mentioned(body)})
    known = [orgs[id] for id in path_ids if id in orgs]
    assessment = assessment_state(run.assessment_id)
    names = Names(
        orgs={id: OrgName(org.public_id, org.name) for id, org in orgs.items()},
        items={item.code: item for item in item_infos(items_of(run.assessment_id))} if body.get("items") else {},
        labels={column.name: (column.label, column.values) for column in assessment.context},
    )
    found = document(
        body,
        run=run_facts(run, assessment),
        declaration=from_json(run.declaration),
        path=[names.orgs[org.id] for org in known],
        names=names,
        earlier=_earlier(row),
    )
    return Report(
        run=run,
        level=Level(row.level),
        unit_id=org_id,
        unit_public_id=orgs[org_id].public_id,
        unit_name=orgs[org_id].name,
        crumbs=crumbs_of(run, known, scope),
        body=found,
    )


def unpacked(row: UnitReport) -> dict[str, Any]:
    return dict(json.loads(zlib.decompress(bytes(row.body))))


def run_facts(run: RunState, assessment: AssessmentData) -> dict[str, Any]:
    """What every report says of its run."""
    minimum = run.declaration["minimum_group"]
    return {
        "id": run.public_id,
        "title": run.title,
        "assessment": assessment.name,
        "subjects": list(assessment.subjects),
        "grade": assessment.grade,
        "held_date": run.held_date.isoformat() if run.held_date else None,
        "is_simulated": run.is_simulated,
        "source_note": run.source_note,
        "population_note": assessment.population_note,
        "minimum_group": minimum,
        "plausible_values": run.declaration["plausible_values"],
        "declaration_hash": run.declaration_hash,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
    }


def crumbs_of(run: RunState, path: Iterable[OrgData], scope: Scope) -> tuple[Crumb, ...]:
    """The list of runs, then the units from the run's population down; those out of reach have no address."""
    steps = [Crumb(org.name, report_address(run.public_id, org.public_id) if scope.covers(org.path) else "") for org in path]
    return (Crumb(_("测评报告"), runs_address()), *steps)


def geometry_ids(report: Report) -> list[str]:
    """Public ids of the children shown, for the map."""
    children = report.body.get("children", [])
    return [str(row["id"]) for row in children] if isinstance(children, list) else []


def _path_ids(row: UnitReport) -> list[int]:
    """Units from the run's population down to this one (places between, such as a grade, included)."""
    inside = row.org_path[len(row.run.org_path) :]
    return [row.run.org_id, *(int(part) for part in inside.split("/") if part)]


def _mentioned(body: Mapping[str, Any]) -> set[int]:
    return {int(row["org"]) for part in ("above", "children") for row in body.get(part, ())}


def _earlier(row: UnitReport) -> list[Earlier]:
    """The unit's bodies in other finished runs of the programme on the same scale, one per day the test was held."""
    run: EvaluationRun = row.run
    others = (
        UnitReport.objects.select_related("run")
        .filter(
            org_id=row.org_id,
            run__status=RunStatus.DONE,
            run__programme=run.programme,
            run__scale_key=run.scale_key,
            run__held_date__lt=run.held_date,
        )
        .order_by("-run__held_date", "-run__finished_at")[:MOST_EARLIER]
        if run.held_date
        else ()
    )
    newest = {other.run.held_date: other for other in reversed(list(others))}
    return [
        Earlier(state_of(other.run).public_id, other.run.title, held.isoformat(), unpacked(other))
        for held, other in newest.items()
        if held is not None
    ]
