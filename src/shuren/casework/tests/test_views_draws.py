"""A draw as people meet it: officer, third party, and anybody who reads the public page."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.cast import Cast

from shuren.casework.models import Case, Draw
from shuren.casework.rules.draw_bundles import digests_on_record
from shuren.casework.selectors.draw_checks import verify_draw
from shuren.casework.tests.draw_registers import committed, drawn, prepared, put_registers
from shuren.casework.views.draw_parts import proposed_times
from shuren.kernel import clock, ids
from shuren.trust import api as trust

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def registers(cast: Cast, define: Any, settings: Any, tmp_path: Path) -> None:
    settings.SHUREN_EVIDENCE_DIR = tmp_path / "evidence"
    put_registers(cast, define)


def address(draw: Draw, rest: str = "") -> str:
    return f"/draws/{ids.encode('draw', draw.pk)}/{rest}"


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def test_from_the_first_page_to_the_public_result(cast: Cast) -> None:
    officer, third, anybody = cast.client("county_officer"), cast.client("head"), Client()
    org = cast.orgs["county"].public_id
    officer.post("/draws/new/", {"definition": "sup.canteen_draw", "org": org, "title": "秋季抽查"})
    draw = Draw.objects.get()
    assert "秋季抽查" in page(officer, "/draws/")
    assert anybody.get(address(draw, "public/")).status_code == 404
    due, reveal = (timezone.localtime(clock.now()) + timedelta(days=days) for days in (1, 2))
    told = {"kind": "person", "number": cast.people["head"].number, "due_at": f"{due:%Y-%m-%dT%H:%M}"}
    officer.post(address(draw, "commit/"), told | {"reveal_due_at": f"{reveal:%Y-%m-%dT%H:%M}"})
    shown = page(anybody, address(draw, "public/"))
    draw.refresh_from_db()
    assert draw.commitment in shown
    assert "抽取以后才能重算" in shown
    assert "秋季抽查" in page(third, "/draws/")
    third.post(address(draw, "contribute/"), {"value": "3 5 2 6 1 4"})
    officer.post(address(draw, "run/"))
    draw.refresh_from_db()
    shown = page(anybody, address(draw, "public/"))
    assert draw.secret in shown
    assert "3 5 2 6 1 4" in shown
    labels = {ticket["id"]: ticket["label"] for ticket in draw.objects_pool}
    assert all(labels[row["object"]] in shown for row in draw.result)


def test_the_next_working_days_are_proposed(cast: Cast) -> None:
    shown = page(cast.client("county_officer"), address(prepared(cast), "commit/"))
    for name, due in proposed_times(clock.now()).items():
        assert re.search(rf'name="{name}" value="{due:%Y-%m-%dT%H:%M}"', shown)
    # The day before seven days of holidays, which end on a Thursday.
    told = proposed_times(datetime(2026, 9, 30, 2, tzinfo=UTC))
    assert [f"{due:%Y-%m-%dT%H:%M}" for due in told.values()] == ["2026-10-08T17:00", "2026-10-09T17:00"]


def test_forms_of_draws_say_where_one_is(cast: Cast) -> None:
    draw, officer = prepared(cast), cast.client("county_officer")
    for url in ("/draws/new/", "/draws/lottery/", address(draw, "commit/")):
        assert '<a href="/draws/">双随机抽查</a>' in page(officer, url)
    assert f'<a href="{address(draw)}">{draw.title}</a>' in page(officer, address(draw, "commit/"))
    draw = committed(cast)
    assert f'<a href="{address(draw)}">{draw.title}</a>' in page(cast.client("head"), address(draw, "contribute/"))


def test_the_operator_is_told_why_they_are_no_third_party(cast: Cast) -> None:
    draw, officer = prepared(cast), cast.client("county_officer")
    told = {"kind": "person", "number": cast.people["county_officer"].number, "due_at": "2036-01-01T09:00"}
    answer = officer.post(address(draw, "commit/"), told | {"reveal_due_at": "2036-01-02T09:00"})
    assert answer.status_code == 400
    assert "操作人不能同时是第三方" in answer.content.decode()


def test_a_public_value_is_named_beforehand(cast: Cast) -> None:
    draw, officer = prepared(cast), cast.client("county_officer")
    told = {"kind": "public_value", "number": cast.people["head"].number, "due_at": "2036-01-01T09:00"}
    told |= {"reveal_due_at": "2036-01-02T09:00"}
    assert "请写明用哪个公开数值" in officer.post(address(draw, "commit/"), told).content.decode()
    officer.post(address(draw, "commit/"), told | {"what": "2035-12-31 上证指数收盘价"})
    assert "2035-12-31 上证指数收盘价" in page(Client(), address(draw, "public/"))
    assert "请照实录入：2035-12-31 上证指数收盘价" in page(cast.client("head"), address(draw, "contribute/"))


def test_abandoned_draws_stay_and_stand_beside_the_next(cast: Cast) -> None:
    first = committed(cast)
    Draw.objects.update(contribution_due_at=cast.now - timedelta(hours=1))
    second = committed(cast)
    assert "这次抽取作废" in page(Client(), address(first, "public/"))
    beside = page(Client(), address(second, "public/"))
    assert address(first, "public/") in beside
    assert "已作废" in beside
    assert "已作废" in page(Client(), "/draws/public/")


def test_the_file_holds_all_that_an_outsider_needs(cast: Cast) -> None:
    draw = drawn(cast)
    trust.grow_log(now=cast.now + timedelta(hours=2))
    told = json.loads(Client().get(address(draw, "bundle.json")).content)
    assert [step for step in verify_draw(told) if step.is_good is False] == []
    for name, digest in digests_on_record(told).items():
        proof = trust.read_proof(told["proofs"][name])
        assert trust.verify_proof(proof, log_keys=list(trust.log_keys()), witness_keys=[]).fault == ""
        assert proof.digest.hex() == digest


def test_a_lottery_shows_numbers_and_no_names(cast: Cast, define: Any) -> None:
    sections = [{"key": "main", "title": "基本", "fields": [{"key": "name", "title": "姓名", "type": "text"}]}]
    form = define("form", {"key": "gov.enrol_form", "title": "报名表", "sections": sections})
    stage = {
        "key": "draw",
        "title": "摇号",
        "who": {"role": "head"},
        "outcomes": [{"key": "ok", "title": "录取", "to": "end:ok"}],
    }
    end = {"key": "ok", "title": "录取", "result": "granted"}
    body = {"key": "gov.enrol", "title": "入学报名", "form": "gov.enrol_form", "filed_by": {"anyone": True}}
    flow = define("flow", body | {"stages": [stage], "ends": [end]})
    for number in range(9):
        Case.objects.create(
            number=f"RX-{number}",
            title=f"张家孩子{number}",
            definition=flow,
            flow_version_id=flow.current_id,
            form_version_id=form.current_id,
            state="running",
            stage="draw",
            org_id=cast.orgs["school"].id,
            org_path=cast.orgs["school"].path,
            filed_at=cast.now,
            changed_at=cast.now,
        )
    head, officer = cast.client("head"), cast.client("county_officer")
    told = {"flow": "gov.enrol", "org": cast.orgs["school"].public_id, "stage": "draw", "places": "4", "title": "一年级摇号"}
    head.post("/draws/lottery/", told)
    draw = Draw.objects.get()
    party = {"kind": "person", "number": cast.people["county_officer"].number, "due_at": "2036-01-01T09:00"}
    head.post(address(draw, "commit/"), party | {"reveal_due_at": "2036-01-02T09:00"})
    officer.post(address(draw, "contribute/"), {"value": "1"})
    assert head.post(address(draw, "run/")).status_code == 302
    shown = page(Client(), address(draw, "public/"))
    assert shown.count("中签") == 4
    assert shown.count("候补") == 5
    assert "RX-8" in shown
    assert "张家" not in shown + Client().get(address(draw, "bundle.json")).content.decode()
