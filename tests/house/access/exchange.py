"""Exchange between installations: those who keep the data of the whole installation, and nobody below it."""

from dataclasses import replace
from datetime import timedelta

import pyarrow as pa

from shuren.datahub.api import offer_dataset, write_partition
from shuren.datahub.data import DatasetSpec
from shuren.datahub.models import ExchangeAgreement, ExchangeNode, ExchangePacket, ReportDuty, ViewSource
from shuren.datahub.rules.front_views.columns import columns_as_json, columns_found
from shuren.datahub.services.exchange.write_letter import ensure_own_card
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, ROOT, Address, Area, act, call, form, page, public

NAME = "casework.reported"
TERMS = {
    "dataset": NAME,
    "title": "上报",
    "grade": "L2",
    "keys": ["year"],
    "columns": {"mark": {"type": "int64", "grade": "L2", "element": "", "mask": "none"}},
    "basis": "duty",
    "ground": "统计法",
}


def refusing(*methods: str, **objects: str) -> Address:
    """Only a signed call of a node is answered: a cookie counts for nothing."""
    return replace(public(*methods, granted=403, stranger=403), far=EVERYBODY, objects=objects)


ADDRESSES: dict[str, Address] = {
    "datahub:exchange": page(ROOT),
    "datahub:invite_node": act(ROOT),
    "datahub:introduce_node": form(ROOT),
    "datahub:bring_letter": form(ROOT),
    "datahub:rotate_node_keys": act(ROOT),
    "datahub:exchange_node": page(ROOT, ROOT, node_id="node"),
    "datahub:trust_node": form(ROOT, ROOT, node_id="node"),
    "datahub:suspend_node": form(ROOT, ROOT, node_id="node"),
    "datahub:resume_node": act(ROOT, ROOT, node_id="node"),
    "datahub:end_node": form(ROOT, ROOT, node_id="node"),
    "datahub:exchange_now": act(ROOT, ROOT, node_id="node"),
    "datahub:node_letters": page(ROOT, ROOT, node_id="node"),
    "datahub:offer_exchange": form(ROOT, ROOT, node_id="node"),
    "datahub:exchange_agreements": page(ROOT),
    "datahub:exchange_agreement": page(ROOT, ROOT, agreement_id="agreement"),
    "datahub:accept_exchange": act(ROOT, ROOT, agreement_id="agreement"),
    "datahub:refuse_exchange": form(ROOT, ROOT, agreement_id="agreement"),
    "datahub:end_exchange": form(ROOT, ROOT, agreement_id="agreement"),
    "datahub:exchange_packets": page(ROOT),
    "datahub:exchange_packet": page(ROOT, ROOT, packet_id="packet"),
    "datahub:report_duties": page(ROOT),
    "datahub:choose_report_duty": page(ROOT),
    "datahub:report_duty": form(ROOT, ROOT, dataset="reported"),
    "datahub:end_report_duty": act(ROOT, ROOT, duty_id="duty"),
    "api-v1:list_exchange_nodes": call(ROOT),
    "api-v1:list_exchange_agreements": call(ROOT),
    "api-v1:list_exchange_packets": call(ROOT),
    "datahub:view_sources": page(ROOT),
    "datahub:register_view_source": form(ROOT),
    "datahub:view_source": page(ROOT, ROOT, source_id="view"),
    "datahub:correct_view_source": form(ROOT, ROOT, source_id="view"),
    "datahub:view_reading": form(ROOT, ROOT, source_id="view"),
    "datahub:view_columns": page(ROOT, ROOT, source_id="view"),
    "datahub:view_column": form(ROOT, ROOT, source_id="view", number="view_column"),
    "datahub:try_view_source": act(ROOT, ROOT, source_id="view"),
    "datahub:read_view_source": act(ROOT, ROOT, source_id="view"),
    "datahub:stop_view_source": act(ROOT, ROOT, source_id="view"),
    "datahub:resume_view_source": act(ROOT, ROOT, source_id="view"),
    "datahub:view_run": page(ROOT, ROOT, run_id="view_run"),
    "datahub:confirm_view_run": act(ROOT, ROOT, run_id="view_run"),
    "datahub:drop_view_run": act(ROOT, ROOT, run_id="view_run"),
    "api-v1:list_view_sources": call(ROOT),
    "api-v1:list_view_runs": call(ROOT, ROOT, source_id="view"),
    "exchange:introductions": refusing("POST"),
    "exchange:letters": refusing("GET", "POST"),
    "exchange:packets": refusing("GET"),
    "exchange:packet": refusing("GET", "PUT", uid="uid", digest="digest"),
    "exchange:packet_file": refusing("GET", uid="uid", digest="digest"),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """One node of every kind, which is as near to the region as it is far from everybody else."""
    ensure_own_card(cast.now)
    node = ExchangeNode.objects.create(uid="0" * 32, name="邻市", fingerprint="0" * 40, introduced_at=cast.now)
    node.letters.create(kind="card", text="a.b.c", written_at=cast.now)
    agreement = ExchangeAgreement.objects.create(
        uid="1" * 32,
        node=node,
        is_sender=False,
        dataset=NAME,
        terms=TERMS,
        every_minutes=60,
        ends_on=day_of(cast.now) + timedelta(days=9),
        offered_at=cast.now,
    )
    digest = "2" * 64
    packet = ExchangePacket.objects.create(
        agreement=agreement, number=1, digest=digest, manifest="", state="refused", rows=1, bytes=1, prepared_at=cast.now
    )
    offer_dataset(DatasetSpec(NAME, ("year",), "上报", "L2", f"org:{cast.orgs['province'].id}"))
    write_partition(NAME, {"year": 2026}, pa.table({"mark": [71]}), actor=SYSTEM, now=cast.now)
    duty = ReportDuty.objects.create(
        dataset=NAME, ground="统计法", masks={"mark": "none"}, begins_at=cast.now, ends_at=cast.now + timedelta(days=9)
    )
    view = ViewSource.objects.create(
        key="reachable",
        title_zh="低保对象",
        org_id=cast.orgs["province"].id,
        host="127.0.0.1",
        port=1,
        database="front",
        username="reader",
        password_sealed=b"",
        tls="plain",
        schema="open",
        view="low",
        columns=columns_as_json(columns_found([("id", "int4", "int4")])),
        registered_at=cast.now,
    )
    run = view.runs.create(kind="read", state="failed", begun_at=cast.now, ended_at=cast.now)

    def both(kind: str, pk: int) -> tuple[str, str]:
        return ids.encode(kind, pk), ids.encode(kind, pk)

    return {
        "node": both("exchange_node", node.pk),
        "agreement": both("exchange_agreement", agreement.pk),
        "packet": both("exchange_packet", packet.pk),
        "duty": both("report_duty", duty.pk),
        "view": both("view_source", view.pk),
        "view_column": ("0", "0"),
        "view_run": both("view_run", run.pk),
        "reported": (NAME, NAME),
        "uid": (agreement.uid, agreement.uid),
        "digest": (digest, digest),
    }


AREA = Area(ADDRESSES, places)
