"""Calls between nodes without a network: what is fetched, refused and resumed, and who is believed."""

import resource
from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from joserfc import jws
from joserfc.jwk import ECKey

from shuren.datahub.data import Carriage, NodeState
from shuren.datahub.models import ExchangeNode
from shuren.datahub.rules.exchange.cards import Card, card_as_json, invitation_in, key_id
from shuren.datahub.rules.exchange.letters import LetterBroken, payload_of, point_of
from shuren.datahub.selectors.exchange.folders import in_file
from shuren.datahub.selectors.exchange.own_node import own_uid
from shuren.datahub.services.exchange import call_node, hold
from shuren.datahub.services.exchange.introduce import invite_node
from shuren.datahub.services.exchange.keep_node import end_node
from shuren.datahub.services.exchange.sign_call import HEADER, signed_call
from shuren.datahub.services.exchange.take_held import take_held
from shuren.datahub.services.exchange.take_letter import take_letter
from shuren.datahub.services.sharing.decide import revoke_sharing
from shuren.datahub.tests.exchange.conftest import Loop
from shuren.kernel import clock, outward
from shuren.kernel.errors import NotFound, Refused
from shuren.work.api import run_pending

pytestmark = [pytest.mark.django_db, pytest.mark.tables]
PLACE = "https://node.example.cn"


@pytest.fixture
def wired(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> Loop:
    """Calls to the node's address are answered by this house, in parts of 900 bytes."""
    client = Client()

    def call(url: str, *, method: str, body: bytes | None, headers: Mapping[str, str], **_limits: object) -> outward.Answer:
        kind = {"content_type": "application/octet-stream"}
        answer = client.generic(method, url.removeprefix(PLACE), body or b"", headers=dict(headers), **kind)  # type: ignore[arg-type]
        return outward.Answer(status=answer.status_code, body=answer.content, headers=dict(answer.headers))

    monkeypatch.setattr(outward, "call", call)
    monkeypatch.setattr(call_node, "CHUNK", 900)
    loop.node.address, loop.node.carriage = PLACE, Carriage.WAIT.value
    loop.node.save()
    return loop


def test_a_node_behind_a_firewall_fetches_packets_and_letters_in_parts(wired: Loop) -> None:
    packet = wired.prepare()
    call_node.fetch_packets(wired.node)
    receiver = wired.receiver
    assert in_file(receiver, packet.digest).read_bytes() == wired.file(packet).read_bytes()
    run_pending()
    assert wired.receiver.number == 1
    call_node.fetch_letters(wired.node)
    packet.refresh_from_db()
    assert packet.state == "acknowledged"
    assert not in_file(receiver, packet.digest).exists()
    call_node.fetch_packets(wired.node)
    assert wired.versions() == 1


def test_what_is_revoked_is_not_handed_out_any_more(wired: Loop) -> None:
    packet = wired.prepare()
    revoke_sharing(actor=wired.actor(), grant_id=wired.grant.pk, reason="收回", now=clock.now())
    call_node.fetch_packets(wired.node)
    assert not in_file(wired.receiver, packet.digest).exists()
    path = f"/exchange/v1/packets/{wired.sender.uid}/{packet.digest}/file"
    header = signed_call(wired.node, "GET", path, b"", now=clock.now())
    assert Client().get(path, headers={HEADER: header}).status_code == 403


def test_a_full_disk_loses_nothing_and_the_packet_goes_on(wired: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = wired.prepare()
    room = iter([10**12, 10**12, 0])
    with monkeypatch.context() as patch:
        patch.setattr(hold.shutil, "disk_usage", lambda _path: SimpleNamespace(free=next(room)))
        with pytest.raises(call_node.NodeRefuses, match="磁盘已满"):
            call_node.send_packet(packet)
    part = in_file(wired.receiver, packet.digest)
    assert part.stat().st_size == 1800
    call_node.send_packet(packet)
    assert part.read_bytes() == wired.file(packet).read_bytes()


def test_a_disk_that_fills_up_in_the_middle_of_a_part_is_said_and_the_packet_goes_on(wired: Loop) -> None:
    """The kernel takes the first bytes of a part and refuses the rest."""
    packet = wired.prepare()
    part, (soft, hard) = in_file(wired.receiver, packet.digest), resource.getrlimit(resource.RLIMIT_FSIZE)
    for room in (0, 100, 1000, 1800, packet.bytes - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            with pytest.raises(call_node.NodeRefuses, match=r"507.*磁盘已满"):
                call_node.send_packet(packet)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert part.stat().st_size == room // 900 * 900
        assert wired.file(packet).read_bytes().startswith(part.read_bytes())
    call_node.send_packet(packet)
    assert take_held(wired.receiver.pk, packet.digest, now=wired.now) == "landed"


def test_a_packet_damaged_on_the_disk_is_let_go_and_comes_again(wired: Loop) -> None:
    packet, receiver = wired.prepare(), wired.receiver
    call_node.send_packet(packet)
    part = in_file(receiver, packet.digest)
    data = bytearray(part.read_bytes())
    data[100] ^= 1
    part.write_bytes(data)
    assert take_held(receiver.pk, packet.digest, now=wired.now) == "not believed"
    assert wired.receiver.error
    call_node.send_packet(packet)
    assert take_held(receiver.pk, packet.digest, now=wired.now) == "landed"
    assert wired.receiver.error == ""


def test_a_signed_call_is_good_for_one_thing_and_a_few_minutes(wired: Loop) -> None:
    path, client, now = "/exchange/v1/packets", Client(), clock.now()
    header = signed_call(wired.node, "GET", path, b"", now=now)
    assert client.get(path, headers={HEADER: header}).json() == {"packets": []}
    assert client.get("/exchange/v1/letters?after=0", headers={HEADER: header}).status_code == 403
    for apart in (timedelta(minutes=6), timedelta(minutes=-6)):
        answer = client.get(path, headers={HEADER: signed_call(wired.node, "GET", path, b"", now=now + apart)})
        assert answer.status_code == 401
        assert "NTP" in answer.json()["remedy"]


class Stranger:
    """An installation with keys of its own."""

    def __init__(self, uid: str) -> None:
        self._sign, seal = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
        points = [point_of(key.as_dict(private=False)) for key in (self._sign, seal)]
        sign, sealed = ({**point, "kid": key_id(point)} for point in points)
        self.card = Card(uid, "邻市", "city", "", sign, sealed)

    def writes(self, kind: str, body: dict[str, Any], loop: Loop) -> str:
        payload = payload_of(kind=kind, sender=self.card.uid, receiver=own_uid(), body=body, now=loop.now)
        return jws.serialize_compact({"alg": "ES256", "kid": self.card.sign["kid"]}, payload, self._sign)

    def introduction(self, code: str, loop: Loop) -> str:
        return self.writes("card", {"card": card_as_json(self.card), "code": code}, loop)


def test_an_invitation_is_good_once_and_only_its_node_is_believed(loop: Loop) -> None:
    code = invitation_in(invite_node(actor=loop.actor(), now=loop.now)).code
    neighbour, thief = Stranger("b" * 32), Stranger("c" * 32)
    node = take_letter(neighbour.introduction(code, loop), now=loop.now)
    assert (node.state, node.fingerprint) == (NodeState.WAITING, neighbour.card.fingerprint)
    assert take_letter(neighbour.introduction(code, loop), now=loop.now).pk == node.pk
    with pytest.raises(Refused):
        take_letter(thief.introduction(code, loop), now=loop.now)
    end = neighbour.writes("end", {"agreement": "x"}, loop)
    with pytest.raises(NotFound):
        take_letter(end, now=loop.now)
    ExchangeNode.objects.filter(pk=node.pk).update(state=NodeState.TRUSTED.value)
    impostor = Stranger("b" * 32)
    with pytest.raises(LetterBroken):
        take_letter(impostor.writes("end", {"agreement": "x"}, loop), now=loop.now)
    with pytest.raises(LetterBroken):
        take_letter(impostor.writes("card", {"card": card_as_json(impostor.card)}, later(loop)), now=loop.now)
    with pytest.raises(NotFound):
        take_letter(end, now=loop.now)
    end_node(actor=loop.actor(), node_id=node.pk, reason="不再往来", now=loop.now)
    with pytest.raises(Refused):
        take_letter(neighbour.introduction(code, loop), now=loop.now)


def later(loop: Loop) -> Any:
    return SimpleNamespace(now=loop.now + timedelta(minutes=1))


@pytest.mark.parametrize("body", [r'{"code": "\ud800"}', r'{"code": "a\u0000"}', '{"code": ' + "[" * 20_000 + "]" * 20_000 + "}"])
def test_words_of_strangers_that_no_database_keeps_are_no_letter(wired: Loop, body: str) -> None:
    key = ECKey.generate_key("P-256")
    told = f'{{"kind": "card", "from": "{"a" * 32}", "to": "{own_uid()}", "at": "2026-06-01T00:00:00+00:00", "body": {body}}}'
    letter = jws.serialize_compact({"alg": "ES256"}, told, key, algorithms=["ES256"])
    for path, header in (("introductions", ""), ("letters", letter)):
        answer = Client().post(f"/exchange/v1/{path}", letter, content_type="text/plain", headers={HEADER: header})
        assert answer.status_code == 403, path
