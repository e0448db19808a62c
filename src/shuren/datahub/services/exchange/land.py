"""The receiver takes a packet: believe it, check it whole, land it in one transaction, and answer with a signed letter."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.data import AssetKind, AssetRef, ColumnFlow, PacketFault, PacketState, PreparedPartition
from shuren.datahub.models import ExchangeAgreement, ExchangeNode, ExchangePacket
from shuren.datahub.rules.exchange.checks import MOST_FAULTS, code_faults, count_fault, fault_as_json, schema_faults
from shuren.datahub.rules.exchange.letters import Letter, believe, opened
from shuren.datahub.rules.exchange.packets import (
    FORM,
    PacketBroken,
    PacketFile,
    check_body,
    frames,
    opened_key,
    packet_in,
    sealed_for,
)
from shuren.datahub.rules.exchange.terms import SOURCE, SOURCE_ORG, Terms, landed_as, terms_in
from shuren.datahub.selectors.exchange.nodes import live_agreement, trusted_node
from shuren.datahub.selectors.exchange.own_node import own_uid, private_seal_key, usable_keys
from shuren.datahub.services.exchange.agree import record, tell_keepers
from shuren.datahub.services.exchange.write_letter import write_letter
from shuren.datahub.services.record_run import record_run
from shuren.datahub.services.write import drop_partition, prepare_partition, publish_partition
from shuren.kernel.data import SYSTEM
from shuren.standards import api as standards
from shuren.trust import api as trust
from shuren.trust.data import Business, DigestAlgorithm

_BATCH_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Arrival:
    """A packet whose signature, receiver and agreement hold."""

    letter: Letter
    node: ExchangeNode
    agreement: ExchangeAgreement
    found: PacketFile

    @property
    def told(self) -> Mapping[str, Any]:
        return self.letter.body

    @property
    def number(self) -> int:
        return int(self.told["number"])


class Unfit(Exception):
    """What is in the packet cannot be taken; the sender is told of every fault."""

    def __init__(self, faults: list[PacketFault]) -> None:
        super().__init__(len(faults))
        self.faults = faults[:MOST_FAULTS]


def take_packet(path: Path, *, now: datetime) -> ExchangePacket:
    """Land a packet, or refuse it with its faults; either way the sender is answered, and asking again answers the same.

    Raises `LetterBroken` or `PacketBroken` for what is no packet of a node that we trust: nobody is answered then. Killed
    anywhere it is taken again from its file: files that were written to the lake and not published are swept.
    """
    with path.open("rb") as file:
        arrival = _believed(file, now)
        known = ExchangePacket.objects.filter(agreement=arrival.agreement, digest=arrival.letter.digest).first()
        if known is not None:
            return _answered_again(known, now)
        try:
            _check_chain(arrival.agreement, arrival)
            check_body(file, arrival.found, arrival.told)
            prepared = _prepared(file, arrival)
        except Unfit as unfit:
            return _refused(arrival, unfit.faults, now)
        except (KeyError, TypeError, AttributeError) as fault:
            # Signed, and yet not shaped like a manifest.
            raise PacketBroken(_("这不是本系统认识的交换包。"), remedy=_("请双方升级到相同的版本。")) from fault
    return _landed(arrival, prepared, now)


def _believed(file: BinaryIO, now: datetime) -> Arrival:
    found = packet_in(file)
    letter = opened(found.manifest)
    node = trusted_node(letter.sender)
    believe(letter, usable_keys(node.keys, now), receiver=own_uid())
    if letter.kind != "packet" or letter.body.get("form") != FORM or not isinstance(letter.body.get("number"), int):
        raise PacketBroken(_("这不是本系统认识的交换包。"), remedy=_("请双方升级到相同的版本。"))
    return Arrival(letter, node, live_agreement(str(letter.body.get("agreement", "")), is_sender=False, node=node), found)


def _check_chain(agreement: ExchangeAgreement, arrival: Arrival) -> None:
    due = agreement.number + 1
    file = f"#{arrival.number}"
    remedy = _("请对方补发缺的包；接不上的，双方终止后另订约定，会重新发送全部数据。")
    if arrival.number != due:
        said = {"due": due, "number": arrival.number}
        raise Unfit([PacketFault(file, _("应收第 %(due)s 个包，来的是第 %(number)s 个。") % said, remedy)])
    if arrival.told.get("previous") != agreement.chain:
        raise Unfit([PacketFault(file, _("这个包接的不是上一个收下的包。"), remedy)])
    if arrival.told.get("terms") != terms_in(agreement.terms).digest:
        raise Unfit([PacketFault(file, _("包不是按双方约定的内容生成的。"), _("请双方终止后另订约定。"))])


def _prepared(file: BinaryIO, arrival: Arrival) -> list[PreparedPartition]:
    """Every file of the packet checked and written into the lake, unseen; nothing at all where one has a fault."""
    key = opened_key(str(arrival.told.get("key", "")), private_seal_key(sealed_for(str(arrival.told.get("key", "")))))
    plain = frames(file, arrival.found, key=key, context=f"{arrival.agreement.uid}:{arrival.number}")
    terms, faults, prepared = terms_in(arrival.agreement.terms), list[PacketFault](), list[PreparedPartition]()
    waiting = _Source(plain)
    for piece in arrival.told.get("pieces", ()):
        if piece["op"] != "put":
            continue
        with tempfile.TemporaryFile() as held:
            name = "/".join(f"{key}={value}" for key, value in piece["partition"].items())
            if waiting.copy(held, int(piece["bytes"])) != piece["sha256"]:
                raise PacketBroken(_("包的内容与清单不符，传输中可能损坏或被改动。"), remedy=_("请让对方重发这个包。"))
            found = _faults_of(held, name, piece, terms)
            faults += found
            if not faults:
                prepared.append(_written(held, piece, arrival, terms))
        if len(faults) >= MOST_FAULTS:
            break
    if faults:
        raise Unfit(faults)
    if not waiting.is_empty():
        raise Unfit([PacketFault(f"#{arrival.number}", _("包里有清单上没有的内容。"), _("请对方重新生成这个包。"))])
    return prepared


class _Source:
    """The plain bytes of a packet, taken file by file."""

    def __init__(self, plain: Iterator[bytes]) -> None:
        self._plain, self._left = plain, b""

    def copy(self, target: Any, size: int) -> str:
        digest = sha256()
        while size > 0:
            if not self._left:
                self._left = next(self._plain, b"")
                if not self._left:
                    break
            taken, self._left = self._left[:size], self._left[size:]
            digest.update(taken)
            target.write(taken)
            size -= len(taken)
        return digest.hexdigest()

    def is_empty(self) -> bool:
        return not self._left and not next(self._plain, b"")


def _faults_of(held: Any, name: str, piece: Mapping[str, Any], terms: Terms) -> list[PacketFault]:
    if set(piece["partition"]) != set(terms.keys):
        return [PacketFault(name, _("分区键与约定不符。"), _("请对方按约定发送，或双方另订约定。"))]
    held.seek(0)
    try:
        opened_file = pq.ParquetFile(held)
        found = schema_faults(name, opened_file.schema_arrow, terms)
        found += count_fault(name, int(piece["rows"]), opened_file.metadata.num_rows)
        if found:
            return found
        sets, row = _code_sets(terms), 0
        for batch in opened_file.iter_batches(batch_size=_BATCH_ROWS, columns=list(sets)) if sets else ():
            found += code_faults(name, batch, row, sets)
            row += batch.num_rows
            if len(found) >= MOST_FAULTS:
                break
    except (pa.ArrowException, OSError) as fault:
        if isinstance(fault, OSError) and fault.errno:
            raise
        return [PacketFault(name, _("不是可以读取的 Parquet 文件。"), _("请对方重新生成这个包。"))]
    return found


def _code_sets(terms: Terms) -> dict[str, Callable[[str], bool]]:
    """The columns that hold codes as they are, each with the question whether a value is one."""
    sets: dict[str, Callable[[str], bool]] = {}
    for name, column in terms.columns.items():
        element = standards.known_element(column.element)
        if element is not None and element.code_set and column.mask == "none":
            sets[name] = cache(partial(standards.is_code, element.code_set))
    return sets


def _written(held: Any, piece: Mapping[str, Any], arrival: Arrival, terms: Terms) -> PreparedPartition:
    held.seek(0)
    opened_file = pq.ParquetFile(held)
    fields = [_field(field, terms) for field in opened_file.schema_arrow]
    schema = pa.schema([*fields, pa.field(SOURCE_ORG, pa.int64())])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in opened_file.iter_batches(batch_size=_BATCH_ROWS):
            org = pa.array([arrival.node.org_id] * batch.num_rows, pa.int64())
            yield pa.RecordBatch.from_arrays([*batch.columns, org], schema=schema)

    return prepare_partition(arrival.agreement.landed_in, _partition(arrival, piece), batches(), schema=schema)


def _partition(arrival: Arrival, piece: Mapping[str, Any]) -> dict[str, str]:
    return {SOURCE: arrival.node.uid, **{landed_as(key): value for key, value in piece["partition"].items()}}


def _field(field: pa.Field, terms: Terms) -> pa.Field:
    """What came from elsewhere says of which source it is a copy: there is one source of each element."""
    element, name = standards.known_element(terms.columns[field.name].element), landed_as(field.name)
    if element is None:
        return pa.field(name, field.type)
    told = {"element": element.code, **({"copy_of": element.source} if element.source else {})}
    return pa.field(name, field.type, metadata=told)


@transaction.atomic
def _landed(arrival: Arrival, prepared: list[PreparedPartition], now: datetime) -> ExchangePacket:
    agreement = _locked(arrival)
    known = ExchangePacket.objects.filter(agreement=agreement, digest=arrival.letter.digest).first()
    if known is not None:
        return _answered_again(known, now)
    for one in prepared:
        publish_partition(one, actor=SYSTEM, now=now)
    gone = [piece for piece in arrival.told.get("pieces", ()) if piece["op"] == "drop"]
    for piece in gone:
        drop_partition(agreement.landed_in, _partition(arrival, piece), actor=SYSTEM, now=now)
    body = {
        **_names(arrival),
        "rows": sum(one.rows for one in prepared),
        "landed": [{"partition": dict(one.partition), "rows": one.rows, "sha256": one.sha256} for one in prepared],
        "dropped": len(gone),
    }
    row = _kept(arrival, PacketState.LANDED, "receipt", body, now)
    ExchangeAgreement.objects.filter(pk=agreement.pk).update(
        number=row.number, chain=row.digest, acknowledged_at=now, error="", error_at=None
    )
    row.entry_id = trust.anchor(
        business=Business.EXCHANGE, subject=f"exchange_packet:{row.pk}", digest=evidence_of(row.manifest, row.answer), now=now
    )
    row.save(update_fields=["entry_id"])
    source = AssetRef(AssetKind.OUTSIDE, f"{arrival.node.name}/{agreement.dataset}")
    target = AssetRef(AssetKind.DATASET, agreement.landed_in)
    flows = [ColumnFlow(source, target, name, landed_as(name)) for name in terms_in(agreement.terms).columns]
    told = {"packet": row.pk}
    record_run(
        job="exchange.land", inputs=[source], outputs=[target], flows=flows, key=f"exchange:{row.digest}", facts=told, now=now
    )
    record(agreement, action="datahub.packet_landed", actor=SYSTEM, now=now, number=row.number, rows=row.rows, digest=row.digest)
    return row


@transaction.atomic
def _refused(arrival: Arrival, faults: list[PacketFault], now: datetime) -> ExchangePacket:
    agreement = _locked(arrival)
    known = ExchangePacket.objects.filter(agreement=agreement, digest=arrival.letter.digest).first()
    if known is not None:
        return _answered_again(known, now)
    body = {**_names(arrival), "faults": [fault_as_json(fault) for fault in faults]}
    row = _kept(arrival, PacketState.REFUSED, "refusal", body, now, faults=body["faults"])
    ExchangeAgreement.objects.filter(pk=agreement.pk).update(error=faults[0].reason[:500], error_at=now)
    record(
        agreement,
        action="datahub.packet_refused",
        actor=SYSTEM,
        now=now,
        number=row.number,
        faults=len(faults),
        digest=row.digest,
    )
    title = _("拒收了一个交换包")
    tell_keepers(agreement, title=title, body=faults[0].reason, key=f"refused:{row.digest}", now=now)
    return row


def evidence_of(manifest: str, answer: str) -> bytes:
    """What both sides put on record: the digest of the packet's manifest and its receipt, the same on either."""
    return trust.digest(f"{manifest}\n{answer}".encode(), DigestAlgorithm.SHA256)


def _kept(
    arrival: Arrival,
    state: PacketState,
    kind: str,
    body: Mapping[str, Any],
    now: datetime,
    faults: list[dict[str, Any]] | None = None,
) -> ExchangePacket:
    letter = write_letter(arrival.node, kind, body, now=now)
    return ExchangePacket.objects.create(
        agreement=arrival.agreement,
        number=arrival.number,
        digest=arrival.letter.digest,
        manifest=arrival.letter.text,
        answer=letter.text,
        state=state.value,
        faults=faults or [],
        rows=int(arrival.told.get("rows", 0)),
        bytes=arrival.found.end + len(arrival.letter.text),
        prepared_at=arrival.letter.at,
        settled_at=now,
    )


def _answered_again(known: ExchangePacket, now: datetime) -> ExchangePacket:
    """The same packet once more: the sender has not heard our answer, which goes out again, word by word."""
    node = known.agreement.node
    kind = "receipt" if known.state == PacketState.LANDED else "refusal"
    if not node.letters.filter(text=known.answer, sent_at__isnull=True).exists():
        node.letters.create(kind=kind, text=known.answer, written_at=now)
        told = {"number": known.number, "digest": known.digest}
        record(known.agreement, action="datahub.packet_answered_again", actor=SYSTEM, now=now, **told)
    return known


def _names(arrival: Arrival) -> dict[str, Any]:
    return {"agreement": arrival.agreement.uid, "number": arrival.number, "packet": arrival.letter.digest}


def _locked(arrival: Arrival) -> ExchangeAgreement:
    """The agreement as it stands now: ended meanwhile it raises, moved on meanwhile the packet no longer fits."""
    live_agreement(arrival.agreement.uid, is_sender=False, node=trusted_node(arrival.node.uid))
    return ExchangeAgreement.objects.select_for_update().select_related("node").get(pk=arrival.agreement.pk)
