"""A node is trusted, paused, taken up again or given up; and our own keys are turned over."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.data import AgreementState, Carriage, NodeState
from shuren.datahub.models import ExchangeAgreement, ExchangeNode
from shuren.datahub.rules.exchange.cards import card_as_json
from shuren.datahub.selectors.exchange.nodes import access_exchange, access_node
from shuren.datahub.selectors.exchange.own_node import SEAL_KEY, SIGN_KEY
from shuren.datahub.services.exchange.write_letter import ensure_own_card, write_letter
from shuren.directory import api as directory
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.trust import api as trust

_SPOKEN = 8


@transaction.atomic
def trust_node(*, actor: Actor, node_id: int, spoken: str, org_id: int | None, carriage: Carriage, now: datetime) -> None:
    """Believe a node from now on: `spoken` are the last eight digits of its fingerprint as its officer read them out.

    `org_id` is the org here that it stands for; None where that stands outside our tree.
    """
    node = _locked(actor, node_id, now)
    if node.state != NodeState.WAITING:
        raise Conflict(_("这个节点不在等待核对。"))
    if not node.keys:
        raise Conflict(_("还没有收到对方的名片。"), remedy=_("请等对方收到介绍信并回信，或手工导入对方的回信。"))
    if "".join(spoken.split()).lower() != node.fingerprint[-_SPOKEN:]:
        raise Invalid(_("与本节点看到的指纹不符，不能启用。"), remedy=_("请再与对方核对一遍；仍不符的，可能有人冒充，请终止。"))
    if org_id is not None and org_id not in directory.orgs_by_ids([org_id]):
        raise Invalid(_("请选择对方代表的机构。"))
    node.org_id, node.carriage, node.state = org_id, carriage.value, NodeState.TRUSTED.value
    node.trusted_by, node.trusted_at, node.reason = actor.person_id, now, ""
    node.save()
    _record(node, "datahub.node_trusted", actor, now, org=org_id, carriage=carriage.value)


@transaction.atomic
def suspend_node(*, actor: Actor, node_id: int, reason: str, now: datetime) -> None:
    """Stop everything with a node at once: its calls and letters are refused, and nothing is sent to it."""
    _move(actor, node_id, now, {NodeState.TRUSTED}, NodeState.SUSPENDED, "datahub.node_suspended", reason)


@transaction.atomic
def resume_node(*, actor: Actor, node_id: int, now: datetime) -> None:
    """Take a suspended node up again, with the keys that it had."""
    _move(actor, node_id, now, {NodeState.SUSPENDED}, NodeState.TRUSTED, "datahub.node_resumed", "")


@transaction.atomic
def end_node(*, actor: Actor, node_id: int, reason: str, now: datetime) -> None:
    """Give a node up: its agreements end; to come back it needs a new invitation."""
    states = {NodeState.WAITING, NodeState.TRUSTED, NodeState.SUSPENDED}
    node = _move(actor, node_id, now, states, NodeState.ENDED, "datahub.node_ended", reason)
    live = ExchangeAgreement.objects.filter(node=node, state__in=[AgreementState.OFFERED, AgreementState.ACCEPTED])
    live.update(state=AgreementState.ENDED.value, reason=node.reason, settled_at=now, settled_by=actor.person_id)


@transaction.atomic
def rotate_node_keys(*, actor: Actor, now: datetime) -> None:
    """Turn our keys over and tell every node, signed with the key that they know."""
    access_exchange(actor=actor, now=now)
    ensure_own_card(now)
    known = trust.public_key_of(SIGN_KEY).version
    for name in (SIGN_KEY, SEAL_KEY):
        trust.rotate_key(name=name, now=now, actor=actor)
    card = card_as_json(ensure_own_card(now))
    told = list(ExchangeNode.objects.filter(state__in=[NodeState.TRUSTED, NodeState.SUSPENDED]))
    for node in told:
        write_letter(node, "card", {"card": card}, now=now, version=known)
    details = {"nodes": len(told)}
    audit.record(actor=actor, action="datahub.node_keys_rotated", target="exchange_node:0", details=details, now=now)


def _move(
    actor: Actor, node_id: int, now: datetime, states: set[NodeState], state: NodeState, action: str, reason: str
) -> ExchangeNode:
    node = _locked(actor, node_id, now)
    if node.state not in states:
        raise Conflict(_("节点的状态已经改变，请刷新后再看。"))
    node.state, node.reason = state.value, reason.strip()[:500]
    node.save(update_fields=["state", "reason"])
    _record(node, action, actor, now, reason=node.reason)
    return node


def _locked(actor: Actor, node_id: int, now: datetime) -> ExchangeNode:
    access_node(actor=actor, id=node_id, now=now)
    return ExchangeNode.objects.select_for_update().get(pk=node_id)


def _record(node: ExchangeNode, action: str, actor: Actor, now: datetime, **details: object) -> None:
    told = {"name": node.name, "node": node.uid, "fingerprint": node.fingerprint, **details}
    audit.record(actor=actor, action=action, target=f"exchange_node:{node.pk}", details=told, now=now)
