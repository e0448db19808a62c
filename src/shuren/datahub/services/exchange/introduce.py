"""Two installations come to know each other: an invitation, a card, and the card that comes back."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.data import Carriage, NodeState
from shuren.datahub.models import ExchangeInvitation, ExchangeNode
from shuren.datahub.rules.exchange.cards import (
    INVITED,
    TURNED_OVER,
    Card,
    card_as_json,
    card_in,
    code_digest,
    invitation_in,
    invitation_text,
    new_code,
)
from shuren.datahub.rules.exchange.letters import Letter, LetterBroken, believe
from shuren.datahub.selectors.exchange.nodes import access_exchange
from shuren.datahub.selectors.exchange.own_node import newest_key, own_uid
from shuren.datahub.services.exchange.write_letter import ensure_own_card, write_letter
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, Refused


@transaction.atomic
def invite_node(*, actor: Actor, now: datetime) -> str:
    """The text that another installation's officer needs to introduce it here: good once, for seven days, shown now only."""
    access_exchange(actor=actor, now=now)
    card, code = ensure_own_card(now), new_code()
    row = ExchangeInvitation.objects.create(
        digest=code_digest(code), created_by=actor.person_id, created_at=now, ends_at=now + INVITED
    )
    details = {"ends_at": row.ends_at.isoformat()}
    audit.record(actor=actor, action="datahub.node_invited", target=f"exchange_invitation:{row.pk}", details=details, now=now)
    return invitation_text(card, code)


@transaction.atomic
def introduce_node(*, actor: Actor, text: str, now: datetime) -> ExchangeNode:
    """Take an invitation up: the inviting node is known from now on, and our card waits to be carried to it."""
    access_exchange(actor=actor, now=now)
    found, card = invitation_in(text), ensure_own_card(now)
    if found.uid == card.uid:
        raise Invalid(_("这是本节点自己的邀请，请在对方的平台上使用。"))
    known = ExchangeNode.objects.select_for_update().filter(uid=found.uid).first()
    if known is not None and known.state in {NodeState.TRUSTED, NodeState.SUSPENDED}:
        raise Conflict(_("已经认识“%(name)s”。") % {"name": known.name})
    node, _is_new = ExchangeNode.objects.update_or_create(
        uid=found.uid,
        defaults={
            "name": found.name[:120],
            "address": found.address[:300],
            "carriage": Carriage.CALL.value if found.address else Carriage.DROP.value,
            "keys": [],
            "fingerprint": found.fingerprint[:40],
            "state": NodeState.WAITING.value,
            "introduced_at": now,
            "card_at": None,
        },
    )
    write_letter(node, "card", {"card": card_as_json(card), "code": found.code}, now=now)
    _record(node, "datahub.node_introduced", actor, now)
    return node


@transaction.atomic
def take_card(letter: Letter, *, now: datetime, actor: Actor = SYSTEM) -> ExchangeNode:
    """A node tells who it is: at an invitation of ours, in answer to our card, or because it turned its keys over.

    A first card is signed with the key that it names and believed only when two officers have compared the fingerprint;
    a later one with the newest key that we know.
    """
    card = card_in(letter.body.get("card", {}))
    if card.uid != letter.sender or card.uid == own_uid():
        raise LetterBroken(_("节点名片与写信的节点不符。"))
    node = ExchangeNode.objects.select_for_update().filter(uid=card.uid).first()
    if node is not None and node.state == NodeState.TRUSTED:
        return _turned_over(node, letter, card, now)
    believe(letter, card.keys, receiver=own_uid())
    code = str(letter.body.get("code", ""))
    if node is not None and node.state == NodeState.WAITING and not code:
        if card.fingerprint != node.fingerprint:
            raise LetterBroken(_("对方的密钥与邀请上的指纹不符，可能有人冒充。"), remedy=_("请与对方电话核对，并重新取得邀请。"))
        return _known(node, card, letter, now)
    if node is not None and node.state == NodeState.SUSPENDED:
        raise Refused(_("这个节点已停用。"))
    if node is not None and node.state == NodeState.WAITING and node.fingerprint == card.fingerprint and node.keys:
        return node
    _use_invitation(code, now)
    node = node or ExchangeNode(uid=card.uid, introduced_at=now)
    node.state, node.introduced_at, node.fingerprint = NodeState.WAITING.value, now, card.fingerprint
    node.carriage = Carriage.CALL.value if card.address else Carriage.WAIT.value
    _known(node, card, letter, now)
    _record(node, "datahub.node_introduced", actor, now)
    write_letter(node, "card", {"card": card_as_json(ensure_own_card(now))}, now=now)
    return node


def _use_invitation(code: str, now: datetime) -> None:
    row = ExchangeInvitation.objects.select_for_update().filter(digest=code_digest(code)).first() if code else None
    if row is None or row.used_at is not None or row.ends_at <= now:
        raise Refused(_("邀请无效、已用过或已过期。"), remedy=_("请向对方的管理员要一份新的邀请。"))
    row.used_at = now
    row.save(update_fields=["used_at"])


def _known(node: ExchangeNode, card: Card, letter: Letter, now: datetime) -> ExchangeNode:
    node.name, node.level, node.address = card.name, card.level, card.address or node.address
    node.keys, node.card_at, node.seen_at = card.keys, letter.at, now
    node.save()
    return node


def _turned_over(node: ExchangeNode, letter: Letter, card: Card, now: datetime) -> ExchangeNode:
    """New keys of a node that we trust. A card as old as the one we have says nothing new, and is no way back to old keys."""
    if node.card_at is not None and letter.at <= node.card_at:
        return node
    believe(letter, [newest_key(node.keys, "sig")], receiver=own_uid())
    until = (now + TURNED_OVER).isoformat()
    known = {key["kid"] for key in card.keys}
    old = [{**key, "until": key["until"] or until} for key in node.keys if key["kid"] not in known]
    node.fingerprint = card.fingerprint
    _known(node, card, letter, now)
    node.keys = [*card.keys, *old]
    node.save(update_fields=["keys"])
    _record(node, "datahub.node_keys_changed", SYSTEM, now)
    return node


def _record(node: ExchangeNode, action: str, actor: Actor, now: datetime) -> None:
    details = {"name": node.name, "node": node.uid, "fingerprint": node.fingerprint}
    audit.record(actor=actor, action=action, target=f"exchange_node:{node.pk}", details=details, now=now)
