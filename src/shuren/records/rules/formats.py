"""The three ways in which statements are handed out: as they came, by ids alone, or with one canonical text each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_IDENTIFIERS = ("objectType", "mbox", "mbox_sha1sum", "openid", "account")
_DESCRIBED = ("choices", "scale", "source", "target", "steps")
Shape = Callable[[Mapping[str, Any]], dict[str, Any]]


def ids_only(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Agents, activities and verbs by what identifies them alone; members of groups that have no identifier stay.

    An object without a type is an Activity, so of those nothing stays but the IRI (1.0.3 Data 2.4.4).
    """
    shaped = _reshaped(statement, lambda activity: {"id": activity["id"]})
    return shaped | {"verb": {"id": statement["verb"]["id"]}}


def activities_in(statement: Mapping[str, Any]) -> Iterator[str]:
    """IRIs of all activities whose definition a canonical answer tells."""
    seen: list[str] = []

    def note(activity: Mapping[str, Any]) -> dict[str, Any]:
        seen.append(activity["id"])
        return dict(activity)

    _reshaped(statement, note)
    yield from seen


def canonical(
    statement: Mapping[str, Any], *, definitions: Mapping[str, Mapping[str, Any]], languages: Sequence[str]
) -> dict[str, Any]:
    """Activities with the definition that is known of them, and each text in the one language that was wished for most."""

    def told(activity: Mapping[str, Any]) -> dict[str, Any]:
        definition = {**activity.get("definition", {}), **definitions.get(activity["id"], {})}
        return dict(activity) | ({"definition": _in_language(definition, languages)} if definition else {})

    shaped = _reshaped(statement, told, keep_names=True)
    verb = dict(statement["verb"])
    if "display" in verb:
        verb["display"] = _chosen(verb["display"], languages)
    shaped["verb"] = verb
    return shaped


def wished_languages(header: str) -> list[str]:
    """Language ranges of Accept-Language, the most wished for first; what cannot be read is left out."""
    wishes = []
    for position, part in enumerate(header.split(",")[:50]):
        tag, _semicolon, parameter = part.strip().partition(";")
        weight = parameter.strip().removeprefix("q=") or "1"
        try:
            quality = float(weight)
        except ValueError:
            continue
        if tag.strip() and quality > 0:
            wishes.append((-quality, position, tag.strip().lower()))
    return [tag for _quality, _position, tag in sorted(wishes)]


def _chosen(texts: Mapping[str, str], languages: Sequence[str]) -> dict[str, str]:
    """The one entry of a language map that fits best; without any fit the first that was told."""
    for wish in languages:
        for fits in (lambda tag, wish: tag == wish, _is_under, _is_over):
            for tag, text in texts.items():
                if wish == "*" or fits(tag.lower(), wish):
                    return {tag: text}
    return dict(list(texts.items())[:1])


def _is_under(tag: str, wish: str) -> bool:
    return tag.startswith(f"{wish}-")


def _is_over(tag: str, wish: str) -> bool:
    return wish.startswith(f"{tag}-")


def _in_language(definition: Mapping[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    told = dict(definition)
    for name in ("name", "description"):
        if name in told:
            told[name] = _chosen(told[name], languages)
    for name in _DESCRIBED:
        if name in told:
            told[name] = [
                part | ({"description": _chosen(part["description"], languages)} if "description" in part else {})
                for part in told[name]
            ]
    return told


def _reshaped(claim: Mapping[str, Any], activity: Shape, *, keep_names: bool = False) -> dict[str, Any]:
    shape: Shape = dict if keep_names else _identified
    told = dict(claim)
    told["actor"] = shape(claim["actor"])
    told["object"] = _target(claim["object"], activity, shape, keep_names=keep_names)
    if "authority" in claim:
        told["authority"] = shape(claim["authority"])
    if "context" in claim:
        told["context"] = _context(claim["context"], activity, shape)
    if claim.get("objectType") == "SubStatement" and not keep_names:
        told["verb"] = {"id": claim["verb"]["id"]}
    return told


def _target(target: Mapping[str, Any], activity: Shape, shape: Shape, *, keep_names: bool) -> dict[str, Any]:
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        return activity(target)
    if kind in ("Agent", "Group"):
        return shape(target)
    return _reshaped(target, activity, keep_names=keep_names) if kind == "SubStatement" else dict(target)


def _context(context: Mapping[str, Any], activity: Shape, shape: Shape) -> dict[str, Any]:
    told = dict(context)
    for name in ("instructor", "team"):
        if name in told:
            told[name] = shape(told[name])
    if "contextActivities" in told:
        told["contextActivities"] = {
            name: [activity(one) for one in (found if isinstance(found, list) else [found])]
            for name, found in told["contextActivities"].items()
        }
    for name, member in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in told:
            told[name] = [{**one, member: shape(one[member])} for one in told[name]]
    return told


def _identified(actor: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: actor[name] for name in _IDENTIFIERS if name in actor}
    if "member" in actor and told.keys() <= {"objectType"}:
        told["member"] = [_identified(member) for member in actor["member"]]
    return told
