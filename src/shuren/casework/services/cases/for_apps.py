"""Cases that other apps open and decide: they have checked who may, the engine keeps the work, the clock and the history."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import Act, CaseData, CaseState, NewCase, WorkKind, WorkState
from shuren.casework.models import Case, WorkItem
from shuren.casework.selectors.cases import case_data
from shuren.casework.services.cases.cancel import stop
from shuren.casework.services.cases.decide import decide_vouched
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.packs.install import ensure_pack
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound


@transaction.atomic
def open_case(*, actor: Actor, new: NewCase, now: datetime) -> CaseData:
    """File and hand in at once, in the caller's transaction; the caller has checked that the actor may.

    The pack that defines the flow is installed where it is not yet. Publishes `casework.case_submitted`.
    """
    ensure_pack(new.flow.partition(".")[0], now=now)
    case = file_case(
        actor=actor,
        flow=new.flow,
        org_id=new.org_id,
        subject_person_id=new.subject_person_id,
        data=new.data,
        title=new.title,
        origin=new.origin,
        is_vouched=True,
        now=now,
    )
    return case_data(submit_case(actor=actor, case_id=case.pk, now=now))


@transaction.atomic
def decide_case_of(*, actor: Actor, origin: str, outcome: str, comment: str = "", now: datetime) -> CaseData:
    """Decide the open question of the case with this origin; the caller has checked that the actor may.

    Their own item where they are asked, otherwise the first one: an office above takes the matter over. `Conflict` where
    nothing is open any more.
    """
    items = WorkItem.objects.filter(case__origin=origin, state=WorkState.OPEN.value).exclude(kind=WorkKind.ADDED.value)
    open_items = list(items.order_by("id")[:1000])
    if not open_items:
        raise Conflict(_("这件事已经处理过。"), remedy=_("请刷新页面。"))
    own = next((item for item in open_items if item.assignee_id == actor.person_id), open_items[0])
    return case_data(decide_vouched(actor=actor, work=own, outcome=outcome, comment=comment, now=now))


@transaction.atomic
def withdraw_case_of(*, actor: Actor, origin: str, reason: str, now: datetime) -> None:
    """Take back the case with this origin where it is not done yet; the caller has checked that the actor may."""
    case = Case.objects.select_for_update().filter(origin=origin, closed_at__isnull=True).order_by("-id").first()
    if case is not None:
        stop(case, CaseState.WITHDRAWN, Act.WITHDRAWN, actor, reason, now)


def has_case(origin: str) -> bool:
    return Case.objects.filter(origin=origin).exists()


def case_of(origin: str) -> CaseData:
    """The newest case with this origin; `NotFound` where there is none."""
    case = Case.objects.filter(origin=origin).order_by("-id").first()
    if case is None:
        raise NotFound(_("没有找到这个办件。"))
    return case_data(case)


def closing_comment(case_id: int) -> str:
    """What whoever decided last wrote as their reason."""
    items = WorkItem.objects.filter(case_id=case_id, state=WorkState.DONE.value).order_by("-done_at", "-id")
    return items.values_list("comment", flat=True).first() or ""
