"""What a client may ask the store of statements, read from its parameters (1.0.3 Communication 2.1.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from shuren.kernel.errors import Invalid
from shuren.records.rules.actors import actor_key, check_actor, is_anonymous
from shuren.records.rules.facts import ACTIVITY, AGENT, NEAR_AGENT, RELATED_ACTIVITY, RELATED_AGENT, VERB, digest_of
from shuren.records.rules.values import is_iri, is_uuid, moment_of

MOST = 500
FILTERS = frozenset(
    {
        *("agent", "verb", "activity", "registration", "related_activities", "related_agents"),
        *("since", "until", "limit", "ascending"),
    }
)
SHAPES = frozenset({"format", "attachments"})
_NUMBER = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementQuery:
    """Filters as digests; `agents` and `activities` are the ways in which a statement may meet one filter.

    A way is a column with its value, or `mention` with the digest of a mention. `own` is the digest of the authority
    beyond whose statements nothing is read, `person_id` the person beyond whose own.
    """

    agents: tuple[tuple[str, str], ...] = ()
    activities: tuple[tuple[str, str], ...] = ()
    verb: str = ""
    registration: str = ""
    since: datetime | None = None
    until: datetime | None = None
    is_ascending: bool = False
    limit: int = MOST
    own: str = ""
    person_id: int | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether it asks for more than a time: only then statements about statements come along by those."""
        return bool(self.agents or self.activities or self.verb or self.registration)


@dataclass(frozen=True, slots=True)
class Shaping:
    """In which form statements are handed out, and whether with their files."""

    format: str
    has_attachments: bool


def read_query(params: Mapping[str, str], *, version: str) -> StatementQuery:
    """Raises `Invalid` for a value that is not what the parameter takes."""
    near_only = not _flag(params, "related_agents")
    limit = params.get("limit", "0")
    if not _NUMBER.fullmatch(limit):
        raise Invalid("limit is not a number from 0.")
    return StatementQuery(
        agents=_agents(params["agent"], version=version, near_only=near_only) if "agent" in params else (),
        activities=_activities(params) if "activity" in params else (),
        verb=digest_of(VERB, _iri(params, "verb")) if "verb" in params else "",
        registration=_uuid(params, "registration"),
        since=_moment(params, "since"),
        until=_moment(params, "until"),
        is_ascending=_flag(params, "ascending"),
        limit=min(int(limit) or MOST, MOST),
    )


def read_shaping(params: Mapping[str, str]) -> Shaping:
    wanted = params.get("format", "exact")
    if wanted not in ("exact", "ids", "canonical"):
        raise Invalid("format is exact, ids or canonical.")
    return Shaping(wanted, _flag(params, "attachments"))


def wanted_id(params: Mapping[str, str]) -> tuple[str, bool] | None:
    """The one statement asked for, and whether as a voided one; raises `Invalid` where anything else is asked beside."""
    named = [name for name in ("statementId", "voidedStatementId") if name in params]
    if not named:
        return None
    if len(named) > 1 or not params.keys() <= {*named, *SHAPES}:
        raise Invalid(f"Beside {named[0]} only format and attachments may be asked.")
    return _uuid(params, named[0]), named[0] == "voidedStatementId"


def _agents(text: str, *, version: str, near_only: bool) -> tuple[tuple[str, str], ...]:
    try:
        agent: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Invalid("agent is not JSON.") from None
    check_actor(agent, version=version, where="agent")
    if is_anonymous(agent):
        raise Invalid("agent is a group without an identifier.")
    key = actor_key(agent)
    near = (("actor", digest_of(AGENT, key)), ("mention", digest_of(NEAR_AGENT, key)))
    if near_only:
        return near
    return (*near, ("authority", digest_of(AGENT, key)), ("mention", digest_of(RELATED_AGENT, key)))


def _activities(params: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    iri = _iri(params, "activity")
    itself = ("activity", digest_of(ACTIVITY, iri))
    return (itself, ("mention", digest_of(RELATED_ACTIVITY, iri))) if _flag(params, "related_activities") else (itself,)


def _flag(params: Mapping[str, str], name: str) -> bool:
    value = params.get(name, "false")
    if value not in ("true", "false"):
        raise Invalid(f"{name} is true or false.")
    return value == "true"


def _iri(params: Mapping[str, str], name: str) -> str:
    if not is_iri(params[name]):
        raise Invalid(f"{name} is not an IRI with a scheme.")
    return params[name]


def _uuid(params: Mapping[str, str], name: str) -> str:
    value = params.get(name)
    if value is None:
        return ""
    if not is_uuid(value):
        raise Invalid(f"{name} is not a UUID.")
    return value.lower()


def _moment(params: Mapping[str, str], name: str) -> datetime | None:
    if name not in params:
        return None
    found = moment_of(params[name], version="1.0.3")
    if found is None:
        raise Invalid(f"{name} is not a timestamp.")
    return found
