"""Calling off: a case that comes to an end without a result."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import FINAL_STATES, Act, CaseState
from shuren.casework.models import Case
from shuren.casework.selectors.cases import access_case, is_party
from shuren.casework.services.cases.end import leave_all
from shuren.casework.services.cases.trail import locked_case, note, notify_parties, record, tell
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, Refused


@transaction.atomic
def cancel_case(*, actor: Actor, case_id: int, reason: str, now: datetime) -> Case:
    """Call a case off, as an office that looks after its branch and did not file it; the filer is told why."""
    access_case(actor=actor, id=case_id, now=now)
    case = locked_case(case_id)
    if not may_cancel(case, actor, now):
        raise Refused(_("只有主管单位可以取消办件。"))
    if CaseState(case.state) in FINAL_STATES:
        raise Conflict(_("这个办件已经办结，不能取消。"))
    reason = told(reason, _("取消"))
    stop(case, CaseState.CANCELLED, Act.CANCELLED, actor, reason, now)
    notify_parties(case, _("办件已被取消"), body=f"{case.title} {reason}", key=f"casework.cancelled:{case.pk}", now=now)
    return case


def may_cancel(case: Case, actor: Actor, now: datetime) -> bool:
    """Officers above, and heads or administrators of the place, but never of their own matter."""
    if actor.is_system:
        return True
    if case.state == CaseState.DRAFT.value or is_party(case, actor, now):
        return False
    return directory.scope_of(actor=actor, permission=Permission.DEFINE_CASEWORK, now=now).covers(case.org_path)


def stop(case: Case, state: CaseState, act: Act, actor: Actor, reason: str, now: datetime) -> None:
    """Bring a case to an end without a result; publishes `casework.case_closed`."""
    stage = case.stage
    leave_all(case, state.value, now)
    case.state, case.stage = state.value, ""
    case.closed_at = case.changed_at = now
    case.save(update_fields=["state", "stage", "closed_at", "changed_at"])
    note(case, actor, act, now=now, stage=stage, comment=reason)
    record(case, actor, f"case_{act.value}", now=now, reason=reason)
    tell(case, "case_closed", now=now)


def told(reason: str, what: str) -> str:
    """The reason somebody must give."""
    reason = reason.strip()[:1000]
    if not reason:
        raise Invalid(_("%(what)s要写明理由。") % {"what": what}, remedy=_("请填写理由。"))
    return reason
