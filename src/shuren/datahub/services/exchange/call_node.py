"""We call a node: letters and packets there, letters and packets from there, each going on where it stopped."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from shuren.datahub.models import ExchangeLetter, ExchangeNode, ExchangePacket
from shuren.datahub.rules.exchange.letters import LONGEST
from shuren.datahub.selectors.exchange.folders import out_file
from shuren.datahub.selectors.exchange.nodes import letters_due, live_agreement, ready_packets
from shuren.datahub.services.exchange.basis import basis_of
from shuren.datahub.services.exchange.hold import CHUNK, held_bytes, hold_bytes
from shuren.datahub.services.exchange.settle import withdraw_packet
from shuren.datahub.services.exchange.sign_call import HEADER, signed_call
from shuren.datahub.services.exchange.take_letter import take_letter
from shuren.kernel import clock, outward
from shuren.kernel.errors import Conflict, Refused, ShurenError

BASE = "/exchange/v1"
_SECONDS = 60.0
_AT_ONCE = 50


class NodeUnreachable(Conflict):
    """The node did not answer, or answered that it will not; everything stays as it was for the next turn."""


class NodeRefuses(NodeUnreachable):
    """The node answered that it will not."""


def call_node(node: ExchangeNode) -> None:
    """One round with a node that we call; raises `NodeUnreachable`, with what the node said."""
    send_letters(node)
    for packet in ready_packets(node):
        send_packet(packet)
    fetch_letters(node)
    fetch_packets(node)


def introduce_by_call(node: ExchangeNode, letter: ExchangeLetter) -> None:
    """Hand our card to whoever invited us, and take the card that comes back."""
    answer = _asked(node, "POST", f"{BASE}/introductions", letter.text.encode(), is_signed=False)
    now = clock.now()
    take_letter(str(answer.get("letter", "")), now=now)
    ExchangeLetter.objects.filter(pk=letter.pk).update(sent_at=now, error="")


def send_letters(node: ExchangeNode) -> None:
    """Every letter that waits, new keys first; one that is refused does not hold up the next."""
    for letter in sorted(letters_due(node)[:_AT_ONCE], key=lambda one: (one.kind != "card", one.pk)):
        try:
            _asked(node, "POST", f"{BASE}/letters", letter.text.encode())
        except NodeRefuses as fault:
            ExchangeLetter.objects.filter(pk=letter.pk).update(error=str(fault)[:500])
        else:
            ExchangeLetter.objects.filter(pk=letter.pk).update(sent_at=clock.now(), error="")


def send_packet(packet: ExchangePacket) -> None:
    """A packet from where the receiver has it. What allowed it to leave is looked at before every part."""
    node, path = packet.agreement.node, out_file(packet)
    place = f"{BASE}/packets/{packet.agreement.uid}/{packet.digest}"
    size = path.stat().st_size
    answer = _asked(node, "GET", f"{place}?size={size}", b"")
    offset, is_taken = int(answer.get("held", 0)), bool(answer.get("is_taken"))
    with path.open("rb") as file:
        while not is_taken and offset < size:
            if not still_may_leave(packet, now=clock.now()):
                return
            file.seek(offset)
            data = file.read(CHUNK)
            answer = _asked(node, "PUT", f"{place}?offset={offset}&size={size}", data)
            offset = int(answer["held"])
            ExchangePacket.objects.filter(pk=packet.pk).update(carried=offset)


def still_may_leave(packet: ExchangePacket, *, now: datetime) -> bool:
    """Whether the grant or duty behind a packet still holds; where it does not the packet is withdrawn."""
    try:
        basis_of(packet.agreement, now=now)
    except Refused as fault:
        withdraw_packet(packet, reason=str(fault), now=now)
        return False
    return True


def fetch_letters(node: ExchangeNode) -> None:
    """Letters that wait for us at a node which cannot call us."""
    while True:
        answer = _asked(node, "GET", f"{BASE}/letters?after={node.letters_fetched}", b"")
        letters = answer.get("letters")
        if not isinstance(letters, list) or not letters:
            return
        for told in letters:
            try:
                take_letter(str(told["text"]), now=clock.now())
            except ShurenError as fault:
                _note(node, str(fault))
            node.letters_fetched = int(told["id"])
            ExchangeNode.objects.filter(pk=node.pk).update(letters_fetched=node.letters_fetched)


def fetch_packets(node: ExchangeNode) -> None:
    """Packets that wait for us there, each from where we have it."""
    answer = _asked(node, "GET", f"{BASE}/packets", b"")
    for told in answer.get("packets", []):
        uid, digest, size = str(told["agreement"]), str(told["digest"]), int(told["bytes"])
        live_agreement(uid, is_sender=False, node=node)
        offset, is_taken = held_bytes(node, uid, digest, size=size)
        while not is_taken and offset < size:
            last = min(offset + CHUNK, size) - 1
            data = _bytes(node, f"{BASE}/packets/{uid}/{digest}/file", offset, last)
            offset = hold_bytes(node, uid, digest, offset=offset, size=size, data=data, now=clock.now())


def _asked(node: ExchangeNode, method: str, path: str, body: bytes, *, is_signed: bool = True) -> Mapping[str, Any]:
    answer = _called(node, method, path, body, {}, is_signed=is_signed)
    try:
        told = json.loads(answer.body)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise NodeUnreachable(_("对方的回答看不懂，地址可能不对。"))
    if answer.status >= 400:
        words = {"status": answer.status, "said": str(told.get("message", ""))[:300]}
        raise NodeRefuses(_("对方不接受（%(status)s）：%(said)s") % words, remedy=str(told.get("remedy", ""))[:200])
    return told


def _bytes(node: ExchangeNode, path: str, first: int, last: int) -> bytes:
    answer = _called(node, "GET", path, b"", {"Range": f"bytes={first}-{last}"})
    if answer.status != 206 or len(answer.body) != last - first + 1:
        raise NodeUnreachable(_("对方没有给出包的这一段。"))
    return answer.body


def _called(
    node: ExchangeNode, method: str, path: str, body: bytes, headers: Mapping[str, str], *, is_signed: bool = True
) -> outward.Answer:
    sent = {"Content-Type": "application/octet-stream", "Accept": "application/json", **headers}
    # A platform may stand below a path of its site: both sides sign what follows it.
    if is_signed:
        sent[HEADER] = signed_call(node, method, path, body, now=clock.now())
    if not urlsplit(node.address).hostname:
        raise NodeUnreachable(_("没有对方的地址。"))
    try:
        return outward.call(
            node.address.rstrip("/") + path,
            method=method,
            body=body or None,
            headers=sent,
            max_bytes=LONGEST + CHUNK,
            seconds=_SECONDS,
        )
    except outward.OutwardRefused as fault:
        raise NodeUnreachable(
            _("不能调用对方的地址：%(reason)s。") % {"reason": fault}, remedy=_("内网地址请加入 SHUREN_PRIVATE_TARGETS。")
        ) from fault
    except outward.OutwardFailed as fault:
        raise NodeUnreachable(_("对方没有应答（%(reason)s）。") % {"reason": fault}) from fault


def _note(node: ExchangeNode, error: str) -> None:
    ExchangeNode.objects.filter(pk=node.pk).update(error=error[:500], error_at=clock.now())
