"""The other side of a source: a token by client credentials, and its collections page by page."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode

from shuren.interop.data import Resource
from shuren.interop.models import RosterSource
from shuren.kernel import outward
from shuren.trust.api import unseal

SEALED_FOR = "interop.roster_source"
PAGE = 5_000
MAX_BYTES = 32 * 2**20
SECONDS = 120.0
# Clocks of the two sides may differ, and what is written while we read may be dated before it can be seen.
OVERLAP = timedelta(minutes=10)
_TOKEN_BYTES = 64 * 1024
_LONGEST_WAIT = 6 * 3600
_EARLY = timedelta(seconds=30)
_SHOWN = 200


class Later(Exception):
    """The other side cannot answer now; it may be asked again after `seconds` (None: as we see fit)."""

    def __init__(self, code: str, detail: str = "", seconds: int | None = None) -> None:
        super().__init__(code)
        self.code, self.detail, self.seconds = code, detail, seconds


class Broken(Exception):
    """What the other side answers cannot be used, and asking again will not mend it."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail[:_SHOWN]


@dataclass(frozen=True, slots=True)
class RemotePage:
    """Objects of a collection; `total` over all pages and `has_next` only where the other side says so."""

    objects: list[object]
    total: int | None
    has_next: bool | None
    answered_at: datetime | None


@dataclass(slots=True)
class Remote:
    """One conversation with the other side: its token is kept while it lasts, and asked for again when it is refused."""

    source: RosterSource
    now: datetime
    _token: str = ""
    _until: datetime | None = None

    def page(self, resource: Resource, *, offset: int, since: datetime | None) -> RemotePage:
        """One page in the order of ids, or of what changed since; raises `Later` or `Broken`."""
        asked: dict[str, object] = {"limit": PAGE, "offset": offset, "sort": "sourcedId", "orderBy": "asc"}
        if since is not None:
            moment = (since - OVERLAP).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            asked["filter"] = f"dateLastModified>='{moment}'"
        answer = self._asked(f"{self.source.address}/{resource.value}?{urlencode(asked, quote_via=quote)}")
        sent = outward.json_of(answer)
        objects = sent.get(resource.value) if isinstance(sent, dict) else None
        if not isinstance(objects, list):
            raise Broken("not_a_page", answer.body[:_SHOWN].decode("utf-8", "replace"))
        return RemotePage(objects, _total(answer), _has_next(answer), _date(answer.headers))

    def _asked(self, url: str) -> outward.Answer:
        answer = self._call(url, headers=self._bearer())
        if answer.status == 401:
            self._token = ""
            answer = self._call(url, headers=self._bearer())
        if answer.status != 200:
            raise Broken(f"status_{answer.status}", _said(answer))
        return answer

    def _bearer(self) -> dict[str, str]:
        if not self._token or (self._until is not None and self.now >= self._until):
            self._fetch_token()
        return {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}

    def _fetch_token(self) -> None:
        source = self.source
        secret = unseal(bytes(source.secret_sealed), purpose=SEALED_FOR).decode()
        # RFC 6749 2.3.1: both parts are form-encoded before they are joined.
        pair = f"{quote(source.client_id, safe='')}:{quote(secret, safe='')}".encode()
        body = {"grant_type": "client_credentials", **({"scope": source.scope} if source.scope else {})}
        headers = {
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        answer = self._call(source.token_address, method="POST", body=urlencode(body).encode(), headers=headers)
        sent = outward.json_of(answer)
        token = sent.get("access_token") if isinstance(sent, dict) else None
        if answer.status != 200 or not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise Broken("no_token", f"{answer.status} {_said(answer)}")
        lasts = sent.get("expires_in")
        self._token = token
        self._until = self.now + timedelta(seconds=lasts) - _EARLY if isinstance(lasts, int) and 0 < lasts < 10**8 else None

    def _call(self, url: str, *, headers: Mapping[str, str], method: str = "GET", body: bytes | None = None) -> outward.Answer:
        longest = MAX_BYTES if method == "GET" else _TOKEN_BYTES
        try:
            answer = outward.call(url, method=method, body=body, headers=headers, max_bytes=longest, seconds=SECONDS)
        except outward.OutwardRefused as fault:
            raise Broken("address", str(fault)) from fault
        except outward.OutwardFailed as fault:
            if str(fault) == "TooLong":
                raise Broken("too_long") from fault
            raise Later("silent", str(fault)) from fault
        if answer.status == 429 or answer.status >= 500:
            raise Later(f"status_{answer.status}", _said(answer), _retry_after(answer.headers, self.now))
        return answer


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _total(answer: outward.Answer) -> int | None:
    text = _header(answer.headers, "x-total-count").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def _has_next(answer: outward.Answer) -> bool | None:
    text = _header(answer.headers, "link")
    return 'rel="next"' in text.replace("'", '"') if text else None


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(_header(headers, "date")).astimezone(UTC)
    except (TypeError, ValueError):
        return None


def _retry_after(headers: Mapping[str, str], now: datetime) -> int | None:
    text = _header(headers, "retry-after").strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), _LONGEST_WAIT)
    try:
        return min(max(1, int((parsedate_to_datetime(text) - now).total_seconds())), _LONGEST_WAIT) if text else None
    except (TypeError, ValueError):
        return None


def _said(answer: outward.Answer) -> str:
    """What an error says of itself, in the words of the standard where it uses them."""
    sent = outward.json_of(answer)
    if isinstance(sent, dict):
        for name in ("imsx_description", "error_description", "error"):
            if isinstance(sent.get(name), str):
                return str(sent[name])[:_SHOWN]
    return answer.body[:_SHOWN].decode("utf-8", "replace")
