"""A case goes on: into a stage, where somebody is asked; to an end; or back to its filer."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from shuren.casework.data import Act, CaseState, WorkKind, WorkState
from shuren.casework.models import Case, StageRun, Timer, WorkItem
from shuren.casework.rules.assignees import Asked
from shuren.casework.rules.expressions import compile_expression
from shuren.casework.rules.functions import function_named
from shuren.casework.rules.specs.flow import Decide, FlowSpec, StageSpec, Who
from shuren.casework.rules.stages import FlowStuck, Step, step_to, values_of
from shuren.casework.rules.workdays import add_span, before_span
from shuren.casework.selectors.assignees import Asking, asked_by
from shuren.casework.selectors.cases import case_data
from shuren.casework.selectors.holidays import holidays
from shuren.casework.services.cases.end import close_case
from shuren.casework.services.cases.trail import note, notify_asked, notify_parties, record, tell
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid

REMIND, OVERDUE, LATE, PROMISE = "remind", "overdue", "late", "promise"
_TWO = 2


def go_to(case: Case, flow: FlowSpec, to: str, *, actor: Actor, now: datetime, reason: str = "") -> None:
    """Bring the case where `to` leads and save it; the visit it comes from has been left before."""
    values, today = values_of(case.data, case.written), day_of(now)

    def is_true(text: str) -> bool:
        # What cannot be answered is asked: a stage is skipped only where its condition is known to be false.
        return compile_expression(text).value(values, today=today) is not False

    try:
        step = step_to(flow, to, is_true)
    except FlowStuck as error:
        raise Conflict(_("流程走不下去了。"), remedy=_("请联系管理员检查流程定义。")) from error
    if step.end is not None:
        close_case(case, step.end, actor=actor, now=now)
    elif step.stage is not None:
        _enter(case, step, step.stage, actor, now)
    else:
        send_back(case, actor=actor, reason=reason, now=now)


def send_back(case: Case, *, actor: Actor, reason: str, now: datetime) -> None:
    """Back to whoever filed it, who corrects it and hands it in again; publishes `casework.case_returned`."""
    stage, case.state, case.stage = case.stage, CaseState.RETURNED.value, ""
    case.changed_at = now
    case.save()
    note(case, actor, Act.RETURNED, now=now, stage=stage, comment=reason, details={"to": "filer"})
    notify_parties(case, _("请补正后重新提交"), body=f"{case.title} {reason}".strip(), key="", now=now)
    tell(case, "case_returned", now=now, to="filer", reason=reason)


def _enter(case: Case, step: Step, stage: StageSpec, actor: Actor, now: datetime) -> None:
    due_at = add_span(now, stage.due, holidays=holidays()) if stage.due else None
    visit = StageRun.objects.filter(case=case, stage=stage.key).count() + 1
    run = StageRun.objects.create(case=case, stage=stage.key, visit=visit, entered_at=now, due_at=due_at)
    case.state, case.stage, case.stage_due_at, case.changed_at = CaseState.RUNNING.value, stage.key, due_at, now
    case.save()
    note(case, actor, Act.ENTERED, now=now, stage=stage.key, details={"skipped": list(step.skipped)} if step.skipped else None)
    items = ask(case, run, stage, found_for(case, stage, stage.who, now), now=now)
    run.asked = len(items)
    run.save(update_fields=["asked"])
    _set_timers(case, run, stage, now)
    open_items = [item for item in items if item.state == WorkState.OPEN.value]
    notify_asked(case, open_items, _("待办：%(stage)s") % {"stage": stage.title}, key=f"casework.run:{run.pk}", now=now)


def found_for(case: Case, stage: StageSpec, who: Who, now: datetime) -> list[Asked]:
    """Whom a rule finds for the stage; `Invalid` where that is nobody, or not two who judge apart."""
    found = asked_by(who, Asking(case, stage.decide if who is stage.who else Decide.ONE, now, people_by_function))
    needed = _TWO if stage.decide is Decide.BLIND and who is stage.who else 1
    if len(found) < needed:
        raise Invalid(
            _("“%(stage)s”这一步找不到办理人。") % {"stage": stage.title},
            remedy=_("请联系管理员：先在授权里安排这个岗位的人，再试一次。"),
        )
    return found[:_TWO] if needed == _TWO else found


def people_by_function(name: str, case: Case, now: datetime) -> Sequence[int]:
    people: Sequence[int] = function_named(name)(case=case_data(case), now=now)
    return people


def ask(
    case: Case,
    run: StageRun,
    stage: StageSpec,
    found: Sequence[Asked],
    *,
    now: datetime,
    kind: WorkKind = WorkKind.DECIDE,
    asker_id: int | None = None,
) -> list[WorkItem]:
    """Make one item for each who is asked, in one write however many they are; in a sequence only the first is open."""
    in_turn = stage.decide is Decide.SEQUENCE and kind is WorkKind.DECIDE
    items = [
        WorkItem(
            case=case,
            stage_run=run,
            kind=kind.value,
            state=(WorkState.WAITING if in_turn and position else WorkState.OPEN).value,
            position=position,
            assignee_id=one.person_id,
            role=one.role.value if one.role else "",
            org_id=one.org_id,
            asker_id=asker_id,
            opened_at=now,
            due_at=run.due_at,
        )
        for position, one in enumerate(found)
    ]
    return WorkItem.objects.bulk_create(items, batch_size=500)


def _set_timers(case: Case, run: StageRun, stage: StageSpec, now: datetime) -> None:
    if run.due_at is None:
        return
    days = holidays()
    timers = [Timer(case=case, stage_run=run, kind=OVERDUE, due_at=run.due_at)]
    for number, span in enumerate(stage.remind):
        at = before_span(run.due_at, span, holidays=days)
        if at > now:
            timers.append(Timer(case=case, stage_run=run, kind=REMIND, number=number, due_at=at))
    if stage.late is not None:
        # One moment after the due time at least, so that it comes after being overdue.
        at = max(add_span(run.due_at, stage.late.after, holidays=days), run.due_at + timedelta(seconds=1))
        timers.append(Timer(case=case, stage_run=run, kind=LATE, due_at=at))
    Timer.objects.bulk_create(timers)


def leave_by(
    case: Case, flow: FlowSpec, stage: StageSpec, outcome: str, *, actor: Actor, now: datetime, reason: str = ""
) -> None:
    """Follow an outcome from the stage that has just been left; publishes `casework.case_decided`."""
    chosen = next(one for one in stage.outcomes if one.key == outcome)
    record(case, actor, "case_decided", now=now, stage=stage.key, outcome=outcome)
    tell(case, "case_decided", now=now, stage=stage.key, outcome=outcome)
    go_to(case, flow, chosen.to, actor=actor, now=now, reason=reason)
