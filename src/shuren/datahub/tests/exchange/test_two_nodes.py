"""Two installations, each with its own database, folder and keys, over the network of this machine."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest

from shuren.datahub.data import AgreementState, Carriage, NodeState
from shuren.datahub.models import ExchangeNode, ExchangePacket
from shuren.datahub.selectors.exchange.own_node import own_card
from shuren.datahub.services.exchange import call_node
from shuren.datahub.services.exchange.agree import offer_agreement
from shuren.datahub.services.exchange.exchange_with import exchange_with
from shuren.datahub.services.exchange.introduce import invite_node
from shuren.datahub.services.exchange.keep_node import rotate_node_keys, trust_node
from shuren.datahub.tests.sharing.conftest import Play, play
from shuren.datahub.tests.test_faults import database
from shuren.kernel import clock
from shuren.kernel.clock import day_of
from shuren.kernel.errors import Invalid

__all__ = ["play"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.tables]


class Other:
    """The other installation: what it says, and what it is told to do."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def says(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def does(self, word: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return self.says()


@contextmanager
def other_node(folder: Path, name: str, invitation: str, person: int) -> Iterator[Other]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "shuren.conf.test_settings", "SHUREN_TEST_DATA_DIR": str(folder)}
    module = "shuren.datahub.tests.exchange.node_process"
    arguments = [sys.executable, "-m", module, name, str(folder), invitation, str(person)]
    with subprocess.Popen(arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield Other(running)
        finally:
            running.kill()


def broken_after(parts: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The network fails after so many parts of a packet; the addresses of the parts are kept."""
    asked, paths = call_node._asked, list[str]()

    def failing(node: ExchangeNode, method: str, path: str, body: bytes, **options: Any) -> Any:
        if method == "PUT":
            if len(paths) == parts:
                raise call_node.NodeUnreachable("the network is gone")
            paths.append(path)
        return asked(node, method, path, body, **options)

    monkeypatch.setattr(call_node, "_asked", failing)
    return paths


def test_a_packet_goes_from_one_house_to_the_other_and_on_where_it_stopped(
    play: Play, live_server: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SHUREN_PUBLIC_URL, settings.SHUREN_PRIVATE_TARGETS = live_server.url, ["127.0.0.0/8"]
    officer, folder = play.cast.actor("province_officer"), tmp_path / "other"
    folder.mkdir()
    name = database(folder)
    invitation = invite_node(actor=officer, now=clock.now())
    with other_node(folder, name, invitation, play.cast.people["province_officer"].id) as other:
        told, node, card = other.says(), ExchangeNode.objects.get(), own_card()
        assert card is not None
        assert told["error"] == ""
        assert (told["seen"], node.fingerprint) == (card.fingerprint, told["fingerprint"])
        county = play.branch("county")
        by_hand = {"org_id": county, "carriage": Carriage.CALL}
        with pytest.raises(Invalid):
            trust_node(actor=officer, node_id=node.pk, spoken="0000 0000", now=clock.now(), **by_hand)
        trust_node(actor=officer, node_id=node.pk, spoken=told["fingerprint"][-8:], now=clock.now(), **by_hand)
        other.does(f"trust {card.fingerprint[-8:]}")

        ends, grant = day_of(clock.now()) + timedelta(days=20), play.granted("name:name mark", ways="file")
        agreement = offer_agreement(actor=officer, node_id=node.pk, grant=grant, every_minutes=5, ends_on=ends, now=clock.now())
        assert exchange_with(node.pk, now=clock.now()) == ""
        assert other.does("accept") == {"error": ""}
        agreement.refresh_from_db()
        assert agreement.state == AgreementState.ACCEPTED

        monkeypatch.setattr(call_node, "CHUNK", 700)
        with monkeypatch.context() as patch:
            broken_after(2, patch)
            assert "the network is gone" in exchange_with(node.pk, now=clock.now())
        packet = ExchangePacket.objects.get()
        assert (packet.state, packet.carried) == ("ready", 1400)
        with monkeypatch.context() as patch:
            skewed = SimpleNamespace(now=lambda: clock.now() + timedelta(hours=1))
            patch.setattr(call_node, "clock", skewed)
            assert "3600" in exchange_with(node.pk, now=clock.now())
        with monkeypatch.context() as patch:
            parts = broken_after(10**6, patch)
            assert exchange_with(node.pk, now=clock.now()) == ""
        assert "offset=1400&" in parts[0]
        assert other.does("turn") == {"error": ""}
        packet.refresh_from_db()
        assert packet.state == "acknowledged"
        [file] = (folder / "lake" / "received.probe_shared").rglob("*.parquet")
        assert pq.read_table(file, columns=["name", "mark"]).to_pylist() == [{"name": "甲**", "mark": 71}]

        rotate_node_keys(actor=officer, now=clock.now())
        assert exchange_with(node.pk, now=clock.now()) == ""
        assert other.does("turn") == {"error": ""}
        assert ExchangeNode.objects.get().state == NodeState.TRUSTED
