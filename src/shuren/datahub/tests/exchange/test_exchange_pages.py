"""The pages of the exchange, from an invitation to a packet's faults, and who sees them."""

from typing import Any

import pytest

from shuren.datahub.models import ExchangeAgreement, ExchangeInvitation, ExchangeNode, ExchangePacket, ReportDuty
from shuren.datahub.services.exchange.land import take_packet
from shuren.datahub.tests.exchange.conftest import Loop
from shuren.kernel import ids
from shuren.work.api import count_live

pytestmark = [pytest.mark.django_db, pytest.mark.tables]


def test_an_officer_invites_offers_and_sees_what_went(loop: Loop) -> None:
    loop.carry()
    client = loop.play.cast.client("province_officer")
    home = client.get("/data/exchange/").content.decode()
    assert "东湖区节点" in home
    assert "本节点的指纹" in home
    invitation = client.post("/data/exchange/invite/").content.decode()
    assert "shuren-node-1." in invitation
    assert ExchangeInvitation.objects.count() == 1
    node = f"/data/exchange/nodes/{ids.encode('exchange_node', loop.node.pk)}/"
    assert "probe.shared" in client.get(node).content.decode()
    assert "授权：probe.shared" in client.get(f"{node}offer/").content.decode()
    waiting = count_live()
    client.post(f"{node}now/")
    assert count_live() == waiting + 1
    agreement = f"/data/exchange/agreements/{ids.encode('exchange_agreement', loop.sender.pk)}/"
    page = client.get(agreement).content.decode()
    assert all(word in page for word in ("核对体质健康", "只留姓", "对方已确认", "#1"))
    client.post(f"{agreement}end/", {"reason": "不再需要"})
    assert ExchangeAgreement.objects.get(pk=loop.sender.pk).state == "ended"


def test_a_refused_packet_shows_where_why_and_what_to_do(loop: Loop) -> None:
    packet = loop.prepare()
    receiver = loop.receiver
    receiver.chain = "0" * 64
    receiver.save()
    take_packet(loop.file(packet), now=loop.now)
    loop.post()
    client = loop.play.cast.client("province_officer")
    page = client.get(f"/data/exchange/packets/{ids.encode('exchange_packet', packet.pk)}/").content.decode()
    assert all(word in page for word in ("已拒收", "接的不是上一个", "另订约定"))
    listed = client.get("/api/v1/exchange/packets?state=refused").json()
    assert {row["number"] for row in listed["rows"]} == {1}
    assert all(row["faults"][0]["remedy"] for row in listed["rows"])


def test_a_duty_to_report_names_its_law_and_leads_upward(loop: Loop, settings: Any) -> None:
    client = loop.play.cast.client("province_officer")
    form = client.get("/data/exchange/duties/new/probe.shared/").content.decode()
    assert "统计" in form
    bad = {"ground": "", "ends_on": "2027-06-01"}
    assert client.post("/data/exchange/duties/new/probe.shared/", bad).status_code == 200
    assert not ReportDuty.objects.exists()
    places = list(client.get("/data/exchange/duties/new/probe.shared/").context["form"].places)
    good = {"ground": "统计法第七条", "ends_on": "2027-06-01", **dict.fromkeys(places, "withheld"), places[0]: "all"}
    assert client.post("/data/exchange/duties/new/probe.shared/", good).status_code == 302
    duty = ReportDuty.objects.get()
    node = f"/data/exchange/nodes/{ids.encode('exchange_node', loop.node.pk)}/offer/"
    offer = {"basis": f"duty:{ids.encode('report_duty', duty.pk)}", "every": "60", "ends_on": "2027-05-01"}
    # The node says that it is a province like ours.
    assert "上报只能向上级进行" in client.post(node, offer).content.decode()


def test_nobody_below_the_root_sees_any_of_it_and_no_cookie_counts_at_the_doors_of_nodes(loop: Loop) -> None:
    client = loop.play.cast.client("county_officer")
    assert client.get("/data/exchange/").status_code == 404
    assert client.get("/api/v1/exchange/nodes").status_code == 404
    root = loop.play.cast.client("province_officer")
    for answer in (root.get("/exchange/v1/packets"), root.post("/exchange/v1/letters", b"x", content_type="text/plain")):
        assert answer.status_code == 403
        assert answer.json()["message"]
    assert ExchangeNode.objects.count() == 1
    assert not ExchangePacket.objects.exists()
