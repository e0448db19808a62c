"""Sharing the work: handing over, adding a signer, naming who stands in during leave, and urging."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import Act, CaseState, DefinitionKind, WorkKind, WorkState
from shuren.casework.models import Case, Delegation, WorkItem
from shuren.casework.rules.assignees import Asked
from shuren.casework.rules.specs.flow import Decide, Move
from shuren.casework.rules.stages import may
from shuren.casework.selectors.cases import access_case, is_party
from shuren.casework.selectors.colleagues import are_colleagues
from shuren.casework.selectors.definitions import definition_named
from shuren.casework.services.cases.decide import held_item
from shuren.casework.services.cases.go_on import ask
from shuren.casework.services.cases.trail import locked_case, note, notify_asked, record
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.messaging import api as messaging

URGE_EVERY = timedelta(hours=1)
LONGEST_LEAVE = timedelta(days=366)
_SIGNERS = 20


@transaction.atomic
def hand_over_work(*, actor: Actor, work_id: int, person_id: int, reason: str = "", now: datetime) -> WorkItem:
    """Give an item to a colleague, who answers it instead."""
    held = held_item(actor, work_id, now)
    if not may(held.stage, Move.HAND_OVER) or held.item.kind == WorkKind.ADDED.value:
        raise Refused(_("这一步不能转办。"))
    _check_colleagues(actor, [person_id], now)
    if held.stage.decide is not Decide.ONE and WorkItem.objects.filter(stage_run=held.run, assignee_id=person_id).exists():
        raise Conflict(_("这个人在这一步已经有自己的一份。"), remedy=_("请转给别人。"))
    item, reason = held.item, reason.strip()[:1000]
    item.assignee_id, item.asker_id = person_id, actor.person_id
    item.save(update_fields=["assignee", "asker"])
    name = directory.people_by_ids([person_id])[person_id].name
    told = {"person_id": person_id, "name": name}
    note(held.case, actor, Act.HANDED_OVER, now=now, stage=held.stage.key, comment=reason, details=told)
    record(held.case, actor, "work_handed_over", now=now, work_id=item.pk, person_id=person_id)
    title = _("转办给您：%(stage)s") % {"stage": held.stage.title}
    notify_asked(held.case, [item], title, key=f"casework.over:{item.pk}:{person_id}", now=now)
    return item


@transaction.atomic
def add_signer(*, actor: Actor, work_id: int, person_ids: Sequence[int], question: str = "", now: datetime) -> list[WorkItem]:
    """Ask colleagues for their opinion; whoever asks decides only after all of them were heard."""
    held = held_item(actor, work_id, now)
    people = list(dict.fromkeys(person_ids))
    if not may(held.stage, Move.ADD_SIGNER) or held.item.kind == WorkKind.ADDED.value or held.stage.decide is Decide.BLIND:
        raise Refused(_("这一步不能加签。"))
    if not people or len(people) > _SIGNERS or actor.person_id in people:
        raise Invalid(_("请选择 1 到 %(count)d 位同事，不包括自己。") % {"count": _SIGNERS})
    _check_colleagues(actor, people, now)
    asked = [Asked(person_id=person_id) for person_id in people]
    items = ask(held.case, held.run, held.stage, asked, now=now, kind=WorkKind.ADDED, asker_id=actor.person_id)
    names = [person.name for person in directory.people_by_ids(people).values()]
    question = question.strip()[:1000]
    note(held.case, actor, Act.SIGNER_ADDED, now=now, stage=held.stage.key, comment=question, details={"names": names})
    record(held.case, actor, "signer_added", now=now, work_id=held.item.pk, person_ids=people)
    title = _("请您加签：%(stage)s") % {"stage": held.stage.title}
    key = f"casework.added:{items[0].pk}"
    notify_asked(held.case, items, title, body=f"{held.case.title} {question}".strip(), key=key, now=now)
    return items


def _check_colleagues(actor: Actor, person_ids: Collection[int], now: datetime) -> None:
    if not actor.is_system and not are_colleagues(actor=actor, person_ids=person_ids, now=now):
        raise Refused(_("只能交给本单位或所辖单位的同事。"))


@transaction.atomic
def urge_case(*, actor: Actor, case_id: int, now: datetime) -> int:
    """Remind everybody who is asked now, at most once an hour; returns how many were told."""
    access_case(actor=actor, id=case_id, now=now)
    case = locked_case(case_id)
    if not may_urge(case, actor, now):
        raise Refused(_("只有申请人和主管单位可以催办。"))
    if case.state != CaseState.RUNNING.value:
        raise Conflict(_("这个办件现在没有人在办，不用催。"))
    items = list(WorkItem.objects.filter(case=case, state=WorkState.OPEN.value))
    last = max((item.urged_at for item in items if item.urged_at), default=None)
    if last is not None and now - last < URGE_EVERY:
        raise Conflict(_("一小时内已经催过了。"), remedy=_("请过一会儿再催。"))
    ids = [item.pk for item in items]
    for begin in range(0, len(ids), 500):
        _count_urge(ids[begin : begin + 500], now)
    note(case, actor, Act.URGED, now=now, stage=case.stage)
    record(case, actor, "case_urged", now=now, stage=case.stage)
    return notify_asked(case, items, _("催办：%(title)s") % {"title": case.title}, key="", now=now)


def _count_urge(work_ids: Sequence[int], now: datetime) -> None:
    for item in (rows := WorkItem.objects.filter(pk__in=work_ids).only("urges")):
        item.urged_at, item.urges = now, item.urges + 1
    WorkItem.objects.bulk_update(list(rows), ["urged_at", "urges"])


def may_urge(case: Case, actor: Actor, now: datetime) -> bool:
    if actor.is_system or is_party(case, actor, now):
        return True
    return directory.scope_of(actor=actor, permission=Permission.VIEW_CASES, now=now).covers(case.org_path)


@transaction.atomic
def set_delegation(
    *, actor: Actor, delegate_id: int, begin_at: datetime, end_at: datetime, flow: str = "", now: datetime
) -> Delegation:
    """Let a colleague answer for the actor from `begin_at` until `end_at`; items fall back when it is over."""
    if actor.person_id is None:
        raise Refused(_("请先登录再办理。"))
    if delegate_id == actor.person_id:
        raise Invalid(_("不能委托给自己。"))
    if end_at <= max(begin_at, now) or end_at - begin_at > LONGEST_LEAVE:
        raise Invalid(_("结束时间要晚于开始时间和现在，一次最多一年。"))
    if flow:
        definition_named(DefinitionKind.FLOW, flow)
    _check_colleagues(actor, [delegate_id], now)
    standing = Delegation.objects.filter(person_id=actor.person_id, flow=flow, revoked_at__isnull=True)
    if standing.filter(begin_at__lt=end_at, end_at__gt=begin_at).exists():
        raise Conflict(_("这段时间已经委托过别人。"), remedy=_("请先结束原来的委托。"))
    row = Delegation.objects.create(
        person_id=actor.person_id, delegate_id=delegate_id, flow=flow, begin_at=begin_at, end_at=end_at, made_at=now
    )
    told = {"delegate_id": delegate_id, "flow": flow, "begin_at": begin_at.isoformat(), "end_at": end_at.isoformat()}
    audit.record(actor=actor, action="casework.delegation_set", target=f"person:{actor.person_id}", details=told, now=now)
    body = _("从 %(begin)s 到 %(end)s，他的待办由您代办。") % {"begin": begin_at.date(), "end": end_at.date()}
    title = _("%(name)s 委托您代办") % {"name": actor.name}
    messaging.notify(person_ids=[delegate_id], title=title, body=body, url="/work/", key=f"casework.delegated:{row.pk}", now=now)
    return row


@transaction.atomic
def end_delegation(*, actor: Actor, delegation_id: int, now: datetime) -> None:
    """Be back earlier: what falls to the delegate falls back at once."""
    row = Delegation.objects.select_for_update().filter(pk=delegation_id, person_id=actor.person_id or -1).first()
    if row is None:
        raise NotFound(_("没有找到这项委托。"))
    if row.revoked_at is not None:
        return
    row.revoked_at = now
    row.save(update_fields=["revoked_at"])
    told = {"delegate_id": row.delegate_id, "flow": row.flow}
    audit.record(actor=actor, action="casework.delegation_ended", target=f"person:{actor.person_id}", details=told, now=now)
