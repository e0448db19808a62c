"""How a request of xAPI is read before anybody asks what it wants: version, parameters, the form that stands for a request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from shuren.kernel.errors import Invalid

OLD, NEW = "1.0.3", "2.0.0"
# Every version that is taken, the newest first, for /about.
VERSIONS = (NEW, OLD, "1.0.2", "1.0.1", "1.0.0")
_OLD = re.compile(r"1\.0(?:\.\d{1,4})?")
_NEW = re.compile(r"2\.0(?:\.\d{1,4})?")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x1f\ud800-\udfff]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MAX_PARAMETERS = 40
FORM_TYPE = "application/x-www-form-urlencoded"
# Fields of a form that stand for headers (1.0.3 Communication 1.3).
_FORM_HEADERS = frozenset(
    {
        *("authorization", "x-experience-api-version", "content-type", "content-length", "if-match", "if-none-match"),
        *("accept", "accept-language", "accept-encoding"),
    }
)
# What these say of a request in a form is said of the form, not of the content in it.
_OF_THE_FORM = frozenset({"content-type", "content-length"})
_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request as it was meant: header names in lower case, parameters each once."""

    method: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


def version_of(header: str | None) -> str | None:
    """The version to answer in: `1.0.3` for all of 1.0.x, `2.0.0` for 2.0.x; None without a header.

    Raises `Invalid` for any other version (1.0.3 Communication 3.3).
    """
    if header is None:
        return None
    if _OLD.fullmatch(header):
        return OLD
    if _NEW.fullmatch(header):
        return NEW
    raise Invalid(f"X-Experience-API-Version: this version is not known; one of {', '.join(VERSIONS)}.")


def parameters(query: str) -> dict[str, str]:
    """Parameters by name; raises `Invalid` where one stands twice or is no UTF-8 text."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise Invalid("The parameters cannot be read.") from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Invalid("A parameter stands twice.")
    if any("\x00" in text for pair in pairs for text in pair):
        raise Invalid("A parameter holds a NUL.")
    return found


def read_form(message: Message) -> Message:
    """The request that a POST with `?method=` stands for (1.0.3 Communication 1.3); raises `Invalid` unless it is whole.

    Fields that stand for headers are the headers, whatever the request itself brings under those names (1.3.s3.b7).
    """
    method = message.params.get("method", "")
    if method not in _METHODS or set(message.params) != {"method"}:
        raise Invalid("method must be GET, HEAD, PUT, POST or DELETE, and the only parameter of the address.")
    if message.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise Invalid(f"A request in a form is of type {FORM_TYPE}.")
    try:
        fields = parameters(message.body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Invalid("The form is not UTF-8.") from None
    content = fields.pop("content", None)
    if (content is None) == (method in ("PUT", "POST")):
        raise Invalid("PUT and POST carry their body in the field content, other methods carry none.")
    told = {name.lower(): value for name, value in fields.items() if name.lower() in _FORM_HEADERS}
    own = {name: value for name, value in message.headers.items() if name not in _OF_THE_FORM}
    return Message(
        method=method,
        params={name: value for name, value in fields.items() if name.lower() not in _FORM_HEADERS},
        headers={"content-type": "application/json", **own, **told},
        body=(content or "").encode(),
    )


def check_names(params: Mapping[str, str], *, required: frozenset[str], optional: frozenset[str]) -> None:
    """Raise `Invalid` for a parameter that is not known here, in this case, or that is missing."""
    strange = sorted(set(params) - required - optional)
    if strange:
        raise Invalid(f"Unknown parameter: {strange[0][:60]}.")
    missing = sorted(required - set(params))
    if missing:
        raise Invalid(f"Missing parameter: {', '.join(missing)}.")


def iri(text: str, where: str) -> str:
    if not _IRI.fullmatch(text):
        raise Invalid(f"{where} is not an IRI with a scheme.")
    return text


def registration(text: str) -> str:
    if not _UUID.fullmatch(text):
        raise Invalid("registration is not a UUID.")
    return text.lower()


def moment(text: str, where: str) -> datetime:
    """An RFC 3339 timestamp with its zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or "T" not in text.upper():
        raise Invalid(f"{where} is not a timestamp with a time zone.")
    return found
