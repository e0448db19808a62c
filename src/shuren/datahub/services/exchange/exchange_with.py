"""One turn with a node: what is due is prepared, and everything that waits is carried."""

from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.datahub.data import AgreementState, Carriage, NodeState
from shuren.datahub.models import ExchangeAgreement, ExchangeNode
from shuren.datahub.selectors.exchange.folders import out_folder
from shuren.datahub.selectors.exchange.nodes import ready_packet
from shuren.datahub.services.exchange.call_node import call_node, still_may_leave
from shuren.datahub.services.exchange.carry_files import carry_files
from shuren.datahub.services.exchange.prepare import is_due, prepare_packet
from shuren.kernel import clock
from shuren.kernel.errors import ShurenError
from shuren.work.api import enqueue

TURN_JOB = "shuren.datahub.jobs.exchange_with_node"


def ask_for_turns() -> int:
    """Have a turn with every trusted node; one that is still under way is left alone."""
    rows = list(ExchangeNode.objects.filter(state=NodeState.TRUSTED.value).values_list("pk", flat=True))
    for node_id in rows:
        ask_for_turn(node_id)
    return len(rows)


def ask_for_turn(node_id: int) -> None:
    enqueue(TURN_JOB, {"node_id": node_id}, key=f"exchange-turn:{node_id}")


def exchange_with(node_id: int, *, now: datetime) -> str:
    """One turn; what went wrong is kept on the node or the agreement, shown there, and tried again at the next."""
    node = ExchangeNode.objects.filter(pk=node_id, state=NodeState.TRUSTED.value).first()
    if node is None:
        return ""
    sending = ExchangeAgreement.objects.filter(node=node, is_sender=True, state=AgreementState.ACCEPTED.value)
    for agreement in sending.select_related("node").order_by("pk"):
        _prepare(agreement, now)
    error = ""
    try:
        if node.carriage == Carriage.CALL:
            call_node(node)
        elif node.carriage == Carriage.DROP and not settings.SHUREN_EXCHANGE_DROP:
            error = _("没有设定交换文件夹（SHUREN_EXCHANGE_DROP）。")
        elif node.carriage == Carriage.DROP:
            error = "；".join(carry_files(node, now=now))
    except ShurenError as fault:
        error = str(fault)
    except OSError as fault:
        error = _("读写文件失败：%(reason)s。") % {"reason": fault.strerror or fault}
    told = {"error": error[:500], "error_at": clock.now() if error else None}
    ExchangeNode.objects.filter(pk=node.pk).update(**told)
    return error


def _prepare(agreement: ExchangeAgreement, now: datetime) -> None:
    _sweep(agreement)
    ready = ready_packet(agreement)
    if ready is not None:
        if not still_may_leave(ready, now=now):
            return
    elif not is_due(agreement, now):
        return
    try:
        prepare_packet(agreement, now=now)
    except (ShurenError, OSError) as fault:
        error = str(fault) if isinstance(fault, ShurenError) else str(fault.strerror or fault)
        ExchangeAgreement.objects.filter(pk=agreement.pk).update(error=error[:500], error_at=now)


def _sweep(agreement: ExchangeAgreement) -> None:
    """Files that a kill left behind: half-written ones, and whole ones that never became a packet."""
    folder, ready = out_folder(agreement), ready_packet(agreement)
    for path in folder.glob("*") if folder.exists() else ():
        if ready is None or path.name != f"{ready.digest}.packet":
            path.unlink(missing_ok=True)
