"""Pupils' own reports, worked out from the lake when they are asked for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from shuren.assessment.api import assessment_state, items_of, responses_of_person
from shuren.directory.api import access_person, orgs_by_ids, people_by_ids, people_within, scope_of
from shuren.directory.data import Permission
from shuren.evaluation.data import Crumb, Level, Report, RunStatus
from shuren.evaluation.models import EvaluationRun
from shuren.evaluation.rules.addresses import pupil_address, report_address, runs_address
from shuren.evaluation.rules.declaration import from_json
from shuren.evaluation.rules.pupil import PupilScore, pupil_document
from shuren.evaluation.selectors.answers import item_infos
from shuren.evaluation.selectors.reports import run_facts
from shuren.evaluation.selectors.runs import state_of
from shuren.evaluation.selectors.scores import scores_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class PupilRow:
    """A pupil in a class's list: level and interval, no rank."""

    name: str
    url: str
    level: int
    score: float
    low: float
    high: float


def pupil_report(*, actor: Actor, run_id: int, person_id: int, now: datetime) -> Report:
    """One pupil's report in a finished run; `NotFound` unless the actor holds VIEW_PUPIL_REPORTS on the pupil."""
    person = access_person(actor=actor, id=person_id, permission=Permission.VIEW_PUPIL_REPORTS, now=now)
    run = EvaluationRun.objects.filter(pk=run_id, status=RunStatus.DONE).first()
    if run is None:
        raise NotFound(_("没有找到这份报告。"))
    keys = list(run.calibration["domains"])
    columns = ["class_id", "school_id", "eap", "eap_se"]
    columns += [f"domain{at}_{part}" for at in range(1, len(keys) + 1) for part in ("eap", "se")]
    rows = scores_of(run_id, columns=columns, person_ids=[person_id]).to_pylist()
    if not rows:
        raise NotFound(_("这名学生没有参加这次测评。"))
    row = rows[0]
    state = state_of(run)
    assessment = assessment_state(run.assessment_id)
    domains = {key: (row[f"domain{at}_eap"], row[f"domain{at}_se"]) for at, key in enumerate(keys, start=1)}
    school_class = orgs_by_ids([row["class_id"], row["school_id"]])
    found = pupil_document(
        PupilScore(row["eap"], row["eap_se"], domains),
        responses_of_person(run.assessment_id, person_id),
        items=item_infos(items_of(run.assessment_id)),
        calibration=run.calibration,
        declaration=from_json(run.declaration),
        run=run_facts(state, assessment),
        pupil={
            "id": person.public_id,
            "name": person.name,
            "class": school_class[row["class_id"]].name if row["class_id"] in school_class else "",
            "school": school_class[row["school_id"]].name if row["school_id"] in school_class else "",
        },
        shows_items=len(assessment.booklets) <= 1,
    )
    crumbs = [Crumb(_("测评报告"), runs_address())]
    if row["class_id"] in school_class:
        own = school_class[row["class_id"]]
        scope = scope_of(actor=actor, permission=Permission.VIEW_REPORTS, now=now)
        crumbs.append(Crumb(own.name, report_address(state.public_id, own.public_id) if scope.covers(own.path) else ""))
    return Report(
        run=state,
        level=Level.PUPIL,
        unit_id=person_id,
        unit_public_id=person.public_id,
        unit_name=person.name,
        crumbs=(*crumbs, Crumb(person.name)),
        body=found,
    )


def pupils_of_class(*, actor: Actor, report: Report, now: datetime) -> list[PupilRow]:
    """The pupils of a class report that the actor may open, by name; nobody for an actor without that right."""
    scope = scope_of(actor=actor, permission=Permission.VIEW_PUPIL_REPORTS, now=now)
    if report.level is not Level.CLASS or scope.is_empty:
        return []
    table = scores_of(report.run.id, class_id=report.unit_id, columns=["person_id", "eap", "eap_se"])
    rows: list[dict[str, Any]] = table.to_pylist()
    allowed = people_within(
        actor=actor, person_ids=[row["person_id"] for row in rows], permission=Permission.VIEW_PUPIL_REPORTS, now=now
    )
    people = people_by_ids(allowed)
    cuts = [cut.score for cut in from_json(report.run.declaration).scale.cuts]
    found = [
        PupilRow(
            name=people[row["person_id"]].name,
            url=pupil_address(report.run.public_id, people[row["person_id"]].public_id),
            level=sum(row["eap"] >= cut for cut in cuts),
            score=row["eap"],
            low=row["eap"] - 1.959964 * row["eap_se"],
            high=row["eap"] + 1.959964 * row["eap_se"],
        )
        for row in rows
        if row["person_id"] in people
    ]
    return sorted(found, key=lambda one: one.name)
