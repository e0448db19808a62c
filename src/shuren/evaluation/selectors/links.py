"""The newest reports somebody may open, for their home page."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from shuren.directory.api import enrollments_of_people, orgs_by_ids, people_by_ids, scope_of
from shuren.directory.data import EnrollmentRole, Permission
from shuren.evaluation.data import Level, ReportLink, RunStatus
from shuren.evaluation.models import EvaluationRun, UnitReport
from shuren.evaluation.rules.addresses import pupil_address, report_address
from shuren.evaluation.selectors.runs import KIND
from shuren.evaluation.selectors.scores import scores_of
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.scope import path_q

MOST_RUNS = 5


def latest_reports(*, actor: Actor, now: datetime, limit: int = 5) -> list[ReportLink]:
    """Reports of the units the actor answers for (the tops of their branches, or whole runs inside them), newest first."""
    scope = scope_of(actor=actor, permission=Permission.VIEW_REPORTS, now=now)
    if not scope.paths:
        return []
    whole_runs = EvaluationRun.objects.filter(path_q("org_path", scope.paths), status=RunStatus.DONE).values("org_path")
    rows = (
        UnitReport.objects.select_related("run")
        .filter(Q(org_path__in=scope.paths) | Q(org_path__in=whole_runs), run__status=RunStatus.DONE)
        .defer("body")
        .order_by("-run__held_date", "-run_id", "org_path")[:limit]
    )
    found = list(rows)
    names = orgs_by_ids(row.org_id for row in found)
    return [
        ReportLink(
            title=row.run.title,
            url=report_address(ids.encode(KIND, row.run_id), names[row.org_id].public_id),
            level=Level(row.level),
            unit_name=names[row.org_id].name,
            held_date=row.run.held_date,
            is_simulated=row.run.is_simulated,
        )
        for row in found
        if row.org_id in names
    ]


def reports_of_people(*, actor: Actor, now: datetime, person_ids: Iterable[int] | None = None) -> list[ReportLink]:
    """Pupil reports of the actor's own people (a pupil, a parent's children), or of those of `person_ids` among them."""
    scope = scope_of(actor=actor, permission=Permission.VIEW_PUPIL_REPORTS, now=now)
    wanted = set(scope.person_ids) if person_ids is None else scope.person_ids & set(person_ids)
    places = enrollments_of_people(wanted) if wanted else []
    paths = [place.class_path for place in places if place.role is EnrollmentRole.STUDENT]
    above = {path[: end + 1] for path in paths for end, letter in enumerate(path) if letter == "/"}
    runs = list(
        EvaluationRun.objects.filter(org_path__in=sorted(above), status=RunStatus.DONE)
        .defer("calibration", "certificate", "declaration", "truth")
        .order_by("-held_date", "-id")[:MOST_RUNS]
    )
    people = people_by_ids(wanted)
    found = []
    for run in runs:
        for person_id in scores_of(run.pk, columns=["person_id"], person_ids=sorted(wanted)).column("person_id").to_pylist():
            if person_id in people:
                found.append(
                    ReportLink(
                        title=run.title,
                        url=pupil_address(ids.encode(KIND, run.pk), people[person_id].public_id),
                        level=Level.PUPIL,
                        unit_name=people[person_id].name,
                        held_date=run.held_date,
                        is_simulated=run.is_simulated,
                    )
                )
    return found
