"""A packet that came whole is taken, answered, and its file let go."""

from datetime import datetime

from shuren.datahub.models import ExchangeAgreement
from shuren.datahub.selectors.exchange.folders import in_file
from shuren.datahub.services.exchange.agree import record
from shuren.datahub.services.exchange.exchange_with import ask_for_turn
from shuren.datahub.services.exchange.land import take_packet
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import ShurenError


def take_held(agreement_id: int, digest: str, *, now: datetime) -> str:
    """Take the packet and return what became of it. One that cannot be believed is let go, so that it comes again whole.

    A full disk, or a database that is away, raises: the job is tried again with the same file.
    """
    agreement = ExchangeAgreement.objects.select_related("node").get(pk=agreement_id)
    path = in_file(agreement, digest)
    if not path.exists():
        return "gone"
    try:
        row = take_packet(path, now=now)
    except ShurenError as fault:
        ExchangeAgreement.objects.filter(pk=agreement.pk).update(error=str(fault)[:500], error_at=now)
        record(agreement, action="datahub.packet_not_believed", actor=SYSTEM, now=now, digest=digest, reason=str(fault)[:200])
        path.unlink(missing_ok=True)
        return "not believed"
    path.unlink(missing_ok=True)
    # The answer goes out now, not with the next minute.
    ask_for_turn(agreement.node_id)
    return row.state
