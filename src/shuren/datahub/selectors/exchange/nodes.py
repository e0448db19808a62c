"""Nodes and agreements, for the keepers of the whole installation and for nobody else."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shuren.datahub.data import AgreementState, NodeState, PacketState
from shuren.datahub.models import ExchangeAgreement, ExchangeLetter, ExchangeNode, ExchangePacket, ReportDuty, SharingGrant
from shuren.datahub.selectors.sharing import KEEPERS
from shuren.directory import api as directory
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound


def keeps_exchange(*, actor: Actor, now: datetime) -> bool:
    """Whether the actor keeps the data of the whole installation: an officer, or the head, of its root."""
    root = directory.root_org()
    return root is not None and root.path in directory.role_paths_of(actor=actor, roles=KEEPERS, now=now)


def access_exchange(*, actor: Actor, now: datetime) -> None:
    """`NotFound` for whoever does not keep the data of the whole installation."""
    if not keeps_exchange(actor=actor, now=now):
        raise NotFound(_("没有找到这个页面。"))


def access_node(*, actor: Actor, id: int, now: datetime) -> ExchangeNode:
    access_exchange(actor=actor, now=now)
    row = ExchangeNode.objects.filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这个节点。"))
    return row


def access_agreement(*, actor: Actor, id: int, now: datetime) -> ExchangeAgreement:
    access_exchange(actor=actor, now=now)
    row = ExchangeAgreement.objects.select_related("node").filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这份交换约定。"))
    return row


def access_packet(*, actor: Actor, id: int, now: datetime) -> ExchangePacket:
    access_exchange(actor=actor, now=now)
    row = ExchangePacket.objects.select_related("agreement__node").filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这个交换包。"))
    return row


def nodes(*, state: str = "") -> QuerySet[ExchangeNode]:
    rows = ExchangeNode.objects.order_by("name", "pk")
    return rows.filter(state=state) if state else rows


def agreements(*, state: str = "", node_id: int | None = None) -> QuerySet[ExchangeAgreement]:
    """Newest first."""
    rows = ExchangeAgreement.objects.select_related("node").order_by("-pk")
    rows = rows.filter(node_id=node_id) if node_id is not None else rows
    return rows.filter(state=state) if state else rows


def packets_of(agreement: ExchangeAgreement | None = None, *, state: str = "") -> QuerySet[ExchangePacket]:
    """Packets of one agreement, or of all, newest first."""
    rows = ExchangePacket.objects.select_related("agreement__node").defer("manifest", "answer").order_by("-pk")
    rows = rows.filter(agreement=agreement) if agreement is not None else rows
    return rows.filter(state=state) if state else rows


def trusted_node(uid: str) -> ExchangeNode:
    """The node that calls or writes, as long as it is trusted; `NotFound` otherwise."""
    row = ExchangeNode.objects.filter(uid=uid, state=NodeState.TRUSTED.value).first()
    if row is None:
        raise NotFound(_("本节点不认识对方，或已停用。"), remedy=_("请由双方的管理员重新核对指纹并启用节点。"))
    return row


def live_agreement(uid: str, *, is_sender: bool, node: ExchangeNode) -> ExchangeAgreement:
    """An accepted agreement with this node."""
    row = ExchangeAgreement.objects.filter(uid=uid, is_sender=is_sender, node=node).first()
    if row is None or row.state != AgreementState.ACCEPTED:
        raise NotFound(_("没有这份交换约定，或它没有生效。"))
    return row


def ready_packet(agreement: ExchangeAgreement) -> ExchangePacket | None:
    """The packet on its way: there is never more than one."""
    return ExchangePacket.objects.filter(agreement=agreement, state=PacketState.READY.value).first()


def ready_packets(node: ExchangeNode) -> QuerySet[ExchangePacket]:
    told = {"agreement__node": node, "agreement__state": AgreementState.ACCEPTED.value, "state": PacketState.READY.value}
    return ExchangePacket.objects.select_related("agreement__node").filter(**told).order_by("pk")


def letters_due(node: ExchangeNode, *, after: int = 0) -> QuerySet[ExchangeLetter]:
    return ExchangeLetter.objects.filter(node=node, sent_at__isnull=True, pk__gt=after).order_by("pk")


def grants_for(node: ExchangeNode, *, now: datetime) -> list[SharingGrant]:
    """Live grants of the org that the node stands for, which let out files."""
    if node.org_id is None:
        return []
    rows = SharingGrant.objects.filter(
        applicant_org_id=node.org_id, revoked_at__isnull=True, begins_at__lte=now, ends_at__gt=now
    ).order_by("dataset", "pk")
    return [row for row in rows if "file" in row.ways]


def duties(*, now: datetime) -> QuerySet[ReportDuty]:
    """Duties to report that hold now, by dataset."""
    return ReportDuty.objects.filter(revoked_at__isnull=True, begins_at__lte=now, ends_at__gt=now).order_by("dataset")
