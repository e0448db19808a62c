"""A request with statements: read, checked as a whole, and made ready to be kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from uuid import uuid4

import orjson

from shuren.records.rules.facts import Facts, facts_of
from shuren.records.rules.faults import MalformedStatement
from shuren.records.rules.multipart import check_attached, is_mixed, split_statements
from shuren.records.rules.signatures import SIGNATURE, check_signature
from shuren.records.rules.statements import check_statement
from shuren.records.rules.values import moment_kept

MOST_STATEMENTS = 10_000


@dataclass(frozen=True, slots=True)
class Received:
    """Statements as they were sent, and files by their SHA-2."""

    statements: list[dict[str, Any]]
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Ready:
    """One statement that may be kept. `id` is in lower case; `digest` is that of the statement as it was sent."""

    statement: dict[str, Any]
    id: str
    digest: bytes
    timestamp: datetime | None
    facts: Facts


def read_request(body: bytes, content_type: str, *, version: str, is_single: bool) -> Received:
    """The statements and files of a request; raises `MalformedStatement` with the first fault of any of them."""
    files: dict[str, bytes] = {}
    if is_mixed(content_type):
        body, files = split_statements(body, content_type)
    elif content_type.partition(";")[0].strip().lower() != "application/json":
        raise MalformedStatement("is neither application/json nor multipart/mixed", "Content-Type")
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedStatement(f"is not JSON: {error}", "body") from None
    if isinstance(sent, dict):
        statements = [check_statement(sent, version=version)]
    elif isinstance(sent, list) and not is_single:
        if len(sent) > MOST_STATEMENTS:
            raise MalformedStatement(f"has more than {MOST_STATEMENTS} statements", "body")
        statements = [check_statement(one, version=version, where=f"[{number}]") for number, one in enumerate(sent)]
    else:
        raise MalformedStatement("is not a statement" if is_single else "is neither a statement nor a list of them", "body")
    _check_files(statements, files, version=version)
    return Received(statements, files)


def made_ready(received: Received, *, version: str) -> list[Ready]:
    """With an id each, and shaped as they are handed out; raises `MalformedStatement` where an id stands twice."""
    default = "1.0.0" if version.startswith("1.") else "2.0.0"
    found = [_ready(statement, default) for statement in received.statements]
    if len({one.id for one in found}) < len(found):
        raise MalformedStatement("stands twice in one request", "id")
    return found


def _ready(statement: dict[str, Any], default_version: str) -> Ready:
    digest = blake2b(orjson.dumps(statement), digest_size=16).digest()
    key = statement.get("id")
    if key is None:
        key = statement["id"] = str(uuid4())
    statement.setdefault("version", default_version)
    if "context" in statement:
        _list_activities(statement["context"])
    if statement["object"].get("objectType") == "SubStatement" and "context" in statement["object"]:
        _list_activities(statement["object"]["context"])
    told = statement.get("timestamp")
    moment = moment_kept(told) if told is not None else None
    if moment is not None and default_version == "2.0.0" and not _is_plain(str(told)):
        statement["timestamp"] = moment.isoformat().replace("+00:00", "Z")
    return Ready(statement, key.lower(), digest, moment, facts_of(statement))


def _is_plain(told: str) -> bool:
    """Whether a timestamp of 2.0 is in UTC already, in the one form in which those are handed out."""
    return told.endswith("Z") and told[10] == "T"


def _list_activities(context: dict[str, Any]) -> None:
    """A single activity is handed out as a list of one (1.0.3 Data 2.4.6.2)."""
    activities = context.get("contextActivities")
    if activities:
        for name, found in activities.items():
            if type(found) is dict:
                activities[name] = [found]


def stamp(one: Ready, *, stored: datetime, stored_text: str, authority: Mapping[str, Any]) -> tuple[datetime, bytes]:
    """What the service itself sets; returns the moment that the statement tells of, and the statement as it is kept."""
    statement = one.statement
    statement["stored"] = stored_text
    statement["authority"] = authority
    if one.timestamp is None:
        statement["timestamp"] = stored_text
    return one.timestamp or stored, orjson.dumps(statement)


def stored_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def attachments_in(statement: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The attachments of a statement and of a SubStatement in it."""
    found = list(statement.get("attachments", ()))
    if statement["object"].get("objectType") == "SubStatement":
        found += statement["object"].get("attachments", ())
    return found


def _check_files(statements: list[dict[str, Any]], files: dict[str, bytes], *, version: str) -> None:
    attached = [(one, attachment) for one in statements for attachment in attachments_in(one)]
    if not attached and not files:
        return
    check_attached((attachment for _one, attachment in attached), files)
    for statement, attachment in attached:
        if attachment["usageType"] == SIGNATURE:
            content = files.get(attachment["sha2"].lower())
            if content is None:
                raise MalformedStatement("does not come along", "signature")
            check_signature(statement, attachment, content, version=version)
