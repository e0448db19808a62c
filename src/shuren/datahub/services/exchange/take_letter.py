"""A letter of another installation, however it came."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.models import ExchangeNode
from shuren.datahub.rules.exchange.letters import Letter, LetterBroken, believe, opened
from shuren.datahub.selectors.exchange.nodes import access_exchange, trusted_node
from shuren.datahub.selectors.exchange.own_node import own_uid, usable_keys
from shuren.datahub.services.exchange.agree import take_answer, take_end, take_offer
from shuren.datahub.services.exchange.introduce import take_card
from shuren.datahub.services.exchange.settle import take_receipt, take_refusal
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM, Actor


def take_letter(text: str, *, now: datetime, actor: Actor = SYSTEM) -> ExchangeNode:
    """Believe a letter and do what it says; the same letter again changes nothing. Returns the node that wrote it."""
    letter = opened(text)
    if letter.kind == "card":
        return take_card(letter, now=now, actor=actor)
    node = trusted_node(letter.sender)
    believe(letter, usable_keys(node.keys, now), receiver=own_uid())
    _done(node, letter, now)
    ExchangeNode.objects.filter(pk=node.pk).update(seen_at=now)
    return node


@transaction.atomic
def bring_letters(text: str, *, actor: Actor, now: datetime) -> ExchangeNode:
    """The same for letters, one a line, that an officer carried here: all of them, or none where one is not believed."""
    access_exchange(actor=actor, now=now)
    lines = text.split()
    if not lines:
        raise LetterBroken(_("文件里没有交换信。"))
    for line in lines:
        node = take_letter(line, now=now, actor=actor)
        details = {"node": node.uid, "kind": opened(line).kind}
        audit.record(actor=actor, action="datahub.letter_brought", target=f"exchange_node:{node.pk}", details=details, now=now)
    return node


def _done(node: ExchangeNode, letter: Letter, now: datetime) -> None:
    if letter.kind == "offer":
        take_offer(node, letter.body, now=now)
    elif letter.kind == "answer":
        take_answer(node, letter.body, now=now)
    elif letter.kind == "end":
        take_end(node, letter.body, now=now)
    elif letter.kind == "receipt":
        take_receipt(node, letter, now=now)
    elif letter.kind == "refusal":
        take_refusal(node, letter, now=now)
    else:
        raise LetterBroken(_("不认识这种信。"), remedy=_("请双方升级到相同的版本。"))
