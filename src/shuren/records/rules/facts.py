"""What the store knows a statement by: digests of whom and what it speaks of, so that any identifier fits an index."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from shuren.records.rules.actors import actor_key, is_group, keys_within
from shuren.records.rules.statements import VOIDED

AGENT, VERB, ACTIVITY = "agent", "verb", "activity"
# Whom and what a statement also speaks of, beside its actor and its object.
NEAR_AGENT, RELATED_AGENT, RELATED_ACTIVITY = "near-agent", "related-agent", "related-activity"


@lru_cache(maxsize=100_000)
def digest_of(kind: str, text: str) -> str:
    """128 bits in hexadecimal of one identifier; of different kinds they never meet."""
    return blake2b(text.encode(), digest_size=16, person=kind.encode()).hexdigest()


VOIDED_VERB = digest_of(VERB, VOIDED)


@dataclass(frozen=True, slots=True)
class Facts:
    """Digests by which a statement is found; `mentions` are those of an index of their own, `reference` a UUID."""

    actor: str
    verb: str
    activity: str | None
    registration: str | None
    reference: str | None
    mentions: frozenset[str]


def facts_of(statement: Mapping[str, Any]) -> Facts:
    actor, target, context = statement["actor"], statement["object"], statement.get("context")
    kind = target.get("objectType", "Activity")
    mentions: set[str] = set()
    if is_group(actor):
        _add_agents(mentions, actor, NEAR_AGENT)
    if kind in ("Agent", "Group"):
        _add_agents(mentions, target, NEAR_AGENT)
    elif kind == "SubStatement":
        _add_inner(mentions, target)
    if context:
        _add_context(mentions, context)
    return Facts(
        actor=digest_of(AGENT, actor_key(actor)),
        verb=digest_of(VERB, statement["verb"]["id"]),
        activity=digest_of(ACTIVITY, target["id"]) if kind == "Activity" else None,
        registration=context["registration"].lower() if context and "registration" in context else None,
        reference=target["id"].lower() if kind == "StatementRef" else None,
        mentions=frozenset(mentions),
    )


def definitions_in(statement: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The definitions of activities that a statement tells, each with the IRI of its activity."""
    claims = [statement]
    if statement["object"].get("objectType") == "SubStatement":
        claims.append(statement["object"])
    for claim in claims:
        target = claim["object"]
        if "definition" in target:
            yield target["id"], target["definition"]
        for activities in claim.get("context", {}).get("contextActivities", {}).values():
            for activity in activities:
                if "definition" in activity:
                    yield activity["id"], activity["definition"]


def _add_agents(mentions: set[str], actor: Mapping[str, Any], kind: str) -> None:
    for key in keys_within(actor):
        mentions.add(digest_of(kind, key))


def _add_inner(mentions: set[str], inner: Mapping[str, Any]) -> None:
    """A SubStatement is found only by those who ask for related agents and activities."""
    _add_agents(mentions, inner["actor"], RELATED_AGENT)
    target = inner["object"]
    kind = target.get("objectType", "Activity")
    if kind in ("Agent", "Group"):
        _add_agents(mentions, target, RELATED_AGENT)
    elif kind == "Activity":
        mentions.add(digest_of(RELATED_ACTIVITY, target["id"]))
    if "context" in inner:
        _add_context(mentions, inner["context"])


def _add_context(mentions: set[str], context: Mapping[str, Any]) -> None:
    for activities in context.get("contextActivities", {}).values():
        for activity in activities if type(activities) is list else (activities,):
            mentions.add(digest_of(RELATED_ACTIVITY, activity["id"]))
    for name in ("instructor", "team"):
        if name in context:
            _add_agents(mentions, context[name], RELATED_AGENT)
    for related in context.get("contextAgents", ()):
        _add_agents(mentions, related["agent"], RELATED_AGENT)
    for related in context.get("contextGroups", ()):
        _add_agents(mentions, related["group"], RELATED_AGENT)
