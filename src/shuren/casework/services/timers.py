"""What happens by itself: reminders, overdue work, escalation, an outcome for silence, a promise that is broken."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import Act, CaseState, WorkState
from shuren.casework.models import Case, StageRun, Timer, WorkItem
from shuren.casework.rules.specs.flow import StageSpec
from shuren.casework.selectors.definitions import flow_of
from shuren.casework.services.cases.decide import finish_stage
from shuren.casework.services.cases.go_on import LATE, OVERDUE, PROMISE, REMIND, found_for
from shuren.casework.services.cases.trail import locked_case, note, notify_asked, notify_parties, record, tell
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import ShurenError

AT_ONCE = 500


def fire_timers(*, now: datetime, limit: int = AT_ONCE) -> int:
    """Let what is due happen, each timer in one transaction with what it does; returns how many fired.

    A kill leaves a timer either unfired and nothing done, or fired and everything done. Two workers meet at the lock of the
    case: the second finds the timer fired.
    """
    due = Timer.objects.filter(fired_at__isnull=True, due_at__lte=now).order_by("due_at", "id").values_list("pk", "case_id")
    return sum(_fire(timer_id, case_id, now) for timer_id, case_id in list(due[:limit]))


def _fire(timer_id: int, case_id: int, now: datetime) -> bool:
    try:
        with transaction.atomic():
            return _happen(timer_id, case_id, now)
    except ShurenError as error:
        # An outcome for silence that leads to nobody must not come again every minute: it is put down, and people are told.
        with transaction.atomic():
            return _fail(timer_id, case_id, str(error), now)


def _claimed(timer_id: int, now: datetime) -> Timer | None:
    timer = Timer.objects.select_for_update().filter(pk=timer_id, fired_at__isnull=True).first()
    if timer is not None:
        timer.fired_at = now
        timer.save(update_fields=["fired_at"])
    return timer


def _happen(timer_id: int, case_id: int, now: datetime) -> bool:
    case = locked_case(case_id)
    timer = _claimed(timer_id, now)
    if timer is None:
        return False
    if timer.kind == PROMISE:
        _break_promise(case, timer, now)
        return True
    run = StageRun.objects.get(pk=timer.stage_run_id or 0)
    stage = flow_of(case.flow_version_id or 0).stage(run.stage)
    if case.state != CaseState.RUNNING.value or run.left_at is not None or stage is None:
        return True
    if timer.kind == REMIND:
        _remind(case, run, stage, timer, now)
    elif timer.kind == OVERDUE:
        _say_overdue(case, run, stage, timer, now)
    elif timer.kind == LATE:
        _escalate(case, run, stage, timer, now)
    return True


def _open_items(run: StageRun) -> list[WorkItem]:
    return list(WorkItem.objects.filter(stage_run=run, state=WorkState.OPEN.value))


def _remind(case: Case, run: StageRun, stage: StageSpec, timer: Timer, now: datetime) -> None:
    note(case, SYSTEM, Act.REMINDED, now=now, stage=stage.key)
    title = _("快到期了：%(stage)s") % {"stage": stage.title}
    notify_asked(case, _open_items(run), title, key=f"casework.timer:{timer.pk}", now=now)


def _say_overdue(case: Case, run: StageRun, stage: StageSpec, timer: Timer, now: datetime) -> None:
    note(case, SYSTEM, Act.OVERDUE, now=now, stage=stage.key)
    title = _("已经逾期：%(stage)s") % {"stage": stage.title}
    notify_asked(case, _open_items(run), title, key=f"casework.timer:{timer.pk}", now=now)
    record(case, SYSTEM, "work_overdue", now=now, stage=stage.key)
    tell(case, "work_overdue", now=now)


def _escalate(case: Case, run: StageRun, stage: StageSpec, timer: Timer, now: datetime) -> None:
    late = stage.late
    if late is None:
        return
    note(case, SYSTEM, Act.ESCALATED, now=now, stage=stage.key, outcome=late.outcome)
    record(case, SYSTEM, "work_escalated", now=now, stage=stage.key, outcome=late.outcome)
    if late.tell is not None:
        found = found_for(case, stage, late.tell, now)
        told = [WorkItem(assignee_id=one.person_id, role=one.role.value if one.role else "", org_id=one.org_id) for one in found]
        title = _("逾期未办：%(stage)s") % {"stage": stage.title}
        notify_asked(case, told, title, key=f"casework.timer:{timer.pk}", now=now)
    if late.outcome:
        flow = flow_of(case.flow_version_id or 0)
        finish_stage(case, flow, stage, run, late.outcome, actor=SYSTEM, reason=_("逾期未办，自动处理。"), now=now)


def _break_promise(case: Case, timer: Timer, now: datetime) -> None:
    if case.state != CaseState.RUNNING.value:
        return
    note(case, SYSTEM, Act.OVERDUE, now=now, stage=case.stage, details={"promise": True})
    record(case, SYSTEM, "promise_broken", now=now)
    items = list(WorkItem.objects.filter(case=case, state=WorkState.OPEN.value))
    notify_asked(case, items, _("超过承诺时限"), key=f"casework.timer:{timer.pk}", now=now)
    notify_parties(case, _("办理超过了承诺时限，正在督办"), key=f"casework.promise:{timer.pk}", now=now)
    tell(case, "promise_broken", now=now)


def _fail(timer_id: int, case_id: int, error: str, now: datetime) -> bool:
    case = locked_case(case_id)
    timer = _claimed(timer_id, now)
    if timer is None:
        return False
    note(case, SYSTEM, Act.OVERDUE, now=now, stage=case.stage, comment=error[:1000], details={"failed": timer.kind})
    record(case, SYSTEM, "timer_failed", now=now, kind=timer.kind, error=error[:500])
    return True
