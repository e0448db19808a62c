"""Runs: which ones an actor may know of, how they stand, and whether they agree with what was published."""

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from shuren.assessment.api import items_of
from shuren.assessment.data import AssessmentData
from shuren.directory.api import scope_of
from shuren.directory.data import Permission
from shuren.evaluation.data import RunState, RunStatus, TruthRow
from shuren.evaluation.models import EvaluationRun
from shuren.evaluation.rules.measuring import FEWEST_COMMON_ITEMS
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import Scope, path_q

KIND = "run"
MOST_ANCHORS = 20


def run_state(run_id: int) -> RunState:
    """How a run stands; for jobs, commands and callers that have checked access themselves."""
    return state_of(_found(run_id))


def access_run(*, actor: Actor, id: int, now: datetime, permission: Permission = Permission.VIEW_REPORTS) -> RunState:
    """The run, if its population and the actor's branches meet (RUN_EVALUATION: lies inside them)."""
    run = _found(id)
    scope = scope_of(actor=actor, permission=permission, now=now)
    is_reached = scope.covers(run.org_path)
    if permission is Permission.VIEW_REPORTS and run.status == RunStatus.DONE:
        is_reached = is_reached or any(path.startswith(run.org_path) for path in scope.paths)
    if not is_reached:
        raise NotFound(_("没有找到这次测评分析。"))
    return state_of(run)


def visible_runs(*, actor: Actor, now: datetime, number: int = 1, size: int = 20, search: str = "") -> Page[RunState]:
    """Finished runs that reach into the actor's branches, and every run that the actor may carry out; newest first."""
    may_read = scope_of(actor=actor, permission=Permission.VIEW_REPORTS, now=now)
    may_run = scope_of(actor=actor, permission=Permission.RUN_EVALUATION, now=now)
    rows = EvaluationRun.objects.filter(
        Q(status=RunStatus.DONE) & _reaching(may_read) | path_q("org_path", may_run.paths)
    ).order_by("-held_date", "-id")
    if search:
        rows = rows.filter(Q(title__icontains=search) | Q(programme__icontains=search))
    return page_of(rows, state_of, number=number, size=size)


def done_runs_of(assessment_id: int) -> list[RunState]:
    """Finished runs of an assessment, newest first."""
    rows = EvaluationRun.objects.filter(assessment_id=assessment_id, status=RunStatus.DONE).order_by("-finished_at", "-id")
    return [state_of(run) for run in rows]


def anchor_runs(*, actor: Actor, assessment: AssessmentData, now: datetime) -> list[RunState]:
    """Earlier finished runs of the same population to whose scale the assessment can be linked by common items; newest first."""
    scope = scope_of(actor=actor, permission=Permission.RUN_EVALUATION, now=now)
    rows = EvaluationRun.objects.filter(org_id=assessment.org_id, status=RunStatus.DONE).exclude(assessment_id=assessment.id)
    if assessment.held_date:
        rows = rows.filter(held_date__lt=assessment.held_date)
    codes = {item.code for item in items_of(assessment.id)}
    found: dict[int, EvaluationRun] = {}
    for run in rows.filter(path_q("org_path", scope.paths)).order_by("-held_date", "-finished_at")[:MOST_ANCHORS]:
        # One run per test: the last word on it.
        found.setdefault(run.assessment_id, run)
    return [
        state_of(run)
        for assessment_id, run in found.items()
        if len(codes & {item.code for item in items_of(assessment_id)}) >= FEWEST_COMMON_ITEMS
    ]


def truth_check(run_id: int) -> list[TruthRow]:
    """The comparison with published figures made when the run ended; empty where nothing was published."""
    return [TruthRow(**row) for row in _found(run_id).truth]


def state_of(run: EvaluationRun) -> RunState:
    return RunState(
        id=run.pk,
        public_id=ids.encode(KIND, run.pk),
        title=run.title,
        programme=run.programme,
        assessment_id=run.assessment_id,
        org_id=run.org_id,
        org_path=run.org_path,
        status=RunStatus(run.status),
        declaration_hash=run.declaration_hash,
        declaration=run.declaration,
        certificate=run.certificate,
        held_date=run.held_date,
        is_simulated=run.is_simulated,
        source_note=run.source_note,
        job_id=run.job_id,
        error=run.error,
        declared_at=run.declared_at,
        finished_at=run.finished_at,
    )


def _found(run_id: int) -> EvaluationRun:
    run = EvaluationRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound(_("没有找到这次测评分析。"))
    return run


def _reaching(scope: Scope) -> Q:
    """Runs inside one of the scope's branches, or whose population holds one of them."""
    above = {path[: end + 1] for path in scope.paths for end, letter in enumerate(path) if letter == "/"}
    return path_q("org_path", scope.paths) | Q(org_path__in=sorted(above))
