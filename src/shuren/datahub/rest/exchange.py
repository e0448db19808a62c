"""The exchange for programs of those who keep the installation's data: nodes, agreements, and packets with their counts."""

from datetime import date, datetime

from django.http import HttpRequest
from ninja import Router, Schema

from shuren.datahub.data import AgreementState, Carriage, NodeState, PacketState
from shuren.datahub.models import ExchangeAgreement, ExchangeNode, ExchangePacket
from shuren.datahub.selectors.exchange.nodes import access_exchange, agreements, nodes, packets_of
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import SIZES, page_of

router = Router(tags=["exchange"])


class ExchangeNodeOut(Schema):
    """Another installation; `fingerprint` is that of its newest keys, `error` what went wrong last."""

    id: str
    name: str
    level: str
    state: NodeState
    carriage: Carriage
    fingerprint: str
    seen_at: datetime | None
    error: str


class ExchangeNodePage(Schema):
    """One page of nodes by name."""

    rows: list[ExchangeNodeOut]
    total: int
    is_exact: bool
    page: int


class ExchangeAgreementOut(Schema):
    """An agreement; `number` counts the packets that were acknowledged, the last one at `acknowledged_at`."""

    id: str
    node: str
    dataset: str
    is_sender: bool
    landed_in: str
    state: AgreementState
    every_minutes: int
    ends_on: date
    number: int
    acknowledged_at: datetime | None
    error: str


class ExchangeAgreementPage(Schema):
    """One page of agreements, newest first."""

    rows: list[ExchangeAgreementOut]
    total: int
    is_exact: bool
    page: int


class PacketFaultOut(Schema):
    """Why a packet was refused: the file in it, row (from 1, 0 where no row is meant) and column."""

    file: str
    row: int
    column: str
    reason: str
    remedy: str


class ExchangePacketOut(Schema):
    """A packet; `digest` is the SHA-256 of its manifest, `carried` how many bytes were sent."""

    id: str
    agreement: str
    number: int
    digest: str
    state: PacketState
    row_count: int
    bytes: int
    carried: int
    prepared_at: datetime
    settled_at: datetime | None
    faults: list[PacketFaultOut]


class ExchangePacketPage(Schema):
    """One page of packets, newest first."""

    rows: list[ExchangePacketOut]
    total: int
    is_exact: bool
    page: int


@router.get("/nodes", response=ExchangeNodePage, operation_id="list_exchange_nodes", summary="Nodes that are known")
def list_exchange_nodes(request: HttpRequest, state: NodeState | None = None, page: int = 1, size: int = 50) -> ExchangeNodePage:
    access_exchange(actor=actor_of(request), now=clock.now())
    found = page_of(nodes(state=state.value if state else ""), _node_out, number=max(1, page), size=_size(size))
    return ExchangeNodePage(rows=found.rows, total=found.total, is_exact=found.is_exact, page=found.number)


@router.get(
    "/agreements", response=ExchangeAgreementPage, operation_id="list_exchange_agreements", summary="What was agreed with nodes"
)
def list_exchange_agreements(
    request: HttpRequest, state: AgreementState | None = None, page: int = 1, size: int = 50
) -> ExchangeAgreementPage:
    access_exchange(actor=actor_of(request), now=clock.now())
    rows = agreements(state=state.value if state else "")
    found = page_of(rows, _agreement_out, number=max(1, page), size=_size(size))
    return ExchangeAgreementPage(rows=found.rows, total=found.total, is_exact=found.is_exact, page=found.number)


@router.get("/packets", response=ExchangePacketPage, operation_id="list_exchange_packets", summary="Packets sent and received")
def list_exchange_packets(
    request: HttpRequest, state: PacketState | None = None, page: int = 1, size: int = 50
) -> ExchangePacketPage:
    access_exchange(actor=actor_of(request), now=clock.now())
    rows = packets_of(state=state.value if state else "")
    found = page_of(rows, _packet_out, number=max(1, page), size=_size(size))
    return ExchangePacketPage(rows=found.rows, total=found.total, is_exact=found.is_exact, page=found.number)


def _node_out(row: ExchangeNode) -> ExchangeNodeOut:
    return ExchangeNodeOut(
        id=ids.encode("exchange_node", row.pk),
        name=row.name,
        level=row.level,
        state=NodeState(row.state),
        carriage=Carriage(row.carriage),
        fingerprint=row.fingerprint,
        seen_at=row.seen_at,
        error=row.error,
    )


def _agreement_out(row: ExchangeAgreement) -> ExchangeAgreementOut:
    return ExchangeAgreementOut(
        id=ids.encode("exchange_agreement", row.pk),
        node=ids.encode("exchange_node", row.node_id),
        dataset=row.dataset,
        is_sender=row.is_sender,
        landed_in=row.landed_in,
        state=AgreementState(row.state),
        every_minutes=row.every_minutes,
        ends_on=row.ends_on,
        number=row.number,
        acknowledged_at=row.acknowledged_at,
        error=row.error,
    )


def _packet_out(row: ExchangePacket) -> ExchangePacketOut:
    return ExchangePacketOut(
        id=ids.encode("exchange_packet", row.pk),
        agreement=ids.encode("exchange_agreement", row.agreement_id),
        number=row.number,
        digest=row.digest,
        state=PacketState(row.state),
        row_count=row.rows,
        bytes=row.bytes,
        carried=row.carried,
        prepared_at=row.prepared_at,
        settled_at=row.settled_at,
        faults=[PacketFaultOut(**fault) for fault in row.faults],
    )


def _size(size: int) -> int:
    return min(max(1, size), SIZES[-1])
