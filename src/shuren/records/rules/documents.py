"""What documents of learning are told apart by, and how two JSON documents become one."""

import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha1, sha256
from typing import Any

from shuren.kernel.errors import Invalid

JSON_TYPE = "application/json"


class DocumentKind(StrEnum):
    STATE = "state"
    ACTIVITY_PROFILE = "activity"
    AGENT_PROFILE = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where documents lie: of an activity, an agent or both, in the space of a client.

    Clients of the house share the space without a name; each app of others has one of its own. `agent` is the key of
    the agent's identifier, `registration` a UUID, or empty.
    """

    kind: DocumentKind
    space: str
    activity: str = ""
    agent: str = ""
    registration: str = ""
    person_id: int | None = None

    @property
    def shelf(self) -> str:
        """One digest for all documents of the same space, activity and agent, whatever their registration."""
        return _digest(self.kind, self.space, self.activity, self.agent)

    def key(self, document_id: str) -> str:
        return _digest(self.kind, self.space, self.activity, self.agent, self.registration, document_id)


def etag_of(content: bytes) -> str:
    """The hexadecimal SHA-1 of a document, as 1.0.x fixes it (Communication 3.1); no secret hangs on it."""
    return sha1(content, usedforsecurity=False).hexdigest()


def media_type(content_type: str) -> str:
    """The type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def merged(old: bytes, old_type: str, new: bytes, new_type: str) -> bytes:
    """`new` laid over `old`, one level deep (Communication 2.2); raises `Invalid` unless both are JSON objects."""
    if media_type(old_type) != JSON_TYPE or media_type(new_type) != JSON_TYPE:
        raise Invalid("Only documents of type application/json are merged; use PUT to replace the one that is kept.")
    laid = json_object(old, "the document that is kept") | json_object(new, "the document that was sent")
    try:
        return json.dumps(laid, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    except RecursionError:
        raise Invalid("The documents are nested too deep to be merged.") from None


def check_sent(content: bytes, content_type: str) -> None:
    """Raise `Invalid` where a document that may be merged later says that it is JSON, and is not (Communication 2.2)."""
    if media_type(content_type) == JSON_TYPE:
        _read(content, "the document that was sent")


def json_object(content: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `content`; raises `Invalid` for anything else."""
    found = _read(content, what)
    if not isinstance(found, dict):
        raise Invalid(f"{what} is not a JSON object.")
    return found


def _read(content: bytes, what: str) -> object:
    try:
        return json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Invalid(f"{what} is not JSON.") from None


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _digest(*parts: str) -> str:
    """Each part stands behind its length, so that no two lists of parts run together to the same text."""
    return sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()
