"""The sender hears what became of a packet, and both sides keep the pair as evidence."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.data import PacketState
from shuren.datahub.models import ExchangeAgreement, ExchangeNode, ExchangePacket, ExchangePart
from shuren.datahub.rules.exchange.checks import MOST_FAULTS, fault_as_json, fault_in
from shuren.datahub.rules.exchange.letters import Letter, opened
from shuren.datahub.selectors.exchange.folders import out_file
from shuren.datahub.services.exchange.agree import record, tell_keepers
from shuren.datahub.services.exchange.land import evidence_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, NotFound
from shuren.trust import api as trust
from shuren.trust.data import Business


@transaction.atomic
def take_receipt(node: ExchangeNode, letter: Letter, *, now: datetime) -> None:
    """The receiver has landed our packet: what it holds is from now on what we compare with. Told twice it changes nothing."""
    row = _packet(node, letter.body)
    if row.state != PacketState.READY:
        return
    told = opened(row.manifest).body
    sent = [piece for piece in told["pieces"] if piece["op"] == "put"]
    landed = letter.body.get("landed")
    if letter.body.get("rows") != row.rows or not isinstance(landed, list) or len(landed) != len(sent):
        raise Invalid(_("回执上的行数与发出的不一致。"), remedy=_("请与对方核对这个包；双方的数据以重新发送的为准。"))
    agreement = row.agreement
    for part, state in row.parts:
        if state:
            ExchangePart.objects.update_or_create(agreement=agreement, partition=part, defaults={"state": state})
        else:
            ExchangePart.objects.filter(agreement=agreement, partition=part).delete()
    row.state, row.settled_at, row.answer = PacketState.ACKNOWLEDGED.value, now, letter.text
    row.entry_id = trust.anchor(
        business=Business.EXCHANGE, subject=f"exchange_packet:{row.pk}", digest=evidence_of(row.manifest, row.answer), now=now
    )
    row.save(update_fields=["state", "settled_at", "answer", "entry_id"])
    changed = {"number": row.number, "chain": row.digest, "acknowledged_at": now, "error": "", "error_at": None}
    if told.get("has_more"):
        changed["prepared_at"] = None
    ExchangeAgreement.objects.filter(pk=agreement.pk).update(**changed)
    record(
        agreement,
        action="datahub.packet_acknowledged",
        actor=SYSTEM,
        now=now,
        number=row.number,
        rows=row.rows,
        digest=row.digest,
    )
    transaction.on_commit(lambda: out_file(row).unlink(missing_ok=True))


@transaction.atomic
def take_refusal(node: ExchangeNode, letter: Letter, *, now: datetime) -> None:
    """The receiver does not take our packet; the next one is made when it is due again."""
    row = _packet(node, letter.body)
    if row.state != PacketState.READY:
        return
    said = letter.body.get("faults")
    faults = [fault_in(one) for one in said[:MOST_FAULTS] if isinstance(one, Mapping)] if isinstance(said, list) else []
    row.state, row.settled_at, row.answer = PacketState.REFUSED.value, now, letter.text
    row.faults = [fault_as_json(one) for one in faults]
    row.save(update_fields=["state", "settled_at", "answer", "faults"])
    reason = faults[0].reason if faults else _("对方没有说明原因。")
    ExchangeAgreement.objects.filter(pk=row.agreement_id).update(error=reason[:500], error_at=now)
    record(
        row.agreement,
        action="datahub.packet_refused",
        actor=SYSTEM,
        now=now,
        number=row.number,
        faults=len(faults),
        digest=row.digest,
    )
    title = _("对方拒收了一个交换包")
    tell_keepers(row.agreement, title=title, body=reason, key=f"refused:{row.digest}", now=now)
    transaction.on_commit(lambda: out_file(row).unlink(missing_ok=True))


@transaction.atomic
def withdraw_packet(row: ExchangePacket, *, reason: str, now: datetime) -> None:
    """Let a packet go nowhere any more, because what allowed it to leave has ended."""
    held = ExchangePacket.objects.select_for_update().select_related("agreement__node").get(pk=row.pk)
    if held.state != PacketState.READY:
        return
    held.state, held.settled_at = PacketState.WITHDRAWN.value, now
    held.save(update_fields=["state", "settled_at"])
    ExchangeAgreement.objects.filter(pk=held.agreement_id).update(error=reason[:500], error_at=now)
    record(
        held.agreement,
        action="datahub.packet_withdrawn",
        actor=SYSTEM,
        now=now,
        number=held.number,
        digest=held.digest,
        reason=reason[:200],
    )
    transaction.on_commit(lambda: out_file(held).unlink(missing_ok=True))


def _packet(node: ExchangeNode, body: Mapping[str, Any]) -> ExchangePacket:
    told = {"agreement__node": node, "agreement__is_sender": True, "agreement__uid": str(body.get("agreement", ""))[:32]}
    rows = ExchangePacket.objects.select_for_update().select_related("agreement__node")
    row = rows.filter(**told, digest=str(body.get("packet", ""))[:64]).first()
    if row is None:
        raise NotFound(_("没有发出过这个包。"))
    return row
