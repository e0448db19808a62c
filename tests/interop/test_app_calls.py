"""Apps of the register at the API: what they reach, what they may call, and how often."""

import base64
from typing import Any

import pytest
from django.test import Client

from shuren.directory import api as directory
from shuren.directory.data import ConsentDecision
from shuren.identity import api as identity
from shuren.identity.data import GrantType, NewClient
from shuren.identity.services.oauth.families import own_access_token
from shuren.interop import api
from shuren.interop.data import DeliveryStatus
from shuren.interop.models import App, CallCount, Delivery, Installation
from shuren.interop.services import count_calls
from shuren.interop.services.govern import set_quota, suspend_app
from shuren.interop.tests.conftest import Stage, VendorServer
from shuren.interop.tests.test_chain import install, listed_app
from shuren.kernel import audit, clock
from shuren.kernel.data import SYSTEM
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm
from shuren.work import api as work

SCOPES = ("crypto", "directory.read", "webhooks")


class Caller:
    """An app with a token in its own name."""

    def __init__(self, client_id: str, scopes: tuple[str, ...] = SCOPES) -> None:
        found = identity.client_by_client_id(client_id)
        assert found is not None
        token = own_access_token(client_pk=found.id, scopes=scopes, now=clock.now())
        self.headers = {"Authorization": f"Bearer {token}"}
        self.client = Client()

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers=self.headers)

    def post(self, path: str, body: object = None) -> Any:
        return self.client.post(f"/api/v1{path}", body or {}, content_type="application/json", headers=self.headers)

    def crypto(self, path: str, **item: str) -> Any:
        return self.post(f"/crypto/{path}", {"items": [item]})


def b64(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.fixture
def app_id(stage: Stage, server: VendorServer) -> int:
    found = listed_app(stage, server, scopes=SCOPES)
    install(stage, found)
    return found


def caller(app_id: int, scopes: tuple[str, ...] = SCOPES) -> Caller:
    return Caller(App.objects.get(pk=app_id).client_id or "", scopes)


def test_an_app_reaches_the_schools_that_chose_it(stage: Stage, app_id: int) -> None:
    orgs = stage.cast.orgs
    keys = ("school", "class", "county", "other_school")
    answered = {key: caller(app_id).get(f"/orgs/{orgs[key].public_id}").status_code for key in keys}
    assert answered == {"school": 200, "class": 200, "county": 404, "other_school": 404}
    Installation.objects.update(ended_at=clock.now())
    assert caller(app_id).get(f"/orgs/{orgs['school'].public_id}").status_code == 404


def test_an_app_tells_learning_records_and_reads_no_others(stage: Stage, server: VendorServer) -> None:
    scopes = ("statements/write", "statements/read/mine", "state")
    found = listed_app(stage, server, scopes=scopes)
    install(stage, found)
    headers = caller(found, scopes).headers | {"X-Experience-API-Version": "2.0.0"}
    account = {"homePage": "https://e.cn", "name": "p1"}
    told = {"actor": {"account": account}, "verb": {"id": "https://e.cn/read"}, "object": {"id": "https://e.cn/book"}}
    client, kind = Client(), "application/json"
    assert client.post("/xapi/statements", told, content_type=kind, headers=headers).status_code == 200
    other = identity.register_client(
        actor=SYSTEM,
        client=NewClient(name="别人", grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}), scopes=frozenset({"all"})),
        now=clock.now(),
    )
    basic = {"Authorization": f"Basic {b64(f'{other.client_id}:{other.client_secret}')}", "X-Experience-API-Version": "2.0.0"}
    assert client.post("/xapi/statements", [told, told], content_type=kind, headers=basic).status_code == 200
    assert len(client.get("/xapi/statements", headers=headers).json()["statements"]) == 1
    assert len(client.get("/xapi/statements", headers=basic).json()["statements"]) == 3


def test_keys_sign_and_seal_for_their_app_alone(stage: Stage, app_id: int) -> None:
    app = caller(app_id)
    made = app.post("/crypto/keys", {"key": "report", "algorithm": "ES256"})
    assert made.status_code == 200, made.content
    assert "BEGIN PUBLIC KEY" in made.json()["public_key"]
    signature = app.crypto("sign", key="report", data=b64("成绩单")).json()["items"][0]["data"]
    verdict = [
        app.crypto("verify", key="report", data=b64(text), signature=signature).json()["items"][0]["is_valid"]
        for text in ("成绩单", "改过的成绩单")
    ]
    assert verdict == [True, False]
    sealed = app.crypto("seal", purpose="phone", data=b64("13800000000")).json()["items"][0]["data"]
    assert base64.b64decode(app.crypto("unseal", purpose="phone", data=sealed).json()["items"][0]["data"]) == b"13800000000"
    assert app.crypto("unseal", purpose="other", data=sealed).status_code == 400
    other = App.objects.get(pk=app_id)
    made_up = App.objects.create(vendor=other.vendor, name="另一个", current=other.current, created_at=clock.now())
    App.objects.filter(pk=app_id).update(client_id=None)
    App.objects.filter(pk=made_up.pk).update(client_id=other.client_id)
    rival = caller(made_up.pk)
    assert rival.crypto("sign", key="report", data=b64("成绩单")).status_code == 404
    assert rival.crypto("unseal", purpose="phone", data=sealed).status_code == 400
    known = rival.crypto("digest", algorithm="SM3", data=b64("abc")).json()["items"][0]["data"]
    assert base64.b64decode(known).hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    actions = set(audit.entries(action="interop.crypto").values_list("action", flat=True))
    assert {"interop.crypto_sign_served", "interop.crypto_seal_served", "interop.crypto_digest_served"} <= actions


def test_an_app_turns_its_keys_over_and_takes_them_back(app_id: int) -> None:
    app, text = caller(app_id), b64("成绩单")
    app.post("/crypto/keys", {"key": "report", "algorithm": "SM2"})
    signatures = [app.crypto("sign", key="report", data=text).json()["items"][0]["data"]]
    rotated = app.post("/crypto/keys/report/rotate")
    assert (rotated.status_code, rotated.json()["version"], rotated.json()["algorithm"]) == (200, 2, "SM2")
    signatures.append(app.crypto("sign", key="report", data=text).json()["items"][0]["data"])

    def verdicts() -> list[bool]:
        items = [{"key": "report", "data": text, "signature": signature} for signature in signatures]
        return [item["is_valid"] for item in app.post("/crypto/verify", {"items": items}).json()["items"]]

    assert verdicts() == [True, True]
    revoked = app.post("/crypto/keys/report/revoke", {"version": 1})
    assert [(one["version"], one["status"]) for one in revoked.json()["versions"]] == [(2, "active"), (1, "revoked")]
    assert verdicts() == [False, True]
    assert app.post("/crypto/keys/report/revoke", {"version": 2}).status_code == 200
    assert app.crypto("sign", key="report", data=text).status_code == 404
    assert app.post("/crypto/keys/report/rotate").json()["version"] == 3
    assert app.crypto("sign", key="report", data=text).status_code == 200
    assert [one["version"] for one in app.get("/crypto/keys/report").json()["versions"]] == [3, 2, 1]
    for answer in (
        app.get("/crypto/keys/other"),
        app.post("/crypto/keys/other/rotate"),
        app.post("/crypto/keys/other/revoke", {"version": 1}),
        app.post("/crypto/keys/report/revoke", {"version": 9}),
    ):
        assert answer.status_code == 404
    told = audit.entries(action="trust.key_r").values_list("action", "actor_role")
    assert sorted(told) == [("trust.key_revoked", "app")] * 2 + [("trust.key_rotated", "app")] * 2
    assert caller(app_id, ("directory.read",)).post("/crypto/keys/report/rotate").status_code == 403


BAD_ITEMS: tuple[object, ...] = ([], [{"key": "../a", "data": "YQ=="}], [{"key": "a", "data": "!"}], None)


@pytest.mark.parametrize("body", [{"items": items} for items in BAD_ITEMS])
def test_malformed_calls_are_refused(app_id: int, body: object) -> None:
    answer = caller(app_id).post("/crypto/sign", body)
    assert answer.status_code in (400, 404, 422)
    assert set(answer.json()["error"]) == {"status", "message", "remedy"}


def test_scopes_are_needed(stage: Stage, app_id: int) -> None:
    blind = caller(app_id, ("directory.read",))
    assert blind.crypto("digest", algorithm="SM3", data="").status_code == 403
    assert blind.get("/webhooks/deliveries").status_code == 403
    assert stage.cast.client("province_officer").get("/api/v1/webhooks/deliveries").status_code == 401


def test_the_quota_holds_however_many_processes_ask(stage: Stage, app_id: int) -> None:
    set_quota(actor=stage.actor("city_officer"), app_id=app_id, per_minute=40, per_day=1000, now=clock.now())
    found = api.app_of_client(App.objects.get(pk=app_id).client_id or "")
    assert found is not None
    now, allowed = clock.now(), 0
    for turn in range(120):
        allowed += api.count_call(found, now=now).is_allowed
        if turn % 3 == 0:
            count_calls.forget_blocks()  # a process that starts anew, its reserved calls lost
    assert 30 <= allowed <= 40
    refusal = api.count_call(found, now=now)
    assert not refusal.is_allowed
    assert 1 <= refusal.retry_after <= 60


def test_a_refused_call_says_when_to_come_back(stage: Stage, app_id: int) -> None:
    set_quota(actor=stage.actor("city_officer"), app_id=app_id, per_minute=3, per_day=1000, now=clock.now())
    count_calls.forget_blocks()
    app = caller(app_id)
    answers = [app.get("/orgs") for _turn in range(8)]
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(429) >= 2
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    many = {"items": [{"algorithm": "SM3", "data": ""}] * 20}
    batch = app.post("/crypto/digest", many)
    assert batch.status_code == 429, "every item of a batch counts"
    assert batch.headers["Retry-After"]
    count_calls.write_counts()
    assert set(CallCount.objects.values_list("outcome", flat=True)) >= {"done", "refused"}


def test_the_kill_switch_works_at_the_next_call(stage: Stage, app_id: int) -> None:
    app = caller(app_id)
    assert app.get("/orgs").status_code == 200
    suspend_app(actor=stage.actor("city_officer"), app_id=app_id, reason="数据外泄", now=clock.now())
    assert app.get("/orgs").status_code == 401
    assert Delivery.objects.filter(status=DeliveryStatus.WAITING).count() >= 0


def test_an_app_manages_its_own_messages(stage: Stage, app_id: int, server: VendorServer) -> None:
    work.run_pending()
    app = caller(app_id)
    pinged = app.post("/webhooks/ping")
    assert pinged.status_code == 200, pinged.content
    assert app.post(f"/webhooks/deliveries/{pinged.json()['id']}/replay").status_code == 409
    work.run_pending()
    page = app.get("/webhooks/deliveries").json()
    assert {row["status"] for row in page["rows"]} == {"delivered"}
    again = app.post(f"/webhooks/deliveries/{pinged.json()['id']}/replay").json()
    assert (again["message_id"], again["status"]) == (pinged.json()["message_id"], "waiting")
    work.run_pending()
    assert [line["id"] for line in server.seen()].count(pinged.json()["message_id"]) == 2
    found = App.objects.get(pk=app_id)
    other = App.objects.create(vendor=found.vendor, name="另一个", current=found.current, created_at=clock.now())
    Delivery.objects.update(app=other)
    assert app.get(f"/webhooks/deliveries/{pinged.json()['id']}").status_code == 404


def test_names_are_told_by_consent_only(stage: Stage, app_id: int) -> None:
    pupil = stage.cast.people["pupil"]
    app = caller(app_id)

    def seen() -> tuple[str, str]:
        rows = app.get(f"/orgs/{stage.cast.orgs['class'].public_id}/people").json()["rows"]
        listed = next(row["name"] for row in rows if row["id"] == pupil.public_id)
        return app.get(f"/people/{pupil.public_id}").json()["name"], listed

    assert "张三" not in seen()
    client_id = App.objects.get(pk=app_id).client_id
    text = next(text for text in directory.asked_texts([pupil.id], now=clock.now())[pupil.id] if text.recipient == client_id)
    for decision, names in ((ConsentDecision.GIVEN, ("张三", "张三")), (ConsentDecision.WITHDRAWN, ("", ""))):
        parent = stage.actor("parent")
        directory.decide_consent(actor=parent, person_id=pupil.id, text_id=text.id, decision=decision, now=clock.now())
        assert seen() == names
    assert stage.cast.client("head").get(f"/api/v1/people/{pupil.public_id}").json()["name"] == "张三"


def test_a_digest_is_stamped_by_the_regions_authority(app_id: int) -> None:
    trust.found_authority(code="root", title="树人根证书", algorithm=KeyAlgorithm.ES256, actor=SYSTEM, now=clock.now())
    app = caller(app_id)
    digest = app.crypto("digest", algorithm="SHA-256", data=b64("成绩单")).json()["items"][0]["data"]
    assert app.crypto("timestamp", algorithm="SHA-256", data=b64("short")).status_code == 400
    answer = app.crypto("timestamp", algorithm="SHA-256", data=digest)
    assert answer.status_code == 200, answer.content
    token = base64.b64decode(answer.json()["items"][0]["data"])
    assert base64.b64decode(digest) in token
    assert token[:1] == b"\x30"
