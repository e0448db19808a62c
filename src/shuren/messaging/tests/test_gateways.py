"""What vendors are told, read by a server that checks it as their documentation says."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from django.conf import LazySettings

from shuren.messaging.api import GatewayFailed, outbox, send, send_many
from shuren.messaging.data import Channel, Letter, OutboxState
from shuren.messaging.models import OutboxMessage
from shuren.messaging.rules import masked_address, masked_text
from shuren.messaging.services.gateways import deliver_letter
from shuren.messaging.services.outbox import letter_in, sweep_outbox
from shuren.work.api import run_pending

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 12, 1, 0, tzinfo=UTC)
SECRET = "geheim"


class Vendors(BaseHTTPRequestHandler):
    """WeCom, DingTalk, WeChat and Alibaba Cloud SMS in one, each refusing what is not as documented."""

    asked: list[tuple[str, Any]] = []

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(json.loads(body) if body else None)

    def log_message(self, *words: object) -> None:
        pass

    def _answer(self, body: Any) -> None:
        parts = urlsplit(self.path)
        words = dict(parse_qsl(parts.query))
        Vendors.asked.append((parts.path, body or words))
        told = self._told(parts.path, words, body or {})
        text = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _told(self, path: str, words: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        is_wecom_token = words.get("access_token") == "wt"
        match path:
            case "/":
                return {"Code": "OK", "BizId": "biz"} if self._is_signed(words) else {"Code": "SignatureDoesNotMatch"}
            case "/cgi-bin/gettoken":
                right = words == {"corpid": "ww1", "corpsecret": SECRET}
                return {"errcode": 0, "access_token": "wt"} if right else {"errcode": 40001}
            case "/cgi-bin/message/send":
                right = is_wecom_token and body["msgtype"] == "text" and body["agentid"] == 7
                return {"errcode": 0, "msgid": "w1"} if right else {"errcode": 60011}
            case "/cgi-bin/auth/getuserinfo":
                return {"errcode": 0, "userid": "zhang"} if is_wecom_token and words["code"] == "c1" else {"errcode": 40029}
            case "/v1.0/oauth2/accessToken":
                right = body == {"appKey": "dk", "appSecret": SECRET}
                return {"accessToken": "dt", "expireIn": 7200} if right else {"errcode": 1}
            case "/topapi/message/corpconversation/asyncsend_v2":
                right = words["access_token"] == "dt" and body["msg"]["msgtype"] == "text"
                return {"errcode": 0, "task_id": 9} if right else {"errcode": 88}
            case "/v1.0/oauth2/userAccessToken":
                right = (body["code"], body["grantType"], body["clientSecret"]) == ("c1", "authorization_code", SECRET)
                return {"accessToken": "ut"} if right else {"errcode": 1}
            case "/v1.0/contact/users/me":
                return {"unionId": "u1"} if self.headers["x-acs-dingtalk-access-token"] == "ut" else {"errcode": 1}
            case "/cgi-bin/token":
                return {"access_token": "xt"} if words["secret"] == SECRET else {"errcode": 40125}
            case "/cgi-bin/message/template/send":
                right = words["access_token"] == "xt" and body["data"]["code"]["value"] == "123456"
                return {"errcode": 0, "msgid": 5} if right else {"errcode": 40037}
            case "/sns/oauth2/access_token":
                right = words["code"] == "c1" and words["secret"] == SECRET
                return {"access_token": "a", "openid": "o", "unionid": "un"} if right else {"errcode": 40029}
        return {"errcode": 404}

    def _is_signed(self, words: dict[str, str]) -> bool:
        """ACS3-HMAC-SHA256, computed from what arrived on the wire."""
        scheme, _space, rest = self.headers["Authorization"].partition(" ")
        told = dict(part.split("=", 1) for part in rest.split(","))
        names = told["SignedHeaders"].split(";")
        query = "&".join(f"{quote(key, safe='-_.~')}={quote(words[key], safe='-_.~')}" for key in sorted(words))
        lines = "".join(f"{name}:{self.headers[name].strip()}\n" for name in names)
        request = f"POST\n/\n{query}\n{lines}\n{told['SignedHeaders']}\n{self.headers['x-acs-content-sha256']}"
        digest = hashlib.sha256(request.encode()).hexdigest()
        wanted = hmac.new(SECRET.encode(), f"ACS3-HMAC-SHA256\n{digest}".encode(), hashlib.sha256).hexdigest()
        is_right = (scheme, told["Credential"], told["Signature"]) == ("ACS3-HMAC-SHA256", "id1", wanted)
        return is_right and {"host", "x-acs-action", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"} <= set(names)


@pytest.fixture
def vendors(tmp_path: Path, settings: LazySettings) -> Iterator[str]:
    Vendors.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendors)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    common = f'url = "{url}"\nsecret = "{SECRET}"\nsign_in_url = "https://vendor.example"\n'
    file = tmp_path / "gateways.toml"
    file.write_text(
        f'[sms]\n{common}key_id = "id1"\nsign_name = "树人"\ntemplate = "SMS_1"\n'
        f'[wecom]\n{common}corp_id = "ww1"\nagent_id = "7"\n'
        f'[dingtalk]\n{common}old_url = "{url}"\napp_key = "dk"\nagent_id = "8"\n'
        f'[wechat]\n{common}app_id = "wx1"\ntemplate = "T1"\n',
        encoding="utf-8",
    )
    settings.SHUREN_GATEWAYS_FILE = str(file)
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.0/8"]
    yield url
    server.shutdown()
    server.server_close()


LETTER = Letter("13800001234", "验证码 123456 & 100%", words=(("code", "123456"),))


@pytest.mark.parametrize(
    ("channel", "receipt"), [(Channel.SMS, "biz"), (Channel.WECOM, "w1"), (Channel.DINGTALK, "9"), (Channel.WECHAT, "5")]
)
def test_every_vendor_takes_the_letter(vendors: str, channel: Channel, receipt: str) -> None:
    assert deliver_letter(channel, LETTER, now=NOW) == receipt


def test_what_the_sms_gateway_is_told(vendors: str) -> None:
    deliver_letter(Channel.SMS, LETTER, now=NOW)
    _path, words = Vendors.asked[-1]
    assert words == {
        "PhoneNumbers": "13800001234",
        "SignName": "树人",
        "TemplateCode": "SMS_1",
        "TemplateParam": '{"code": "123456"}',
    }


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WECOM, Channel.DINGTALK, Channel.WECHAT])
def test_a_wrong_secret_is_refused_and_told_without_it(
    vendors: str, channel: Channel, settings: LazySettings, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(Path(settings.SHUREN_GATEWAYS_FILE).read_text(encoding="utf-8").replace(SECRET, "falsch"), encoding="utf-8")
    settings.SHUREN_GATEWAYS_FILE = str(wrong)
    with pytest.raises(GatewayFailed) as refused:
        deliver_letter(channel, LETTER, now=NOW)
    assert "falsch" not in str(refused.value)


def test_a_private_address_is_not_called(vendors: str, settings: LazySettings) -> None:
    settings.SHUREN_PRIVATE_TARGETS = []
    with pytest.raises(GatewayFailed, match="not reached"):
        deliver_letter(Channel.WECOM, LETTER, now=NOW)
    assert Vendors.asked == []


def test_a_message_goes_once_and_is_forgotten(vendors: str) -> None:
    ids = {send(channel=Channel.WECOM, to="zhang", text="你好 123456", key="k", now=NOW) for _turn in range(3)}
    assert len(ids) == 1
    run_pending()
    row = OutboxMessage.objects.get()
    assert (row.state, row.receipt, row.body_sealed) == ("sent", "w1", None)
    assert [path for path, _body in Vendors.asked].count("/cgi-bin/message/send") == 1


def test_without_a_gateway_it_is_recorded(settings: LazySettings) -> None:
    send(channel=Channel.SMS, to="13800001234", text="您的验证码是 654321", key="k", now=NOW)
    row = OutboxMessage.objects.get()
    assert row.state == OutboxState.RECORDED
    assert letter_in(bytes(row.body_sealed or b"")).to == "13800001234"
    shown = outbox(state="recorded").rows[0]
    assert (shown.to, shown.text) == ("138****1234", "您的验证码是 ••••")
    assert b"654321" not in bytes(row.body_sealed or b"")
    assert outbox(channel="email").total == 0
    assert sweep_outbox(now=NOW + timedelta(days=31)) == 1


def test_many_letters_are_recorded_once_each(settings: LazySettings) -> None:
    settings.SHUREN_GATEWAYS_FILE = ""
    letters = {f"urge:{number}": Letter(f"1380000{number:04}", "请尽快填报。") for number in range(3)}
    assert send_many(channel=Channel.SMS, letters=letters, now=NOW) == 3
    assert send_many(channel=Channel.SMS, letters=letters | {"urge:9": Letter("13900000009", "请填报。")}, now=NOW) == 1
    rows = outbox().rows
    assert [row.state for row in rows] == [OutboxState.RECORDED] * 4
    assert {row.to for row in rows} >= {"138****0000", "139****0009"}


def test_many_letters_go_through_the_gateway(vendors: str) -> None:
    letters = {"urge:a": Letter("zhang", "请填报。"), "urge:b": Letter("zhang", "请填报。")}
    assert send_many(channel=Channel.WECOM, letters=letters, now=NOW) == 2
    run_pending()
    assert [row.state for row in outbox().rows] == [OutboxState.SENT] * 2


def test_three_failures_end_it(vendors: str, settings: LazySettings) -> None:
    settings.SHUREN_PRIVATE_TARGETS = []
    send(channel=Channel.WECOM, to="zhang", text="x", key="k", now=NOW)
    run_pending()
    assert OutboxMessage.objects.get().error.startswith("not reached")


@pytest.mark.parametrize(
    ("to", "masked"), [("13800001234", "138****1234"), ("zhang@example.org", "z***@example.org"), ("zh", "z***"), ("", "***")]
)
def test_addresses_are_masked(to: str, masked: str) -> None:
    assert masked_address(to) == masked


def test_codes_and_links_are_masked() -> None:
    assert masked_text("码 123456,见 https://a.example/x?token=abc 第 3 页") == "码 ••••,见 https://a.example/x?… 第 3 页"
