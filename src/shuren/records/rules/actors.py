"""Agents and groups: whether they are well formed, and the one identifier by which each is known."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from shuren.records.rules.faults import MalformedStatement
from shuren.records.rules.values import is_iri

_IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
_AGENT = frozenset({"objectType", "name", *_IDENTIFIERS})
_GROUP = _AGENT | {"member"}
_MBOX = re.compile(r"mailto:[^\s@<>\"(),:;\\\[\]]+@[^\s@<>\"(),:;\\\[\]]+")
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
# What cannot be kept as text: a NUL, half of a surrogate pair.
_UNFIT = re.compile(r"[\x00\ud800-\udfff]")
_ACCOUNT = {"homePage", "name"}


def is_group(data: Mapping[str, Any]) -> bool:
    return data.get("objectType") == "Group"


def is_anonymous(data: Mapping[str, Any]) -> bool:
    """Whether this is a group that only its members make."""
    return data.keys().isdisjoint(_IDENTIFIERS)


def check_actor(data: object, *, version: str, where: str) -> None:
    """Raise `MalformedStatement` unless this is an Agent or a Group (1.0.3 Data 2.4.2)."""
    if type(data) is not dict:
        raise MalformedStatement("is not an object", where)
    kind = data.get("objectType", "Agent")
    if kind == "Agent":
        _check_properties(data, _AGENT, where)
        if not _check_identifiers(data, where):
            raise MalformedStatement(f"needs exactly one of {', '.join(_IDENTIFIERS)}", where)
    elif kind == "Group":
        _check_properties(data, _GROUP, where)
        _check_members(data, version=version, where=where, is_anonymous=not _check_identifiers(data, where))
    else:
        raise MalformedStatement("is neither Agent nor Group", f"{where}.objectType")


def check_agent(data: object, *, version: str, where: str) -> None:
    """As `check_actor`, of an Agent alone."""
    check_actor(data, version=version, where=where)
    if is_group(data):  # type: ignore[arg-type]  # an object, as just checked
        raise MalformedStatement("is a Group", where)


def check_group(data: object, *, version: str, where: str) -> None:
    """As `check_actor`, of a Group alone, which says that it is one."""
    check_actor(data, version=version, where=where)
    if not is_group(data):  # type: ignore[arg-type]  # an object, as just checked
        raise MalformedStatement("is not a Group", where)


def actor_key(data: Mapping[str, Any]) -> str:
    """Canonical text of the identifier; of an anonymous group, of all its members."""
    for name in ("mbox", "mbox_sha1sum", "openid"):
        if name in data:
            return f"{name}|{data[name].lower() if name == 'mbox_sha1sum' else data[name]}"
    if "account" in data:
        return f"account|{data['account']['homePage']}|{data['account']['name']}"
    return f"group|{json.dumps(sorted(actor_key(member) for member in data.get('member', ())), ensure_ascii=False)}"


def keys_within(data: Mapping[str, Any]) -> Iterator[str]:
    """The keys of an agent, or of a group and all its members."""
    yield actor_key(data)
    for member in data.get("member", ()):
        yield actor_key(member)


def _check_properties(data: dict[str, Any], known: frozenset[str], where: str) -> None:
    if not data.keys() <= known:
        raise MalformedStatement("is not known here", f"{where}.{min(data.keys() - known)}")
    if "name" in data and not _is_text(data["name"]):
        raise MalformedStatement("is not text", f"{where}.name")


def _check_members(data: dict[str, Any], *, version: str, where: str, is_anonymous: bool) -> None:
    if "member" not in data and not is_anonymous:
        return
    members = data.get("member")
    if type(members) is not list or (is_anonymous and not members):
        raise MalformedStatement("is not a list of agents", f"{where}.member")
    for number, member in enumerate(members):
        check_agent(member, version=version, where=f"{where}.member[{number}]")


def _check_identifiers(data: dict[str, Any], where: str) -> int:
    """How many identifiers there are; raises where there is more than one, or one that is not well formed."""
    count = 0
    if "account" in data:
        _check_account(data["account"], f"{where}.account")
        count += 1
    if "mbox" in data:
        _check_pattern(data["mbox"], _MBOX, f"{where}.mbox")
        count += 1
    if "mbox_sha1sum" in data:
        _check_pattern(data["mbox_sha1sum"], _SHA1, f"{where}.mbox_sha1sum")
        count += 1
    if "openid" in data:
        if type(data["openid"]) is not str or not is_iri(data["openid"]):
            raise MalformedStatement("is not a URI", f"{where}.openid")
        count += 1
    if count > 1:
        raise MalformedStatement(f"has more than one of {', '.join(_IDENTIFIERS)}", where)
    return count


def _check_account(value: object, where: str) -> None:
    if type(value) is not dict or value.keys() != _ACCOUNT:
        raise MalformedStatement("needs homePage and name, and nothing else", where)
    if type(value["homePage"]) is not str or not is_iri(value["homePage"]):
        raise MalformedStatement("is not an IRL", f"{where}.homePage")
    if not _is_text(value["name"]) or not value["name"]:
        raise MalformedStatement("is not text", f"{where}.name")


def _check_pattern(value: object, pattern: re.Pattern[str], where: str) -> None:
    if type(value) is not str or not pattern.fullmatch(value):
        raise MalformedStatement("is not well formed", where)


def _is_text(value: object) -> bool:
    return type(value) is str and not _UNFIT.search(value)
