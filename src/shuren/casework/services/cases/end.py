"""The end of a case: its result, the call and the entries that its end names, in the same transaction."""

from datetime import datetime

from django.utils.translation import gettext as _

from shuren.casework.data import Act, CaseResult, CaseState, WorkState
from shuren.casework.models import Case, StageRun, Timer, WorkItem
from shuren.casework.rules.functions import function_named
from shuren.casework.rules.specs.flow import EndSpec
from shuren.casework.selectors.cases import case_data
from shuren.casework.services.cases.keep_entries import keep_entries
from shuren.casework.services.cases.trail import note, notify_parties, tell
from shuren.kernel.data import Actor

_UNDONE = (WorkState.OPEN.value, WorkState.WAITING.value)


def leave_stage(run: StageRun, outcome: str, now: datetime) -> None:
    """Close a visit of a stage: what is still asked is dropped, what would happen by itself does not."""
    run.outcome, run.left_at = outcome, now
    run.save(update_fields=["outcome", "left_at", "asked", "agreed", "differed"])
    WorkItem.objects.filter(stage_run=run, state__in=_UNDONE).update(state=WorkState.DROPPED.value)
    Timer.objects.filter(stage_run=run, fired_at__isnull=True).delete()


def leave_all(case: Case, outcome: str, now: datetime) -> None:
    """Close whatever visit is under way, and stop the clock of the case."""
    for run in StageRun.objects.filter(case=case, left_at__isnull=True):
        leave_stage(run, outcome, now)
    Timer.objects.filter(case=case, fired_at__isnull=True).delete()


def close_case(case: Case, end: EndSpec, *, actor: Actor, now: datetime) -> None:
    """Close the case with this end; publishes `casework.case_closed`."""
    leave_all(case, f"end:{end.key}", now)
    case.state, case.stage = CaseState.CLOSED.value, ""
    case.result, case.end = end.result.value, end.key
    case.closed_at = case.changed_at = now
    case.save()
    note(case, actor, Act.CLOSED, now=now, outcome=end.key, details={"result": end.result.value})
    keep_entries(case, end.entries, now)
    if end.function:
        function_named(end.function)(case=case_data(case), actor=actor, now=now)
    notify_parties(case, _("已办结：%(end)s") % {"end": end.title}, key=f"casework.closed:{case.pk}", now=now)
    tell(case, "case_closed", now=now, certificate=end.certificate)


def close_without_flow(case: Case, *, actor: Actor, now: datetime) -> None:
    """A form that nobody reviews is done once it is handed in."""
    leave_all(case, "", now)
    case.state, case.result = CaseState.CLOSED.value, CaseResult.DONE.value
    case.closed_at = case.changed_at = now
    case.save()
    note(case, actor, Act.CLOSED, now=now, details={"result": case.result})
    tell(case, "case_closed", now=now)
