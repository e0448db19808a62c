"""The steps of the test; each returns what it found, and none trusts what it calls."""

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import time
from urllib.parse import parse_qs, urlencode, urlsplit

from django.utils.translation import gettext as _

from shuren.interop.data import Entry, LaunchKind, StepResult
from shuren.interop.rules.signatures import TOLERANCE_SECONDS, headers_of
from shuren.interop.services.conformity.calls import Browser, header
from shuren.kernel import outward

_REDIRECTS = (301, 302, 303, 307)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is tested: an entry, the keys that sign its messages, its OAuth clients, and our own address."""

    entry: Entry
    keys: Sequence[bytes]
    client_ids: Sequence[str]
    issuer: str


def steps_of(subject: Subject) -> Iterator[StepResult]:
    """Every step that this kind of app must pass, in order."""
    yield _privacy(subject)
    if subject.entry.kind is LaunchKind.OIDC:
        yield from _sign_in(subject)
    elif subject.entry.kind is LaunchKind.LTI:
        yield from _lti(subject)
    else:
        yield _opens(subject)
    if subject.entry.logout_url:
        yield _logout(subject)
    if subject.entry.webhook_url:
        yield from _messages(subject)


def _result(key: str, browser: Browser, fault: str, *, good: str, remedy: str) -> StepResult:
    return StepResult(
        key=key,
        is_passed=not fault,
        message=fault or good,
        remedy=remedy if fault else "",
        request=browser.request,
        response=browser.response,
    )


def _unanswered() -> str:
    return _("没有人应答，或者网址不是公开的。")


def _privacy(subject: Subject) -> StepResult:
    browser = Browser()
    answer = browser.call(subject.entry.privacy_url)
    fault = ""
    if answer is None:
        fault = _unanswered()
    elif answer.status != 200 or len(answer.body) < 50:
        fault = _("隐私政策页没有内容，或者要登录才能看。")
    remedy = _("让任何人不登录也能打开这个网址，并看到全文。")
    return _result("privacy", browser, fault, good=_("隐私政策页可以打开。"), remedy=remedy)


def _opens(subject: Subject) -> StepResult:
    browser = Browser()
    answer = browser.call(subject.entry.launch_url)
    fault = ""
    if answer is None:
        fault = _unanswered()
    elif answer.status >= 500 or answer.status == 404:
        fault = _("打开应用的网址回答 %(status)d。") % {"status": answer.status}
    return _result("launch", browser, fault, good=_("应用可以打开。"), remedy=_("检查网址和服务是否正常。"))


def _sign_in(subject: Subject) -> Iterator[StepResult]:
    browser = Browser()
    mark = "&" if "?" in subject.entry.launch_url else "?"
    answer = browser.call(f"{subject.entry.launch_url}{mark}{urlencode({'iss': subject.issuer})}")
    asked = _asked(answer)
    fault = _unanswered() if answer is None else _authorize_fault(subject, answer, asked)
    remedy = _("收到 iss 后，请把浏览器转到我们的授权网址，带上 response_type=code、openid、state、nonce 和 PKCE（S256）。")
    yield _result("authorize", browser, fault, good=_("应用会发起登录，带了 state、nonce 和 PKCE。"), remedy=remedy)
    if fault:
        return
    callback = asked["redirect_uri"]
    mark = "&" if "?" in callback else "?"
    forged = {"code": secrets.token_urlsafe(16), "state": secrets.token_urlsafe(16), "iss": subject.issuer}
    yield _refuses(
        "state",
        browser,
        browser.call(f"{callback}{mark}{urlencode(forged)}"),
        good=_("state 对不上时应用会拒绝。"),
        remedy=_("请把 state 存在这个浏览器的会话里，对不上就回答 400。"),
    )
    refused = {"error": "access_denied", "state": asked["state"], "iss": subject.issuer}
    answer = browser.call(f"{callback}{mark}{urlencode(refused)}")
    fault = _unanswered() if answer is None else ""
    if answer is not None and answer.status >= 500:
        fault = _("用户拒绝登录时应用回答 %(status)d。") % {"status": answer.status}
    remedy = _("用户可以拒绝，请显示一句话，不要报错。")
    yield _result("refused_sign_in", browser, fault, good=_("用户拒绝登录时应用不会出错。"), remedy=remedy)


def _lti(subject: Subject) -> Iterator[StepResult]:
    """The tool's keys, and its answer to a login initiation (1EdTech Security Framework 1.0, 5.1.1)."""
    browser = Browser()
    answer = browser.call(subject.entry.jwks_uri)
    fault = _unanswered() if answer is None else "" if _holds_keys(answer) else _("这里没有公钥（JWKS）。")
    remedy = _("请回答 JSON，其中 keys 是签名用的公钥，不能含私钥。")
    yield _result("keys", browser, fault, good=_("可以取到应用的公钥。"), remedy=remedy)
    browser = Browser()
    hint, client_id = secrets.token_urlsafe(16), next(iter(subject.client_ids), "sandbox")
    sent = {
        "iss": subject.issuer,
        "login_hint": hint,
        "target_link_uri": next(iter(subject.entry.redirect_uris), ""),
        "lti_message_hint": "test",
        "client_id": client_id,
        "lti_deployment_id": "test",
    }
    mark = "&" if "?" in subject.entry.launch_url else "?"
    answer = browser.call(f"{subject.entry.launch_url}{mark}{urlencode(sent)}")
    fault = _unanswered() if answer is None else _lti_fault(subject, answer, _asked(answer), sent)
    remedy = _("收到登录请求后，请把浏览器转到我们的 /lti/authorize/，原样带回 login_hint 和 lti_message_hint。")
    yield _result("lti_login", browser, fault, good=_("应用会按 LTI 1.3 发起登录。"), remedy=remedy)


def _holds_keys(answer: outward.Answer) -> bool:
    found = outward.json_of(answer)
    keys = found.get("keys") if isinstance(found, dict) else None
    if answer.status != 200 or not isinstance(keys, list) or not keys:
        return False
    return all(isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and "d" not in key for key in keys)


def _lti_fault(subject: Subject, answer: outward.Answer, asked: dict[str, str], sent: dict[str, str]) -> str:
    if answer.status not in _REDIRECTS:
        return _("没有转到授权网址，而是回答 %(status)d。") % {"status": answer.status}
    if not header(answer, "location").startswith(f"{subject.issuer}/lti/authorize/?"):
        return _("转到了别的网站：%(host)s。") % {"host": urlsplit(header(answer, "location")).netloc[:80]}
    checks: tuple[tuple[bool, str], ...] = (
        *((asked.get(name) == sent[name], name) for name in ("client_id", "login_hint", "lti_message_hint")),
        (asked.get("redirect_uri", "") in subject.entry.redirect_uris, "redirect_uri"),
        (asked.get("response_type") == "id_token", "response_type"),
        (asked.get("response_mode") == "form_post", "response_mode"),
        (asked.get("prompt") == "none", "prompt"),
        ("openid" in asked.get("scope", "").split(), "scope"),
        (len(asked.get("state", "")) >= 8, "state"),
        (len(asked.get("nonce", "")) >= 8, "nonce"),
    )
    wrong = [name for is_good, name in checks if not is_good]
    return _("这些参数缺少或不对：%(names)s。") % {"names": ", ".join(wrong)} if wrong else ""


def _asked(answer: outward.Answer | None) -> dict[str, str]:
    if answer is None or answer.status not in _REDIRECTS:
        return {}
    query = parse_qs(urlsplit(header(answer, "location")).query)
    return {name: values[0] for name, values in query.items() if len(values) == 1}


def _authorize_fault(subject: Subject, answer: outward.Answer, asked: dict[str, str]) -> str:
    if answer.status not in _REDIRECTS:
        return _("没有转到授权网址，而是回答 %(status)d。") % {"status": answer.status}
    there, ours = urlsplit(header(answer, "location")), urlsplit(subject.issuer)
    if (there.scheme, there.netloc) != (ours.scheme, ours.netloc):
        return _("转到了别的网站：%(host)s。") % {"host": there.netloc[:80]}
    checks: tuple[tuple[bool, str], ...] = (
        (asked.get("response_type") == "code", "response_type"),
        (not subject.client_ids or asked.get("client_id", "") in subject.client_ids, "client_id"),
        (asked.get("redirect_uri", "") in subject.entry.redirect_uris, "redirect_uri"),
        ("openid" in asked.get("scope", "").split(), "scope"),
        (len(asked.get("state", "")) >= 8, "state"),
        (len(asked.get("nonce", "")) >= 8, "nonce"),
        (asked.get("code_challenge_method") == "S256" and len(asked.get("code_challenge", "")) == 43, "code_challenge"),
    )
    wrong = [name for is_good, name in checks if not is_good]
    return _("这些参数缺少或不对：%(names)s。") % {"names": ", ".join(wrong)} if wrong else ""


def _refuses(key: str, browser: Browser, answer: outward.Answer | None, *, good: str, remedy: str) -> StepResult:
    """A step that is passed by being refused with 4xx."""
    fault = ""
    if answer is None:
        fault = _unanswered()
    elif not 400 <= answer.status < 500:
        fault = _("应当拒绝（4xx），却回答 %(status)d。") % {"status": answer.status}
    return _result(key, browser, fault, good=good, remedy=remedy)


def _logout(subject: Subject) -> StepResult:
    browser = Browser()
    body = urlencode({"logout_token": "not.a.token"}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = browser.call(subject.entry.logout_url, method="POST", body=body, headers=form)
    remedy = _("请验证 logout_token 的签名，不对就回答 400（OpenID Back-Channel Logout）。")
    return _refuses("logout", browser, answer, good=_("假的退出通知会被拒绝。"), remedy=remedy)


def _messages(subject: Subject) -> Iterator[StepResult]:
    now = int(time())
    tries: tuple[tuple[str, Callable[[], Sequence[bytes]], int], ...] = (
        ("message", lambda: subject.keys, now),
        ("forged_message", lambda: [secrets.token_bytes(32)], now),
        ("old_message", lambda: subject.keys, now - 4 * TOLERANCE_SECONDS),
    )
    for key, keys, moment in tries:
        yield _message(subject, key, keys(), moment)


def _message(subject: Subject, key: str, keys: Sequence[bytes], moment: int) -> StepResult:
    browser = Browser()
    message_id = f"msg_{secrets.token_hex(16)}"
    body = json.dumps({"type": "ping", "timestamp": moment, "data": {}}).encode()
    headers = headers_of(keys, message_id=message_id, timestamp=moment, body=body) | {"Content-Type": "application/json"}
    answer = browser.call(subject.entry.webhook_url, method="POST", body=body, headers=headers)
    if key != "message":
        good = _("签名不对的消息会被拒绝。") if key == "forged_message" else _("过期的消息会被拒绝。")
        remedy = _("请按 Standard Webhooks 核对签名和时间（前后 5 分钟），不对就回答 400 或 401。")
        return _refuses(key, browser, answer, good=good, remedy=remedy)
    fault = ""
    if not subject.keys:
        fault = _("还没有签名密钥。")
    elif answer is None:
        fault = _unanswered()
    elif not 200 <= answer.status < 300:
        fault = _("签名正确的消息应当回答 2xx，却回答 %(status)d。") % {"status": answer.status}
    remedy = _("请先在“消息”页生成密钥，再用它核对签名；收到后尽快回答 200。")
    return _result(key, browser, fault, good=_("签名正确的消息会被收下。"), remedy=remedy)
