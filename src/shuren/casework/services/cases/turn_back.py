"""Turning back: sent back to the filer or an earlier stage, or taken back by the filer."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import FINAL_STATES, Act, CaseState
from shuren.casework.models import Case, StageRun
from shuren.casework.rules.specs.flow import TO_FILER, Move
from shuren.casework.rules.stages import may, stages_before
from shuren.casework.selectors.cases import access_case, stage_of_case
from shuren.casework.services.cases.cancel import stop, told
from shuren.casework.services.cases.decide import held_item
from shuren.casework.services.cases.end import leave_stage
from shuren.casework.services.cases.go_on import go_to, send_back
from shuren.casework.services.cases.trail import locked_case, note, record, tell
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, Refused


@transaction.atomic
def return_case(*, actor: Actor, work_id: int, to: str, reason: str, now: datetime) -> Case:
    """Send a case back to its filer (`to="filer"`) or to a stage it has been at, with a reason. Publishes `case_returned`."""
    held = held_item(actor, work_id, now)
    case, run, stage, flow = held.case, held.run, held.stage, held.flow
    reason = told(reason, _("退回"))
    if not may(stage, Move.RETURN):
        raise Refused(_("这一步不能退回。"))
    visited = list(StageRun.objects.filter(case=case).values_list("stage", flat=True))
    if to != TO_FILER and to not in {one.key for one in stages_before(flow, stage.key, visited)}:
        raise Invalid(_("只能退回给申请人，或退回到已经走过的一步。"))
    item = held.item
    item.state, item.outcome, item.comment = "done", f"return:{to}"[:60], reason
    item.done_at, item.done_by_id, item.for_person_id = now, actor.person_id, held.for_person_id
    item.save(update_fields=["state", "outcome", "comment", "done_at", "done_by", "for_person"])
    leave_stage(run, f"return:{to}"[:60], now)
    record(case, actor, "case_returned", now=now, stage=stage.key, to=to, reason=reason)
    if to == TO_FILER:
        send_back(case, actor=actor, reason=reason, now=now)
        return case
    note(case, actor, Act.RETURNED, now=now, stage=stage.key, comment=reason, details={"to": to})
    tell(case, "case_returned", now=now, to=to, reason=reason)
    go_to(case, flow, to, actor=actor, now=now)
    return case


@transaction.atomic
def withdraw_case(*, actor: Actor, case_id: int, reason: str = "", now: datetime) -> Case:
    """Take a case back while nothing is finally decided, as its filer; a draft is thrown away by it."""
    access_case(actor=actor, id=case_id, now=now)
    case = locked_case(case_id)
    if not actor.is_system and actor.person_id != case.filer_id:
        raise Refused(_("只有发起人可以撤回。"))
    if CaseState(case.state) in FINAL_STATES:
        raise Conflict(_("这个办件已经办结，不能撤回。"))
    if case.state == CaseState.RUNNING.value and not may(stage_of_case(case), Move.WITHDRAW):
        raise Refused(_("办到这一步不能撤回了。"), remedy=_("可以请办理人退回。"))
    stop(case, CaseState.WITHDRAWN, Act.WITHDRAWN, actor, reason.strip()[:1000], now)
    return case
