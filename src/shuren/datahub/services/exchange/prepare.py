"""The sender makes the next packet: what changed since the last acknowledged one, sealed and signed."""

import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import pyarrow.parquet as pq
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.data import AgreementState, NodeState, PacketState, SharingWay
from shuren.datahub.models import ExchangeAgreement, ExchangePacket, ExchangePart, StoredSnapshot
from shuren.datahub.rules.exchange.deltas import differences, part_state
from shuren.datahub.rules.exchange.packets import FORM, SealedBody, seal_key, write_manifest
from shuren.datahub.rules.exchange.terms import terms_in
from shuren.datahub.selectors.exchange.folders import out_file, out_folder
from shuren.datahub.selectors.exchange.nodes import ready_packet
from shuren.datahub.selectors.exchange.own_node import newest_key
from shuren.datahub.selectors.snapshots import state_of_datasets
from shuren.datahub.services.ask import stream_lake
from shuren.datahub.services.exchange.agree import record
from shuren.datahub.services.exchange.basis import Basis, basis_of
from shuren.datahub.services.exchange.write_letter import signed_letter
from shuren.datahub.services.sharing.read import trace_use
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict
from shuren.kernel.files import sync_folder

# A packet of this size is closed and the rest goes into the next one.
PACKET_BYTES = 256 * 1024 * 1024
PACKET_PARTS = 2_000
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of a packet: a partition anew, or that it is gone (`op` is `put` or `drop`)."""

    op: str
    partition: Mapping[str, str]
    rows: int
    bytes: int
    sha256: str
    snapshots: tuple[int, ...]


def parts_found(basis: Basis) -> dict[str, list[StoredSnapshot]]:
    """The files that make up each partition now, by partition."""
    found: dict[str, list[StoredSnapshot]] = {}
    for row in state_of_datasets([basis.dataset])[basis.dataset]:
        found.setdefault(row.partition, []).append(row)
    return found


def parts_due(agreement: ExchangeAgreement, basis: Basis) -> tuple[list[str], list[str]]:
    """Partitions to send anew and partitions that are gone, against what the receiver acknowledged."""
    states = {part: _state(rows, basis) for part, rows in parts_found(basis).items()}
    return differences(states, dict(ExchangePart.objects.filter(agreement=agreement).values_list("partition", "state")))


def is_due(agreement: ExchangeAgreement, now: datetime) -> bool:
    """Whether it is time to look for changes; after a packet that could not hold all of them it is at once."""
    if agreement.ends_on < day_of(now):
        return False
    return agreement.prepared_at is None or now - agreement.prepared_at >= timedelta(minutes=agreement.every_minutes)


def prepare_packet(agreement: ExchangeAgreement, *, now: datetime) -> ExchangePacket | None:
    """The packet on its way, or the next one made now; None where nothing has changed.

    The file comes first, then the row that makes it a packet: killed between, the next turn makes it anew. Raises `Refused`
    where there is no live grant or duty any more.
    """
    basis = basis_of(agreement, now=now)
    ready = ready_packet(agreement)
    if ready is not None and out_file(ready).exists():
        return ready
    changed, gone = parts_due(agreement, basis)
    if not changed and not gone:
        ExchangeAgreement.objects.filter(pk=agreement.pk).update(prepared_at=now)
        return None
    folder = out_folder(agreement)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".tmp") as file:
        pieces, states, manifest = _written(file, agreement, basis, changed, gone, now)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
        row = ExchangePacket(
            agreement=agreement,
            number=agreement.number + 1,
            digest=sha256(manifest.encode()).hexdigest(),
            manifest=manifest,
            state=PacketState.READY.value,
            parts=states,
            rows=sum(piece.rows for piece in pieces),
            bytes=size,
            prepared_at=now,
        )
        os.link(file.name, out_file(row))
        sync_folder(folder)
    _keep(row, basis, replaces=ready, now=now)
    return row


def _written(
    file: BinaryIO, agreement: ExchangeAgreement, basis: Basis, changed: list[str], gone: list[str], now: datetime
) -> tuple[list[Piece], list[list[str]], str]:
    number, key = agreement.number + 1, secrets.token_bytes(32)
    context = f"{agreement.uid}:{number}"
    body = SealedBody(file, key, context)
    pieces: list[Piece] = []
    states: list[list[str]] = []
    for part in changed:
        piece, state = _sealed_part(body, basis, part, Path(file.name).parent, now)
        pieces.append(piece)
        states.append([part, state])
        if body.bytes >= PACKET_BYTES or len(pieces) >= PACKET_PARTS:
            break
    has_more = len(pieces) < len(changed)
    for part in () if has_more else gone:
        values = dict(pair.split("=", 1) for pair in part.split("/"))
        pieces.append(Piece("drop", values, 0, 0, "", ()))
        states.append([part, ""])
    body.close()
    told = {
        "form": FORM,
        "agreement": agreement.uid,
        "number": number,
        "previous": agreement.chain,
        "terms": terms_in(agreement.terms).digest,
        "key": seal_key(key, newest_key(agreement.node.keys, "enc")),
        "bytes": body.bytes,
        "sha256": body.sha256,
        "rows": sum(piece.rows for piece in pieces),
        "has_more": has_more,
        "pieces": [asdict(piece) for piece in pieces],
    }
    manifest = signed_letter("packet", agreement.node.uid, told, now=now)
    write_manifest(file, manifest)
    return pieces, states, manifest


def _sealed_part(body: SealedBody, basis: Basis, part: str, folder: Path, now: datetime) -> tuple[Piece, str]:
    """One partition through the gate, of one state: one that changed while it was read is read again."""
    for _try in range(_TRIES):
        rows = _rows_of(basis, part)
        if not rows:
            break
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".tmp") as file:
            batches = stream_lake(basis.sql, reader=basis.reader, actor=SYSTEM, now=now, partitions=_values(rows))
            count = 0
            with pq.ParquetWriter(file, next(batches).schema, compression="zstd") as writer:
                for batch in batches:
                    writer.write_batch(batch)
                    count += batch.num_rows
            if [row.pk for row in _rows_of(basis, part)] != [row.pk for row in rows]:
                continue
            file.seek(0)
            digest, size = sha256(), 0
            while data := file.read(1024 * 1024):
                digest.update(data)
                size += len(data)
                body.write(data)
        snapshots = tuple(row.pk for row in rows)
        return Piece("put", _values(rows), count, size, digest.hexdigest(), snapshots), _state(rows, basis)
    raise Conflict(_("数据一直在变化，没有读到完整的一份。"), remedy=_("稍后会自动再试。"))


@transaction.atomic
def _keep(row: ExchangePacket, basis: Basis, *, replaces: ExchangePacket | None, now: datetime) -> None:
    """Make the file a packet, unless the agreement ended or its grant was revoked while it was made."""
    held = ExchangeAgreement.objects.select_for_update().select_related("node").get(pk=row.agreement_id)
    is_live = held.state == AgreementState.ACCEPTED and held.node.state == NodeState.TRUSTED
    other = ready_packet(held)
    if not is_live or held.number + 1 != row.number or (other is not None and (replaces is None or other.pk != replaces.pk)):
        raise Conflict(_("约定的状态已经改变。"))
    if basis.grant is not None:
        trace_use(basis.grant, SYSTEM, SharingWay.FILE, row.rows, sorted(basis.masks), now)
    else:
        basis_of(held, now=now)
    if other is not None:
        # Its file is lost: the receiver never had it whole, or would have answered.
        other.state, other.settled_at = PacketState.WITHDRAWN.value, now
        other.save(update_fields=["state", "settled_at"])
    row.save(force_insert=True)
    ExchangeAgreement.objects.filter(pk=held.pk).update(prepared_at=now, error="", error_at=None)
    record(
        held,
        action="datahub.packet_prepared",
        actor=SYSTEM,
        now=now,
        number=row.number,
        rows=row.rows,
        bytes=row.bytes,
        digest=row.digest,
    )


def _rows_of(basis: Basis, part: str) -> list[StoredSnapshot]:
    told = {"dataset__name": basis.dataset, "partition": part, "is_current": True}
    return list(StoredSnapshot.objects.filter(**told).order_by("piece", "pk"))


def _state(rows: list[StoredSnapshot], basis: Basis) -> str:
    return part_state([row.sha256 for row in rows], basis.limits)


def _values(rows: list[StoredSnapshot]) -> dict[str, str]:
    return dict(rows[0].partition_values)
