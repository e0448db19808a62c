"""Activities and their definitions, those of interactions among them (1.0.3 Data 2.4.4.1)."""

from typing import Any

from shuren.records.rules.faults import MalformedStatement
from shuren.records.rules.values import check_extensions, check_iri, check_known, check_language_map, check_list, check_object

_ACTIVITY = frozenset({"objectType", "id", "definition"})
_COMPONENTS = ("choices", "scale", "source", "target", "steps")
_DEFINITION = frozenset(
    {"name", "description", "type", "moreInfo", "extensions", "interactionType", "correctResponsesPattern", *_COMPONENTS}
)
_COMPONENT = frozenset({"id", "description"})
# Each type of interaction, and the lists of components that it may have.
_INTERACTIONS: dict[str, frozenset[str]] = {
    "true-false": frozenset(),
    "choice": frozenset({"choices"}),
    "fill-in": frozenset(),
    "long-fill-in": frozenset(),
    "matching": frozenset({"source", "target"}),
    "performance": frozenset({"steps"}),
    "sequencing": frozenset({"choices"}),
    "likert": frozenset({"scale"}),
    "numeric": frozenset(),
    "other": frozenset(),
}


def check_activity(data: object, where: str) -> None:
    activity = check_object(data, where)
    if not activity.keys() <= _ACTIVITY:
        check_known(activity, _ACTIVITY, where)
    if activity.get("objectType", "Activity") != "Activity":
        raise MalformedStatement("is not an Activity", f"{where}.objectType")
    check_iri(activity.get("id"), f"{where}.id")
    if "definition" in activity:
        _check_definition(activity["definition"], f"{where}.definition")


def _check_definition(data: object, where: str) -> None:
    definition = check_object(data, where)
    check_known(definition, _DEFINITION, where)
    for name, value in definition.items():
        if name in ("name", "description"):
            check_language_map(value, f"{where}.{name}")
        elif name in ("type", "moreInfo"):
            check_iri(value, f"{where}.{name}")
        elif name == "extensions":
            check_extensions(value, f"{where}.extensions")
    if not definition.keys().isdisjoint(_INTERACTION):
        _check_interaction(definition, where)


_INTERACTION = ("interactionType", "correctResponsesPattern", *_COMPONENTS)


def _check_interaction(definition: dict[str, Any], where: str) -> None:
    kind = definition.get("interactionType")
    if type(kind) is not str or kind not in _INTERACTIONS:
        raise MalformedStatement("is not a type of interaction", f"{where}.interactionType")
    for pattern in check_list(definition.get("correctResponsesPattern", []), f"{where}.correctResponsesPattern"):
        if type(pattern) is not str:
            raise MalformedStatement("is not text", f"{where}.correctResponsesPattern")
    for name in _COMPONENTS:
        if name in definition:
            if name not in _INTERACTIONS[kind]:
                raise MalformedStatement(f"does not belong to an interaction of type {kind}", f"{where}.{name}")
            _check_components(definition[name], f"{where}.{name}")


def _check_components(data: object, where: str) -> None:
    seen = set()
    for number, found in enumerate(check_list(data, where)):
        component = check_object(found, f"{where}[{number}]")
        check_known(component, _COMPONENT, f"{where}[{number}]")
        key = component.get("id")
        if type(key) is not str:
            raise MalformedStatement("is not text", f"{where}[{number}].id")
        if key in seen:
            raise MalformedStatement("stands twice", f"{where}[{number}].id")
        seen.add(key)
        if "description" in component:
            check_language_map(component["description"], f"{where}[{number}].description")
