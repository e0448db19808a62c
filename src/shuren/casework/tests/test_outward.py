"""What a government platform is told: by contract, signed, written down first, tried again."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.cast import Cast

from shuren.casework.models import Outward
from shuren.casework.rules.government import KINDS, ContractBroken, body_of, check_payload, contract, signed_headers
from shuren.casework.services.hall.follow import follow_closed, follow_decided, follow_submitted
from shuren.casework.services.hall.outward import retry_outward, send_waiting, tell_items, tell_platform
from shuren.casework.tests.hall_cast import applied, bodies, decided, install_gov
from shuren.kernel import ids
from shuren.kernel import outward as calls
from shuren.kernel.errors import NotFound
from shuren.kernel.outward import Answer

QUESTION = {
    "topic": "fees", "subject": "收费", "question": "课后服务怎么收费？", "contact_name": "张父", "phone": "13800138010",
    "may_publish": False,
}  # fmt: skip
RATING = {
    "case_number": "ZX1", "item_code": "gov.transfer", "unit_code": "u", "satisfaction": 5, "reasons": [], "channel": "web",
    "rated_at": "2026-11-29T00:00:00Z", "rectify_by": None,
}  # fmt: skip


@pytest.fixture
def gov(cast: Cast, define: Any) -> Cast:
    install_gov(define)
    return cast


@pytest.fixture
def gateway(settings: Any, tmp_path: Path) -> None:
    path = tmp_path / "gateways.toml"
    path.write_text('[government]\nurl = "https://platform.example.cn/in"\nkey_id = "shuren"\nsecret = "s3cret"\n')
    settings.SHUREN_GATEWAYS_FILE = str(path)


@pytest.mark.parametrize("kind", KINDS)
def test_contracts_are_sound_and_let_nothing_else_through(kind: str) -> None:
    schema = contract(kind)
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert all("description" in one or "items" in one for one in schema["properties"].values())
    with pytest.raises(ContractBroken):
        check_payload(kind, {})


def test_a_payload_with_more_or_wrong_is_refused() -> None:
    check_payload("rating", RATING)
    for wrong in (
        {"satisfaction": 6}, {"rated_at": "yesterday"}, {"comment": "他叫张三"}, {"channel": "fax"}, {"item_code": None},
    ):  # fmt: skip
        with pytest.raises(ContractBroken):
            check_payload("rating", RATING | wrong)


def test_the_three_links_of_a_case_are_told_in_order(gov: Cast) -> None:
    matter = f"person-{gov.people['parent'].public_id}"
    case = applied(gov, "gov.consultation", QUESTION, matter=matter, org="county")
    follow_submitted(case_id=case.pk, is_again=False, now=gov.now)
    follow_submitted(case_id=case.pk, is_again=True, now=gov.now)
    decided(gov, case, "county_officer", "answer", answer="按核定标准。", is_public=False)
    follow_decided(case_id=case.pk, now=gov.now)
    decided(gov, case, "city_officer", "agree")
    follow_closed(case_id=case.pk, now=gov.now)
    told = [row.payload for row in Outward.objects.filter(kind="case").order_by("id")]
    assert [one["link"] for one in told] == ["受理", "审批", "办结"]
    assert [one["result"] for one in told] == ["", "", "done"]
    assert told[2]["finished_at"]
    assert told[0]["promised_at"]
    assert told[0]["applicant_type"] == "natural_person"
    assert "张" not in json.dumps(told, ensure_ascii=False)
    assert "13800138010" not in json.dumps(told)


def test_without_a_gateway_it_is_recorded_and_goes_nowhere(db: None, now: datetime) -> None:
    row = tell_platform("rating", "case:ZX1", RATING, now=now)
    assert row.state == "recorded"
    assert send_waiting(now=now) == {"sent": 0, "failed": 0}


@pytest.fixture
def now() -> datetime:
    return datetime.fromisoformat("2026-11-29T08:00:00+00:00")


def test_every_version_of_an_item_is_told_once(gov: Cast, define: Any) -> None:
    count = tell_items(now=gov.now)
    assert count >= 12
    assert tell_items(now=gov.now) == 0
    body = json.loads(json.dumps(next(body for kind, body in bodies() if kind == "item" and body["key"] == "gov.transfer")))
    define("item", body | {"visits": 1})
    assert tell_items(now=gov.now) == 1
    assert Outward.objects.filter(kind="item").order_by("-id")[0].payload["visits"] == 1


def test_what_is_sent_proves_itself(gateway: None, db: None, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bytes, Mapping[str, str]]] = []

    def call(url: str, *, method: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        seen.append((url, body, headers))
        return Answer(status=200, body=b"{}", headers={})

    monkeypatch.setattr(calls, "call", call)
    row = tell_platform("rating", "case:ZX1", RATING, now=now)
    assert row.state == "waiting"
    assert send_waiting(now=now) == {"sent": 1, "failed": 0}
    assert send_waiting(now=now) == {"sent": 0, "failed": 0}
    ((url, body, headers),) = seen
    assert url == "https://platform.example.cn/in"
    assert body == body_of("rating", RATING, message_id=ids.encode("outward", row.pk))
    assert headers["X-Shuren-Digest"] == hashlib.sha256(body).hexdigest()
    signed = f"{headers['X-Shuren-Time']}\n{headers['X-Shuren-Nonce']}\n{headers['X-Shuren-Digest']}"
    assert headers["X-Shuren-Signature"] == hmac.new(b"s3cret", signed.encode(), hashlib.sha256).hexdigest()
    assert "s3cret" not in str(headers)


def test_what_fails_waits_longer_and_is_given_up(gateway: None, db: None, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "call", lambda *_told, **_more: Answer(status=503, body=b"", headers={}))
    row = tell_platform("rating", "case:ZX1", RATING, now=now)
    assert send_waiting(now=now) == {"sent": 0, "failed": 1}
    assert send_waiting(now=now + timedelta(seconds=30)) == {"sent": 0, "failed": 0}
    later = now
    for _turn in range(7):
        later += timedelta(days=1)
        send_waiting(now=later)
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == ("failed", 8, "status 503")
    assert send_waiting(now=later + timedelta(days=9)) == {"sent": 0, "failed": 0}


def test_a_system_administrator_sends_again(gateway: None, cast: Cast) -> None:
    row = tell_platform("rating", "case:ZX1", RATING, now=cast.now)
    Outward.objects.update(state="failed", attempts=8, error="status 503")
    for who in ("county_officer", "head"):
        with pytest.raises(NotFound):
            retry_outward(actor=cast.actor(who), id=row.pk, now=cast.now)
    client = cast.client("system_admin")
    page = client.get("/hall/outward/").content.decode()
    assert "发送失败" in page
    assert "status 503" in page
    assert client.post(f"/hall/outward/{ids.encode('outward', row.pk)}/retry/").status_code == 302
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("waiting", 0)
    assert cast.client("head").get("/hall/outward/").status_code == 404


def test_another_nonce_signs_otherwise() -> None:
    at = datetime.fromisoformat("2026-11-29T08:00:00+00:00")
    first, second = (signed_headers(b"{}", key_id="k", secret="s", at=at, nonce=nonce) for nonce in ("a", "b"))
    assert first["X-Shuren-Signature"] != second["X-Shuren-Signature"]
