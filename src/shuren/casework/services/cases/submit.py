"""Handing in: everything checked at once, the promise clock started, the first stage entered."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import Act, CaseState
from shuren.casework.models import Case, StageRun, Timer
from shuren.casework.rules.forms import FormRule, check_form
from shuren.casework.rules.functions import function_named
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.rules.specs.words import Span
from shuren.casework.rules.workdays import add_span
from shuren.casework.selectors.definitions import flow_of, form_of, spec_of
from shuren.casework.selectors.holidays import holidays
from shuren.casework.services.cases.end import close_without_flow
from shuren.casework.services.cases.file import fillable, held_values
from shuren.casework.services.cases.go_on import PROMISE, go_to
from shuren.casework.services.cases.trail import note, record, tell
from shuren.casework.services.form_refused import FormRefused
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict


@transaction.atomic
def submit_case(*, actor: Actor, case_id: int, now: datetime) -> Case:
    """Hand a draft in, or one that was returned; refuses with all faults at once. Publishes `casework.case_submitted`.

    A case that was returned begins its flow again; while it lay with the filer the promise clock stood still.
    """
    case = fillable(actor, case_id, now)
    form = form_of(case.form_version_id)
    data = {**case.data, **{key: one.value for key, one in held_values(case, now).items()}}
    checked = check_form(form, data, today=day_of(now), functions=rules_of(form))
    if not checked.is_sound:
        raise FormRefused(checked.errors)
    is_again = case.state == CaseState.RETURNED.value
    flow = flow_of(case.flow_version_id) if case.flow_version_id else None
    case.data, case.revision, case.changed_at = checked.data, case.revision + 1, now
    case.state, case.submitted_at = CaseState.RUNNING.value, case.submitted_at or now
    _run_clock(case, flow, is_again, now)
    case.save()
    note(case, actor, Act.CORRECTED if is_again else Act.SUBMITTED, now=now)
    record(case, actor, "case_submitted", now=now, revision=case.revision, again=is_again)
    tell(case, "case_submitted", now=now, again=is_again)
    if flow is None:
        close_without_flow(case, actor=actor, now=now)
    else:
        go_to(case, flow, flow.stages[0].key, actor=actor, now=now)
    if case.state == CaseState.RETURNED.value:
        raise Conflict(_("流程把办件直接退了回来。"), remedy=_("请联系管理员检查流程定义。"))
    return case


def rules_of(form: FormSpec) -> dict[str, FormRule]:
    return {rule.function: function_named(rule.function) for rule in form.functions}


def _run_clock(case: Case, flow: FlowSpec | None, is_again: bool, now: datetime) -> None:
    """Start the promise clock; what lay with the filer in between is added to it."""
    promise = _promise(case, flow)
    if promise is None:
        return
    if is_again and case.due_at is not None:
        left = (
            StageRun.objects.filter(case=case, left_at__isnull=False)
            .order_by("-left_at")
            .values_list("left_at", flat=True)
            .first()
        )
        case.due_at += now - (left or now)
    else:
        case.due_at = add_span(now, promise, holidays=holidays())
    Timer.objects.filter(case=case, kind=PROMISE, stage_run__isnull=True, fired_at__isnull=True).delete()
    number = Timer.objects.filter(case=case, kind=PROMISE, stage_run__isnull=True).count()
    Timer.objects.create(case=case, kind=PROMISE, number=number, due_at=case.due_at)


def _promise(case: Case, flow: FlowSpec | None) -> Span | None:
    if case.item_id and case.item is not None:
        promised: Span = spec_of(case.item).promise
        return promised
    return flow.promise if flow else None
