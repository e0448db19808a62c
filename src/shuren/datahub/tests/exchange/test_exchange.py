"""What leaves one house lands in the other once, whole, masked and acknowledged, whatever happens on the way."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shuren.datahub.api import drop_partition, read_partition
from shuren.datahub.models import ExchangePacket, ExchangePart, SharingUse
from shuren.datahub.rules.exchange.letters import LetterBroken, opened
from shuren.datahub.rules.exchange.packets import PacketBroken
from shuren.datahub.services.exchange.exchange_with import exchange_with
from shuren.datahub.services.exchange.keep_node import suspend_node
from shuren.datahub.services.exchange.land import take_packet
from shuren.datahub.services.exchange.prepare import prepare_packet
from shuren.datahub.services.sharing.decide import revoke_sharing
from shuren.datahub.tests.exchange.conftest import LANDED, Loop, killed
from shuren.kernel.errors import Refused, ShurenError
from shuren.kernel.models import AuditEntry
from shuren.trust import api as trust

pytestmark = [pytest.mark.django_db, pytest.mark.tables]


def test_rows_of_the_grant_land_masked_and_both_sides_keep_the_same_evidence(loop: Loop) -> None:
    landed = loop.carry()
    county = loop.play.branch("county")
    assert loop.rows() == [{"name": "甲**", "phone": "138****0000", "mark": 71, "source_org": county}]
    sent = ExchangePacket.objects.get(agreement=loop.sender)
    assert (sent.state, landed.state, sent.rows) == ("acknowledged", "landed", 1)
    assert sent.answer == landed.answer
    trust.grow_log(now=loop.now)
    proofs = trust.proofs_of([one.entry_id for one in ExchangePacket.objects.all() if one.entry_id is not None])
    assert len(proofs) == 2
    assert len({proof.digest for proof in proofs.values()}) == 1
    assert [(use.way, use.rows) for use in SharingUse.objects.all()] == [("file", 1)]
    exchange_with(loop.node.pk, now=loop.now)
    assert not list(loop.file(sent).parent.glob("*"))
    assert loop.receiver.number == 1
    assert AuditEntry.objects.filter(action="datahub.packet_landed").count() == 1


def test_only_what_changed_is_sent_and_what_is_gone_goes_there_too(loop: Loop) -> None:
    loop.write(2025, {"school": 5})
    assert len(opened(loop.carry().manifest).body["pieces"]) == 2
    assert prepare_packet(loop.sender, now=loop.now) is None
    loop.write(2026, {"school": 8, "far_school": 9})
    second = loop.carry()
    assert [piece["partition"] for piece in opened(second.manifest).body["pieces"]] == [{"year": "2026"}]
    assert [row["mark"] for row in loop.rows()] == [8]
    assert opened(second.manifest).body["previous"] == ExchangePacket.objects.get(agreement=loop.sender, number=1).digest
    drop_partition("probe.shared", {"year": 2025}, actor=loop.actor(), now=loop.now)
    loop.carry()
    with pytest.raises(ShurenError):
        loop.rows(2025)
    assert list(ExchangePart.objects.values_list("partition", flat=True)) == ["year=2026"]


def test_the_same_packet_again_changes_nothing_and_is_answered_the_same(loop: Loop, tmp_path: Path) -> None:
    packet = loop.prepare()
    copy = tmp_path / "again.packet"
    copy.write_bytes(loop.file(packet).read_bytes())
    first = take_packet(copy, now=loop.now)
    later = loop.now + timedelta(hours=1)
    assert take_packet(copy, now=later).answer == first.answer
    loop.post()
    assert take_packet(copy, now=later).pk == first.pk
    assert loop.post() == ["receipt"]
    assert loop.versions() == 1
    assert loop.receiver.number == 1


def test_no_changed_byte_is_taken(loop: Loop, tmp_path: Path) -> None:
    whole = loop.file(loop.prepare()).read_bytes()
    changed = tmp_path / "changed.packet"
    size = len(whole)
    for place in (0, 20, size // 3, size - 4000, size - 300, size - 20, size - 1):
        broken = bytearray(whole)
        broken[place] ^= 1
        changed.write_bytes(broken)
        with pytest.raises((PacketBroken, LetterBroken)):
            take_packet(changed, now=loop.now)
    for cut in (0, 10, size // 2, size - 1):
        changed.write_bytes(whole[:cut])
        with pytest.raises((PacketBroken, LetterBroken)):
            take_packet(changed, now=loop.now)
    assert loop.receiver.number == 0
    assert not ExchangePacket.objects.filter(agreement=loop.receiver).exists()
    changed.write_bytes(whole)
    assert take_packet(changed, now=loop.now).state == "landed"


def test_a_packet_that_does_not_follow_the_last_one_is_refused_with_the_reason(loop: Loop, tmp_path: Path) -> None:
    loop.carry()
    loop.write(2026, {"school": 2})
    packet = loop.prepare()
    copy = tmp_path / "late.packet"
    copy.write_bytes(loop.file(packet).read_bytes())
    receiver = loop.receiver
    receiver.chain = "0" * 64
    receiver.save()
    refused = take_packet(copy, now=loop.now)
    assert refused.state == "refused"
    assert loop.post() == ["refusal"]
    packet.refresh_from_db()
    [fault] = packet.faults
    assert (packet.state, fault["file"]) == ("refused", "#2")
    assert fault["remedy"]
    assert [row["mark"] for row in loop.rows()] == [71]


def test_columns_of_another_type_are_refused_by_name_and_nothing_lands(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = loop.prepare()
    receiver = loop.receiver
    receiver.terms["columns"]["mark"]["type"] = "double"
    receiver.save()
    digest = "shuren.datahub.services.exchange.land._check_chain"
    monkeypatch.setattr(digest, lambda *_told: None)
    take_packet(loop.file(packet), now=loop.now)
    loop.post()
    packet.refresh_from_db()
    [fault] = packet.faults
    assert (fault["file"], fault["column"]) == ("year=2026", "mark")
    assert {"int16", "double"} <= set(fault["reason"].replace("，", " ").replace("。", " ").split())
    with pytest.raises(ShurenError):
        loop.rows()


def test_what_is_revoked_after_preparing_does_not_leave(loop: Loop, settings: Any, tmp_path: Path) -> None:
    settings.SHUREN_EXCHANGE_DROP = str(tmp_path / "drop")
    packet = loop.prepare()
    revoke_sharing(actor=loop.actor(), grant_id=loop.grant.pk, reason="用途已完成", now=loop.now)
    assert exchange_with(loop.node.pk, now=loop.now) == ""
    packet.refresh_from_db()
    assert packet.state == "withdrawn"
    assert not list(Path(settings.SHUREN_EXCHANGE_DROP).rglob("*.packet"))
    with pytest.raises(Refused, match="用途已完成"):
        prepare_packet(loop.sender, now=loop.now)


def test_a_suspended_node_is_not_believed(loop: Loop) -> None:
    packet = loop.prepare()
    suspend_node(actor=loop.actor(), node_id=loop.node.pk, reason="密钥可能泄露", now=loop.now)
    with pytest.raises(ShurenError):
        take_packet(loop.file(packet), now=loop.now)


@pytest.mark.parametrize(
    "place",
    [
        "shuren.datahub.services.exchange.prepare.write_manifest",
        "shuren.datahub.services.exchange.prepare.os.link",
        "shuren.datahub.services.exchange.prepare._keep",
        "shuren.datahub.services.exchange.prepare.trace_use",
        "shuren.datahub.services.exchange.land.check_body",
        "shuren.datahub.services.exchange.land._written",
        "shuren.datahub.services.exchange.land.publish_partition",
        "shuren.datahub.services.exchange.land.trust.anchor",
        "shuren.datahub.services.exchange.land.record_run",
        "shuren.datahub.services.exchange.take_letter.take_receipt",
        "shuren.datahub.services.exchange.settle.record",
    ],
)
def test_a_kill_at_any_step_loses_nothing_and_doubles_nothing(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path, place: str
) -> None:
    settings.SHUREN_EXCHANGE_DROP = str(tmp_path / "drop")
    out, into = (tmp_path / "drop" / loop.node.uid / name for name in ("out", "in"))

    def turn() -> None:
        """One turn of the house as both sides, and a person who carries what it laid out."""
        exchange_with(loop.node.pk, now=loop.now)
        for path in out.glob("*"):
            if path.suffix in (".letter", ".packet"):
                (into / path.name).write_bytes(path.read_bytes())
                if path.suffix == ".letter":
                    path.unlink()

    with killed(monkeypatch, place):
        for _turn in range(4):
            turn()
    for _turn in range(4):
        turn()
    assert [row["mark"] for row in loop.rows()] == [71]
    assert loop.versions() == 1
    assert loop.receiver.number == 1
    states = ExchangePacket.objects.order_by("pk").values_list("state", flat=True)
    assert sorted(set(states) - {"withdrawn"}) == ["acknowledged", "landed"]
    assert not list(out.glob("*.packet"))
    assert read_partition(LANDED, {"source": loop.node.uid, "year": 2026}).num_rows == 1
