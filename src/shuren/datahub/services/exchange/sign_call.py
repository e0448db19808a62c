"""Calls between nodes are signed like letters: for one address, one body and a few minutes."""

from datetime import datetime
from hashlib import sha256

from django.utils.translation import gettext as _

from shuren.datahub.models import ExchangeNode
from shuren.datahub.rules.exchange.letters import LetterBroken, believe, check_clock, opened
from shuren.datahub.selectors.exchange.nodes import trusted_node
from shuren.datahub.selectors.exchange.own_node import own_uid, usable_keys
from shuren.datahub.services.exchange.write_letter import signed_letter

HEADER = "X-Shuren-Node"


def signed_call(node: ExchangeNode, method: str, path: str, body: bytes, *, now: datetime) -> str:
    """What goes into the header of a call of ours."""
    return signed_letter("call", node.uid, _bound(method, path, body), now=now)


def caller_of(header: str, method: str, path: str, body: bytes, *, now: datetime) -> ExchangeNode:
    """The trusted node that makes a call; raises `NotFound`, `LetterBroken` or `ClockApart`.

    A call that is heard twice is harmless, whatever it asks: it is answered twice.
    """
    letter = opened(header)
    node = trusted_node(letter.sender)
    believe(letter, usable_keys(node.keys, now), receiver=own_uid())
    check_clock(letter.at, now)
    if letter.kind != "call" or letter.body != _bound(method, path, body):
        raise LetterBroken(_("签名不是为这次调用作的。"))
    ExchangeNode.objects.filter(pk=node.pk).update(seen_at=now)
    return node


def _bound(method: str, path: str, body: bytes) -> dict[str, str]:
    return {"method": method, "path": path, "body": sha256(body).hexdigest()}
