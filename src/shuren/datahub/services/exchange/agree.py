"""An agreement is offered by the sender and accepted by the receiver, and ended by either."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.datahub.data import AgreementState, NodeState
from shuren.datahub.models import ExchangeAgreement, ExchangeNode, ReportDuty, SharingGrant
from shuren.datahub.rules.exchange.terms import EVERY, landing_spec, terms_as_json, terms_in
from shuren.datahub.selectors.exchange.nodes import access_agreement, access_node
from shuren.datahub.services.exchange.basis import basis_of_duty, basis_of_grant, terms_of
from shuren.datahub.services.exchange.write_letter import write_letter
from shuren.datahub.services.offer import offer_dataset
from shuren.datahub.services.sharing.tell import tell_unit
from shuren.directory import api as directory
from shuren.kernel import audit, ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound

_UID = re.compile(r"[0-9a-f]{32}")
_LIVE = (AgreementState.OFFERED, AgreementState.ACCEPTED)


def offer_agreement(
    *,
    actor: Actor,
    node_id: int,
    grant: SharingGrant | None = None,
    duty: ReportDuty | None = None,
    every_minutes: int,
    ends_on: date,
    now: datetime,
) -> ExchangeAgreement:
    """Offer a node what a grant of its unit, or a duty to report, lets out; nothing is sent before it accepts."""
    node = access_node(actor=actor, id=node_id, now=now)
    if node.state != NodeState.TRUSTED:
        raise Conflict(_("只能与已启用的节点订立约定。"))
    if every_minutes not in EVERY or ends_on < day_of(now):
        raise Invalid(_("请选择多久发送一次，截止日期应在今天之后。"))
    if grant is not None:
        basis = basis_of_grant(grant, node, now)
    elif duty is not None:
        basis = basis_of_duty(duty, node, now)
    else:
        raise Invalid(_("请选择依据：一项共享授权，或一项上报义务。"))
    terms = terms_of(basis, now=now)
    row = ExchangeAgreement(
        uid=uuid4().hex,
        node=node,
        is_sender=True,
        dataset=terms.dataset,
        terms=terms_as_json(terms),
        every_minutes=every_minutes,
        ends_on=ends_on,
        grant=grant,
        duty=duty,
        offered_by=actor.person_id,
        offered_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            body = {"agreement": row.uid, "terms": row.terms, "every_minutes": every_minutes, "ends_on": ends_on.isoformat()}
            write_letter(node, "offer", body, now=now)
            record(row, action="datahub.exchange_offered", actor=actor, now=now, basis=terms.basis)
    except IntegrityError as error:
        raise Conflict(_("与这个节点已有这个数据集的约定。"), remedy=_("请先终止原来的约定。")) from error
    return row


@transaction.atomic
def take_offer(node: ExchangeNode, body: Mapping[str, Any], *, now: datetime) -> None:
    """Keep what a node offers until our officers decide; they are told. The same offer again changes nothing."""
    terms = terms_in(body.get("terms", {}))
    uid = str(body.get("agreement", ""))
    try:
        if not _UID.fullmatch(uid):
            raise ValueError(uid)
        every, ends_on = int(body["every_minutes"]), date.fromisoformat(str(body["ends_on"]))
    except (KeyError, TypeError, ValueError) as fault:
        raise Invalid(_("交换约定的内容不完整或不合规。"), remedy=_("请让对方重新提出。")) from fault
    if ExchangeAgreement.objects.filter(uid=uid, is_sender=False).exists():
        return
    same = {"node": node, "dataset": terms.dataset, "is_sender": False, "state__in": _LIVE}
    # The sender may not have heard that an older agreement is over; whoever sends knows best which one holds.
    ExchangeAgreement.objects.filter(**same).update(state=AgreementState.ENDED.value, settled_at=now)
    row = ExchangeAgreement.objects.create(
        uid=uid,
        node=node,
        is_sender=False,
        dataset=terms.dataset,
        terms=terms_as_json(terms),
        every_minutes=min(max(every, EVERY[0]), EVERY[-1]),
        ends_on=ends_on,
        offered_at=now,
    )
    record(row, action="datahub.exchange_offered", actor=SYSTEM, now=now, basis=terms.basis)
    title = _("有节点提出交换数据，等待决定")
    tell_keepers(row, title=title, body=f"{node.name}：{terms.title or terms.dataset}", key="offered", now=now)


@transaction.atomic
def accept_agreement(*, actor: Actor, agreement_id: int, now: datetime) -> None:
    """The receiver accepts: from now on packets may land, in a dataset of their own beside ours."""
    row = _offered_to_us(actor, agreement_id, now)
    terms, root = terms_in(row.terms), directory.root_org()
    spec = landing_spec(terms, owner=f"org:{root.id}" if root is not None else "")
    try:
        offer_dataset(spec)
    except ValueError as fault:
        raise Conflict(
            _("数据集 %(name)s 已按别的分区存放，不能接收。") % {"name": spec.name},
            remedy=_("请对方按相同的分区提供，或另用一个数据集名称。"),
        ) from fault
    row.landed_in = spec.name
    _settle(row, AgreementState.ACCEPTED, "datahub.exchange_accepted", actor, now)
    write_letter(row.node, "answer", {"agreement": row.uid, "accepted": True, "terms": terms.digest}, now=now)


@transaction.atomic
def refuse_agreement(*, actor: Actor, agreement_id: int, reason: str, now: datetime) -> None:
    """The receiver does not want it; the sender is told why."""
    row = _offered_to_us(actor, agreement_id, now)
    row.reason = reason.strip()[:500]
    _settle(row, AgreementState.REFUSED, "datahub.exchange_refused", actor, now)
    write_letter(row.node, "answer", {"agreement": row.uid, "accepted": False, "reason": row.reason}, now=now)


@transaction.atomic
def end_agreement(*, actor: Actor, agreement_id: int, reason: str, now: datetime) -> None:
    """Either side ends it; what has landed stays with the receiver, under its own rules of retention."""
    access_agreement(actor=actor, id=agreement_id, now=now)
    row = ExchangeAgreement.objects.select_for_update().select_related("node").get(pk=agreement_id)
    if row.state not in _LIVE:
        raise Conflict(_("这份约定已经结束。"))
    row.reason = reason.strip()[:500]
    _settle(row, AgreementState.ENDED, "datahub.exchange_ended", actor, now)
    if row.node.state == NodeState.TRUSTED:
        body = {"agreement": row.uid, "by_sender": row.is_sender, "reason": row.reason}
        write_letter(row.node, "end", body, now=now)


@transaction.atomic
def take_answer(node: ExchangeNode, body: Mapping[str, Any], *, now: datetime) -> None:
    """What the receiver decided about our offer."""
    row = _row(node, body, is_sender=True)
    if row.state != AgreementState.OFFERED:
        return
    if not body.get("accepted"):
        row.reason = str(body.get("reason", ""))[:500]
        _settle(row, AgreementState.REFUSED, "datahub.exchange_refused", SYSTEM, now)
        tell_keepers(row, title=_("对方不接受交换约定"), body=row.reason or row.dataset, key="answered", now=now)
        return
    if body.get("terms") != terms_in(row.terms).digest:
        raise Invalid(_("对方接受的内容与本节点提出的不一致。"), remedy=_("请终止这份约定，重新提出。"))
    _settle(row, AgreementState.ACCEPTED, "datahub.exchange_accepted", SYSTEM, now)


@transaction.atomic
def take_end(node: ExchangeNode, body: Mapping[str, Any], *, now: datetime) -> None:
    """The other side ended an agreement."""
    row = _row(node, body, is_sender=not body.get("by_sender"))
    if row.state in _LIVE:
        row.reason = str(body.get("reason", ""))[:500]
        _settle(row, AgreementState.ENDED, "datahub.exchange_ended", SYSTEM, now)
        tell_keepers(row, title=_("对方终止了交换约定"), body=row.reason or row.dataset, key="ended", now=now)


def agreement_address(row: ExchangeAgreement) -> str:
    return reverse("datahub:exchange_agreement", args=[ids.encode("exchange_agreement", row.pk)])


def tell_keepers(row: ExchangeAgreement, *, title: str, body: str, key: str, now: datetime) -> None:
    """One notice to those who keep the installation's data."""
    root = directory.root_org()
    if root is not None:
        name = f"exchange-{key}:{row.uid}:{int(row.is_sender)}"
        tell_unit(root.id, title=title, body=body[:300], url=agreement_address(row), key=name, now=now)


def record(row: ExchangeAgreement, *, action: str, actor: Actor, now: datetime, **details: object) -> None:
    """An entry of the audit about an agreement or one of its packets."""
    told = {"dataset": row.dataset, "node": row.node.uid, "agreement": row.uid, "sends": row.is_sender, **details}
    audit.record(actor=actor, action=action, target=f"exchange_agreement:{row.pk}", details=told, now=now)


def _settle(row: ExchangeAgreement, state: AgreementState, action: str, actor: Actor, now: datetime) -> None:
    row.state, row.settled_at, row.settled_by = state.value, now, actor.person_id
    row.save(update_fields=["state", "settled_at", "settled_by", "reason", "landed_in"])
    record(row, action=action, actor=actor, now=now, reason=row.reason)


def _offered_to_us(actor: Actor, agreement_id: int, now: datetime) -> ExchangeAgreement:
    access_agreement(actor=actor, id=agreement_id, now=now)
    row = ExchangeAgreement.objects.select_for_update().select_related("node").get(pk=agreement_id)
    if row.is_sender:
        raise Conflict(_("这份约定等待对方决定。"))
    if row.state != AgreementState.OFFERED:
        raise Conflict(_("这份约定已经有了决定。"))
    return row


def _row(node: ExchangeNode, body: Mapping[str, Any], *, is_sender: bool) -> ExchangeAgreement:
    told = {"node": node, "uid": str(body.get("agreement", ""))[:32], "is_sender": is_sender}
    row = ExchangeAgreement.objects.select_for_update().filter(**told).first()
    if row is None:
        raise NotFound(_("没有这份交换约定，或它没有生效。"))
    return row
