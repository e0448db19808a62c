"""How what several clients say of one activity becomes one definition."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

# Maps by language or by IRI: each entry is taken over by itself. Whatever else is told replaces what stood before.
_MAPS = ("name", "description", "extensions")
# An interaction is told as one: parts of an older question do not stand beside a newer one.
_INTERACTION = ("correctResponsesPattern", "choices", "scale", "source", "target", "steps")


def laid_over(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The definition after `new` was told of an activity of which `old` was known."""
    kept = {name: value for name, value in old.items() if "interactionType" not in new or name not in _INTERACTION}
    maps = {name: {**kept.get(name, {}), **new[name]} for name in _MAPS if name in new}
    return {**kept, **new, **maps}


def key_of(iri: str) -> str:
    return sha256(iri.encode("utf-8", "surrogatepass")).hexdigest()
