"""Both ends of an exchange in one house: a node that is the house itself, so that every byte goes out and comes in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from shuren.datahub.api import read_partition, snapshots_of, write_partition
from shuren.datahub.data import Carriage, NodeState, SharingWay
from shuren.datahub.models import ExchangeAgreement, ExchangeNode, ExchangePacket, SharingGrant
from shuren.datahub.selectors.exchange.folders import out_file
from shuren.datahub.selectors.exchange.nodes import letters_due
from shuren.datahub.services.exchange.agree import accept_agreement, offer_agreement
from shuren.datahub.services.exchange.land import take_packet
from shuren.datahub.services.exchange.prepare import prepare_packet
from shuren.datahub.services.exchange.take_letter import take_letter
from shuren.datahub.services.exchange.write_letter import ensure_own_card
from shuren.datahub.tests.sharing.conftest import SPEC, Play, play
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM

__all__ = ["play"]
LANDED = "received.probe_shared"


@dataclass
class Loop:
    """The play with a node that stands for the county, and an agreement both sides accepted."""

    play: Play
    node: ExchangeNode
    grant: SharingGrant
    now: datetime
    sender: ExchangeAgreement = field(init=False)

    @property
    def receiver(self) -> ExchangeAgreement:
        return ExchangeAgreement.objects.get(uid=self.sender.uid, is_sender=False)

    def actor(self) -> Any:
        return self.play.cast.actor("province_officer")

    def agree(self) -> None:
        ends = day_of(self.now) + timedelta(days=20)
        self.sender = offer_agreement(
            actor=self.actor(), node_id=self.node.pk, grant=self.grant, every_minutes=5, ends_on=ends, now=self.now
        )
        self.post()
        accept_agreement(actor=self.actor(), agreement_id=self.receiver.pk, now=self.now)
        self.post()
        self.sender.refresh_from_db()

    def post(self) -> list[str]:
        """Every letter that waits is taken; returns their kinds."""
        waiting = list(letters_due(self.node))
        for letter in waiting:
            take_letter(letter.text, now=self.now)
            letter.sent_at = self.now
            letter.save()
        return [letter.kind for letter in waiting]

    def write(self, year: int, marks: dict[str, int]) -> None:
        """One row for each school, of the county or not."""
        orgs = self.play.cast.orgs
        rows = pa.table(
            {
                "org_path": [orgs[key].path for key in marks],
                "name": ["甲名姓氏" for _key in marks],
                "phone": ["13800000000" for _key in marks],
                "mark": pa.array(list(marks.values()), pa.int16()),
            }
        )
        write_partition(SPEC.name, {"year": year}, rows, actor=SYSTEM, now=self.now)

    def prepare(self) -> ExchangePacket:
        self.sender.refresh_from_db()
        packet = prepare_packet(self.sender, now=self.now)
        assert packet is not None
        return packet

    def file(self, packet: ExchangePacket) -> Path:
        return out_file(packet)

    def carry(self) -> ExchangePacket:
        """A packet goes over, lands and is acknowledged."""
        packet = self.prepare()
        landed = take_packet(self.file(packet), now=self.now)
        self.post()
        return landed

    def rows(self, year: int = 2026) -> list[dict[str, Any]]:
        found = read_partition(LANDED, {"source": self.node.uid, "year": year}).to_pylist()
        return sorted(found, key=str)

    def versions(self, year: int = 2026) -> int:
        return len(snapshots_of(LANDED, {"source": self.node.uid, "year": year}))


@pytest.fixture
def loop(play: Play) -> Loop:
    now = play.cast.now
    card = ensure_own_card(now)
    county = play.branch("county")
    node = ExchangeNode.objects.create(
        uid=card.uid,
        name="东湖区节点",
        level="province",
        keys=card.keys,
        fingerprint=card.fingerprint,
        org_id=county,
        state=NodeState.TRUSTED.value,
        carriage=Carriage.DROP.value,
        introduced_at=now,
        card_at=now,
    )
    grant = play.granted("name:name phone:phone mark year", ways=SharingWay.FILE.value)
    found = Loop(play, node, grant, now)
    found.agree()
    return found


@contextmanager
def killed(monkeypatch: pytest.MonkeyPatch, place: str) -> Iterator[None]:
    """The process ends where `place` is called."""

    class Killed(BaseException):
        pass

    def die(*_args: object, **_told: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(place, die)
        with pytest.raises(Killed):
            yield
