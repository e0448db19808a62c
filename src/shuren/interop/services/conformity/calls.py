"""One call of the test with its excerpts, and the cookies a browser would keep."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shuren.kernel import outward

_EXCERPT = 600
_COOKIE = re.compile(r"(?:^|,\s*)([\w!#$%&'*.^`|~+-]+)=([^;,]*)")
_SECRET = re.compile(r"(?i)\b(code|state|nonce|token|secret|signature|authorization)(=|: ?)[^&\s]+")


@dataclass(slots=True)
class Browser:
    """Calls addresses one after the other and keeps their cookies, as one browser would."""

    cookies: dict[str, str] = field(default_factory=dict)
    request: str = ""
    response: str = ""

    def call(
        self, url: str, *, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> outward.Answer | None:
        """The answer, or None where nobody answered; `request` and `response` then say what was sent and what came back."""
        sent = dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.request = self._request_text(method, url, sent, body)
        try:
            answer = outward.call(url, method=method, body=body, headers=sent)
        except (outward.OutwardRefused, outward.OutwardFailed) as fault:
            self.response = str(fault)
            return None
        self._keep_cookies(answer)
        self.response = self._response_text(answer)
        return answer

    def _keep_cookies(self, answer: outward.Answer) -> None:
        text = header(answer, "set-cookie")
        for name, value in _COOKIE.findall(text):
            self.cookies[name] = value

    def _request_text(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> str:
        lines = [f"{method} {url}", *(f"{name}: {value}" for name, value in headers.items() if name != "Cookie")]
        if body:
            lines += ["", body.decode("utf-8", "replace")]
        return "\n".join(lines)[:_EXCERPT]

    def _response_text(self, answer: outward.Answer) -> str:
        shown = {"content-type", "location", "cache-control"}
        lines = [str(answer.status)]
        lines += [f"{name}: {value}" for name, value in answer.headers.items() if name.lower() in shown]
        text = re.sub(r"\s+", " ", answer.body[:_EXCERPT].decode("utf-8", "replace"))
        return "\n".join([*lines, "", _SECRET.sub(r"\1\2…", text)]).strip()[:_EXCERPT]


def header(answer: outward.Answer, name: str) -> str:
    return next((value for key, value in answer.headers.items() if key.lower() == name), "")
