"""An introduction is tried at once where the inviting node can be called."""

from shuren.datahub.models import ExchangeNode
from shuren.datahub.selectors.exchange.nodes import letters_due
from shuren.datahub.services.exchange.call_node import introduce_by_call
from shuren.kernel import clock
from shuren.kernel.errors import ShurenError


def introduce_now(node: ExchangeNode) -> None:
    """Hand our card over; where that does not work the node says why, and the card may be carried by hand."""
    letter = letters_due(node).filter(kind="card").last()
    if letter is None or not node.address:
        return
    try:
        introduce_by_call(node, letter)
    except ShurenError as fault:
        ExchangeNode.objects.filter(pk=node.pk).update(error=str(fault)[:500], error_at=clock.now())
