"""Small values of statements: whether a text is an IRI, a language tag, a duration, a timestamp and so on."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from shuren.records.rules.faults import MalformedStatement

# RFC 3987, as far as a single text can be judged: a scheme, and no character that an IRI never has.
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x1f\ud800-\udfff]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
# RFC 5646 § 2.1: a regular tag, one of private use, or one of those registered before the grammar.
_LANGUAGE = re.compile(
    r"(?:(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?"
    r"|x(?:-[a-z0-9]{1,8})+"
    r"|en-gb-oed|i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)|sgn-(?:be-fr|be-nl|ch-de)"
    r"|art-lojban|cel-gaulish|no-bok|no-nyn|zh-(?:guoyu|hakka|min|min-nan|xiang))",
    re.IGNORECASE,
)
_PART = r"\d+(?:[.,]\d+)?"
# ISO 8601 § 4.4.3: only the smallest part that is named may have a fraction.
_DURATION = re.compile(
    rf"P(?:{_PART}W|(?=\d|T)(?:(?:\d+Y|{_PART}Y$))?(?:(?:\d+M|{_PART}M$))?(?:(?:\d+D|{_PART}D$))?"
    rf"(?:T(?=\d)(?:(?:\d+H|{_PART}H$))?(?:(?:\d+M|{_PART}M$))?(?:{_PART}S)?)?)"
)
# A space may stand for the T (RFC 3339 § 5.6).
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")
# Of "-00" it is not known which time it tells (RFC 3339 § 4.3): xAPI refuses it.
_UNKNOWN_OFFSET = re.compile(r"-00(?::?00)?$")
_SHA2 = re.compile(r"[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128}")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:\s*;\s*[\w!#$&^.+-]+=(?:[\w!#$&^.+:/-]+|\"[^\"]*\"))*\s*", re.ASCII)
_DEEPEST = 100
_OLD_VERSION = re.compile(r"1\.0(?:\.\d+)?")
_ANY_VERSION = re.compile(r"(?:1|2)\.0(?:\.\d+)?")

is_iri = _IRI.fullmatch
is_uuid = _UUID.fullmatch


def check_iri(value: object, where: str) -> None:
    if type(value) is not str or not is_iri(value):
        raise MalformedStatement("is not an IRI with a scheme", where)


def check_uuid(value: object, where: str) -> None:
    if type(value) is not str or not is_uuid(value):
        raise MalformedStatement("is not a UUID", where)


def uuid_of(text: str) -> UUID:
    return UUID(text)


def check_text(value: object, where: str) -> None:
    if type(value) is not str:
        raise MalformedStatement("is not text", where)


def check_flag(value: object, where: str) -> None:
    if type(value) is not bool:
        raise MalformedStatement("is neither true nor false", where)


def check_known(data: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    """Raise unless every property has a name that is known here, in this case."""
    if not data.keys() <= known:
        raise MalformedStatement("is not known here", f"{where}.{min(data.keys() - known)}".lstrip("."))


def check_object(value: object, where: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise MalformedStatement("is not an object", where)
    return value


def check_list(value: object, where: str) -> list[Any]:
    if type(value) is not list:
        raise MalformedStatement("is not a list", where)
    return value


def check_number(value: object, where: str) -> float:
    if type(value) is not int and type(value) is not float:
        raise MalformedStatement("is not a number", where)
    return value


@lru_cache(maxsize=1024)
def is_language(tag: str) -> bool:
    """Whether a tag has the form of RFC 5646, in which no extension begins twice with the same letter (§ 2.2.9)."""
    if len(tag) > 255 or not _LANGUAGE.fullmatch(tag):
        return False
    singletons = [part for part in tag.lower().partition("-x-")[0].split("-")[1:] if len(part) == 1]
    return len(set(singletons)) == len(singletons)


def check_language(value: object, where: str) -> None:
    if type(value) is not str or not is_language(value):
        raise MalformedStatement("is not a language tag (RFC 5646)", where)


def check_language_map(value: object, where: str) -> None:
    for tag, text in check_object(value, where).items():
        if not is_language(tag):
            raise MalformedStatement("is not a language tag (RFC 5646)", f"{where}.{tag}")
        if type(text) is not str:
            raise MalformedStatement("is not text", f"{where}.{tag}")


def check_extensions(value: object, where: str) -> None:
    """Keys are IRIs; what stands behind them, null included, is nobody's business, as long as it can be written again."""
    for key, told in check_object(value, where).items():
        if not is_iri(key):
            raise MalformedStatement("is not an IRI with a scheme", f"{where}.{key}")
        _check_depth(told, f"{where}.{key}", left=_DEEPEST)


def _check_depth(value: object, where: str, *, left: int) -> None:
    inner = value.values() if type(value) is dict else value if type(value) is list else ()
    if inner and not left:
        raise MalformedStatement(f"is nested deeper than {_DEEPEST}", where)
    for one in inner:
        _check_depth(one, where, left=left - 1)


def check_duration(value: object, where: str) -> None:
    if type(value) is not str or not _DURATION.fullmatch(value):
        raise MalformedStatement("is not a duration (ISO 8601)", where)


def check_timestamp(value: object, where: str, *, version: str) -> None:
    if type(value) is not str or moment_of(value, version=version) is None:
        wanted = "ISO 8601" if version.startswith("1.") else "RFC 3339"
        raise MalformedStatement(f"is not a timestamp ({wanted})", where)


def moment_of(text: str, *, version: str) -> datetime | None:
    """The moment that a timestamp tells, in UTC where it names no zone; None where it is none.

    1.0.x takes every form of ISO 8601 with a date and a time, 2.0 those of RFC 3339.
    """
    if version.startswith("1."):
        if ("T" not in text and "t" not in text and len(text) > 10) or not text.isascii() or _UNKNOWN_OFFSET.search(text, 10):
            return None
    elif not _RFC3339.fullmatch(text) or text.endswith("-00:00"):
        return None
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        return _leap_second(text)
    if found.tzinfo is None:
        return found.replace(tzinfo=UTC)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        return None


def moment_kept(text: str) -> datetime | None:
    """The same of a timestamp that passed when it came, by whichever version."""
    return moment_of(text, version="1.0.3") or moment_of(text, version="2.0.0")


def _leap_second(text: str) -> datetime | None:
    """RFC 3339 § 5.6 knows a second 60, Python does not: it is kept as the one before."""
    if not _RFC3339.fullmatch(text) or text[17:19] != "60":
        return None
    return moment_of(f"{text[:17]}59{text[19:]}", version="2.0.0")


def check_sha2(value: object, where: str) -> None:
    if type(value) is not str or not _SHA2.fullmatch(value):
        raise MalformedStatement("is not a SHA-2 digest in hexadecimal", where)


def check_media_type(value: object, where: str) -> None:
    if type(value) is not str or not _MEDIA_TYPE.fullmatch(value):
        raise MalformedStatement("is not a media type", where)


def check_version(value: object, where: str, *, version: str) -> None:
    """A statement names the version that it was written in: none newer than that of the request."""
    pattern = _OLD_VERSION if version.startswith("1.") else _ANY_VERSION
    if type(value) is not str or not pattern.fullmatch(value):
        raise MalformedStatement("names a version that is not taken here", where)
