"""What a node that we cannot call fetches from us: letters, and packets part by part."""

from datetime import datetime

from django.utils.translation import gettext as _

from shuren.datahub.data import Carriage
from shuren.datahub.models import ExchangeLetter, ExchangeNode, ExchangePacket
from shuren.datahub.selectors.exchange.folders import out_file
from shuren.datahub.selectors.exchange.nodes import letters_due, ready_packets
from shuren.datahub.services.exchange.call_node import still_may_leave
from shuren.kernel.errors import NotFound

_AT_ONCE = 50


def hand_out_letters(node: ExchangeNode, *, after: int, now: datetime) -> list[ExchangeLetter]:
    """The letters that wait after the one it says it has; those up to it have arrived."""
    ExchangeLetter.objects.filter(node=node, pk__lte=after, sent_at__isnull=True).update(sent_at=now, error="")
    return list(letters_due(node, after=after)[:_AT_ONCE]) if node.carriage == Carriage.WAIT else []


def hand_out_packets(node: ExchangeNode, *, now: datetime) -> list[ExchangePacket]:
    """The packets that wait and still may leave."""
    waiting = ready_packets(node) if node.carriage == Carriage.WAIT else ()
    return [row for row in waiting if still_may_leave(row, now=now)]


def hand_out_bytes(node: ExchangeNode, uid: str, digest: str, *, first: int, last: int, now: datetime) -> tuple[bytes, int]:
    """The bytes from `first` to `last` of a packet, and how many it has; `NotFound` once it may not leave any more."""
    row = ready_packets(node).filter(agreement__uid=uid, digest=digest).first()
    if row is None or not still_may_leave(row, now=now):
        raise NotFound(_("没有发出过这个包。"))
    if first >= row.bytes:
        return b"", row.bytes
    with out_file(row).open("rb") as file:
        file.seek(first)
        data = file.read(min(last, row.bytes - 1) - first + 1)
    ExchangePacket.objects.filter(pk=row.pk).update(carried=first + len(data))
    return data, row.bytes
