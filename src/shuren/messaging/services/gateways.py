"""The gateways to the outside, one class per channel; which exist stands in the file that `SHUREN_GATEWAYS_FILE` names.

Each speaks as its vendor's public documentation says. A gateway that is not configured does not exist: its messages
are only recorded.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from smtplib import SMTP, SMTP_SSL, SMTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

from shuren.kernel import outward
from shuren.messaging.data import Channel, Letter
from shuren.messaging.rules import acs3_headers
from shuren.messaging.selectors import gateway_settings

_SECONDS = 10


class GatewayFailed(Exception):
    """The gateway refused or did not answer; the text tells an administrator why and holds no secret."""


def deliver_letter(channel: Channel, letter: Letter, *, now: datetime) -> str:
    """Hand the letter to the channel's gateway; returns the vendor's receipt. Raises `GatewayFailed`."""
    facts = gateway_settings(channel.value)
    if facts is None:
        raise GatewayFailed("no gateway")
    try:
        return _DELIVER[channel](facts, letter, now)
    except (KeyError, TypeError, ValueError) as fault:
        raise GatewayFailed(f"unexpected answer: {type(fault).__name__}") from fault


def vendor_call(
    url: str, *, method: str = "GET", json_body: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Call a vendor's address and read its JSON; raises `GatewayFailed` on any other answer and on its error codes."""
    body = None if json_body is None else json.dumps(json_body, ensure_ascii=False).encode()
    sent = {"Content-Type": "application/json", **(headers or {})} if body is not None else dict(headers or {})
    try:
        answer = outward.call(url, method=method, body=body, headers=sent)
    except (outward.OutwardRefused, outward.OutwardFailed) as fault:
        raise GatewayFailed(f"not reached: {fault}") from fault
    try:
        told = json.loads(answer.body)
    except ValueError as fault:
        raise GatewayFailed(f"status {answer.status}, no JSON") from fault
    if answer.status >= 400 or not isinstance(told, dict) or told.get("errcode", 0) not in (0, "0"):
        code = told.get("errcode") or told.get("code") or told.get("Code") if isinstance(told, dict) else ""
        raise GatewayFailed(f"status {answer.status}, code {code}"[:200])
    return told


def wecom_token(facts: Mapping[str, str]) -> str:
    """A token of the WeCom app, by corp id and secret."""
    words = urlencode({"corpid": facts["corp_id"], "corpsecret": facts["secret"]})
    return str(vendor_call(f"{facts['url']}/cgi-bin/gettoken?{words}")["access_token"])


def _sms(facts: Mapping[str, str], letter: Letter, now: datetime) -> str:
    """Alibaba Cloud SendSms: the sign name and template are registered with the vendor, `words` fill the template."""
    query = {
        "PhoneNumbers": letter.to,
        "SignName": facts["sign_name"],
        "TemplateCode": facts["template"],
        "TemplateParam": json.dumps(dict(letter.words), ensure_ascii=False),
    }
    asked, headers = acs3_headers(
        host=urlsplit(facts["url"]).netloc,
        action="SendSms",
        version="2017-05-25",
        query=query,
        key_id=facts["key_id"],
        secret=facts["secret"],
        date=now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        nonce=secrets.token_hex(16),
    )
    headers.pop("host")
    told = vendor_call(f"{facts['url']}/?{asked}", method="POST", headers=headers)
    if told["Code"] != "OK":
        raise GatewayFailed(f"code {told['Code']}"[:200])
    return str(told.get("BizId", ""))


def _email(facts: Mapping[str, str], letter: Letter, now: datetime) -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = facts["from"], letter.to, letter.title or letter.text[:40]
    message["Date"] = now
    message["Message-ID"] = receipt = f"<{secrets.token_hex(16)}@{facts['from'].rpartition('@')[2].rstrip('>')}>"
    message.set_content(letter.text)
    parts = urlsplit(facts["url"])
    opened = SMTP_SSL if parts.scheme == "smtps" else SMTP
    try:
        with opened(parts.hostname or "", parts.port or (465 if parts.scheme == "smtps" else 25), timeout=_SECONDS) as smtp:
            if facts.get("starttls") == "1":
                smtp.starttls()
            if facts.get("user"):
                smtp.login(facts["user"], facts["secret"])
            smtp.send_message(message)
    except (SMTPException, OSError) as fault:
        raise GatewayFailed(type(fault).__name__) from fault
    return receipt


def _wecom(facts: Mapping[str, str], letter: Letter, now: datetime) -> str:
    body = {"touser": letter.to, "msgtype": "text", "agentid": int(facts["agent_id"]), "text": {"content": letter.text}}
    words = urlencode({"access_token": wecom_token(facts)})
    return str(vendor_call(f"{facts['url']}/cgi-bin/message/send?{words}", method="POST", json_body=body).get("msgid", ""))


def _dingtalk(facts: Mapping[str, str], letter: Letter, now: datetime) -> str:
    asked = {"appKey": facts["app_key"], "appSecret": facts["secret"]}
    token = vendor_call(f"{facts['url']}/v1.0/oauth2/accessToken", method="POST", json_body=asked)["accessToken"]
    body = {
        "agent_id": int(facts["agent_id"]),
        "userid_list": letter.to,
        "msg": {"msgtype": "text", "text": {"content": letter.text}},
    }
    url = f"{facts['old_url']}/topapi/message/corpconversation/asyncsend_v2?{urlencode({'access_token': token})}"
    return str(vendor_call(url, method="POST", json_body=body).get("task_id", ""))


def _wechat(facts: Mapping[str, str], letter: Letter, now: datetime) -> str:
    asked = urlencode({"grant_type": "client_credential", "appid": facts["app_id"], "secret": facts["secret"]})
    token = vendor_call(f"{facts['url']}/cgi-bin/token?{asked}")["access_token"]
    words = dict(letter.words) or {"content": letter.text}
    data = {name: {"value": value} for name, value in words.items()}
    body = {"touser": letter.to, "template_id": facts["template"], "data": data}
    url = f"{facts['url']}/cgi-bin/message/template/send?{urlencode({'access_token': token})}"
    return str(vendor_call(url, method="POST", json_body=body).get("msgid", ""))


_DELIVER: dict[Channel, Callable[[Mapping[str, str], Letter, datetime], str]] = {
    Channel.SMS: _sms,
    Channel.EMAIL: _email,
    Channel.WECOM: _wecom,
    Channel.DINGTALK: _dingtalk,
    Channel.WECHAT: _wechat,
}
