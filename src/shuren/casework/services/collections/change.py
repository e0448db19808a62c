"""What an issuer changes afterwards: the due time, who is exempt, what is to be filled in again, and calling it off."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import CollectionState, TargetState
from shuren.casework.models import Collection, CollectionTarget
from shuren.casework.selectors.collections.reach import access_managed, access_target
from shuren.casework.services.collections.issue import OWN_PAGE, fillers_of
from shuren.casework.services.targets import follow_case
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.messaging import api as messaging
from shuren.work import api as work


@transaction.atomic
def extend_target(*, actor: Actor, target_id: int, due_at: datetime, reason: str, now: datetime) -> None:
    """Give one org another due time; its fillers are told."""
    target = _open_target(actor, target_id, now)
    if due_at <= now:
        raise Invalid(_("截止时间已经过去。"), remedy=_("请选择今天以后的日期。"))
    was, target.due_at = target.due_at, due_at
    target.save(update_fields=["due_at"])
    told = {"org_id": target.org_id, "was": was.isoformat(), "is_now": due_at.isoformat(), "reason": reason[:200]}
    _record(actor, "casework.target_extended", target, told, now)
    _tell(target, _("填报期限改到 %(day)s：%(title)s"), now, day=day_of(due_at).isoformat())


@transaction.atomic
def exempt_target(*, actor: Actor, target_id: int, reason: str, now: datetime) -> None:
    """Ask an org no more, and say why; what it has filled in so far does not count."""
    target = _open_target(actor, target_id, now)
    if not reason.strip():
        raise Invalid(_("请写明免报的理由。"))
    if target.state == TargetState.EXEMPT:
        raise Conflict(_("这个单位已经免报。"))
    target.state, target.reason = TargetState.EXEMPT.value, reason.strip()[:200]
    target.save(update_fields=["state", "reason"])
    _record(actor, "casework.target_exempted", target, {"org_id": target.org_id, "reason": target.reason}, now)
    _tell(target, _("不用填报了：%(title)s"), now)


@transaction.atomic
def ask_target_again(*, actor: Actor, target_id: int, reason: str, now: datetime) -> None:
    """Ask an org that was exempt, or whose accepted answer is to be corrected; it begins with what it said before."""
    target = _open_target(actor, target_id, now)
    if not reason.strip():
        raise Invalid(_("请写明要改什么。"))
    if target.state not in (TargetState.EXEMPT, TargetState.ACCEPTED):
        raise Conflict(_("只有已通过或免报的单位可以重新填报；正在审核的请在办件里退回。"))
    was = target.state
    if was == TargetState.ACCEPTED:
        target.earlier_case_id, target.case = target.case_id, None
        target.state = TargetState.RETURNED.value
    else:
        target.state = TargetState.MISSING.value
    target.reason, target.submitted_at, target.accepted_at = reason.strip()[:200], None, None
    target.save(update_fields=["earlier_case", "case", "state", "reason", "submitted_at", "accepted_at"])
    if target.case_id is not None:
        follow_case(case_id=target.case_id, now=now)
    _record(actor, "casework.target_reopened", target, {"org_id": target.org_id, "was": was, "reason": target.reason}, now)
    _tell(target, _("请更正后重新提交：%(title)s"), now, body=target.reason)


@transaction.atomic
def extend_collection(*, actor: Actor, collection_id: int, due_at: datetime, now: datetime) -> int:
    """Another due time for all whose time is the collection's; returns how many orgs that are."""
    row = _locked(actor, collection_id, now)
    if due_at <= now:
        raise Invalid(_("截止时间已经过去。"), remedy=_("请选择今天以后的日期。"))
    changed = row.targets.filter(due_at=row.due_at).update(due_at=due_at)
    told = {"was": row.due_at.isoformat(), "is_now": due_at.isoformat(), "orgs": changed}
    Collection.objects.filter(pk=row.pk).update(due_at=due_at)
    audit.record(actor=actor, action="casework.collection_extended", target=f"collection:{row.pk}", details=told, now=now)
    return changed


@transaction.atomic
def cancel_collection(*, actor: Actor, collection_id: int, reason: str, now: datetime) -> None:
    """Call a collection off: nobody fills it in any more, what was handed in stays with the cases. Publishes its event."""
    row = _locked(actor, collection_id, now)
    if not reason.strip():
        raise Invalid(_("请写明取消的理由。"))
    Collection.objects.filter(pk=row.pk).update(state=CollectionState.CANCELLED.value)
    work.enqueue("shuren.casework.jobs.collections.stop_cases", {"collection_id": row.pk}, key=f"collection:{row.pk}:stop")
    told = {"reason": reason.strip()[:200]}
    audit.record(actor=actor, action="casework.collection_cancelled", target=f"collection:{row.pk}", details=told, now=now)
    events.publish("casework.collection_cancelled", {"collection_id": row.pk, "org_path": row.path}, now=now)


def _locked(actor: Actor, collection_id: int, now: datetime) -> Collection:
    access_managed(actor=actor, id=collection_id, now=now)
    row = Collection.objects.select_for_update().get(pk=collection_id)
    if row.state not in (CollectionState.OPEN, CollectionState.ISSUING):
        raise Conflict(_("这项采集已经结束，不能再改。"))
    return row


def _open_target(actor: Actor, target_id: int, now: datetime) -> CollectionTarget:
    target = access_target(actor=actor, id=target_id, now=now, is_manager=True)
    # The collection's row is the lock against a freeze, as for whoever begins to fill in.
    if Collection.objects.select_for_update().get(pk=target.collection_id).state != CollectionState.OPEN:
        raise Conflict(_("这项采集没有开放，不能再改。"))
    return CollectionTarget.objects.select_for_update(of=("self",)).select_related("collection").get(pk=target_id)


def _record(actor: Actor, action: str, target: CollectionTarget, told: dict[str, object], now: datetime) -> None:
    audit.record(actor=actor, action=action, target=f"target:{target.pk}", details=told, now=now)


def _tell(target: CollectionTarget, title: str, now: datetime, *, body: str = "", **words: str) -> None:
    row = target.collection
    people = fillers_of(row, [target.org_id], now=now)[target.org_id]
    messaging.notify(person_ids=people, title=title % {"title": row.title, **words}, body=body, url=OWN_PAGE, now=now)
