"""Whether a statement keeps to the specification: 1.0.3 (Data 2.2 to 2.4) and 2.0 (4.2), told apart by the version asked in."""

from typing import Any

from shuren.records.rules.activities import check_activity
from shuren.records.rules.actors import check_actor, check_agent, check_group
from shuren.records.rules.faults import MalformedStatement
from shuren.records.rules.values import (
    check_duration,
    check_extensions,
    check_flag,
    check_iri,
    check_known,
    check_language,
    check_language_map,
    check_list,
    check_media_type,
    check_number,
    check_object,
    check_sha2,
    check_text,
    check_timestamp,
    check_uuid,
    check_version,
)

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
_SUB = frozenset({"objectType", "actor", "verb", "object", "result", "context", "timestamp", "attachments"})
_STATEMENT = (_SUB - {"objectType"}) | {"id", "stored", "authority", "version"}
_VERB = frozenset({"id", "display"})
_REFERENCE = frozenset({"objectType", "id"})
_RESULT = frozenset({"score", "success", "completion", "response", "duration", "extensions"})
_SCORE = frozenset({"scaled", "raw", "min", "max"})
_CONTEXT_OLD = frozenset(
    {
        *("registration", "instructor", "team", "contextActivities", "revision", "platform", "language"),
        *("statement", "extensions"),
    }
)
_CONTEXT = {"1": _CONTEXT_OLD, "2": _CONTEXT_OLD | {"contextAgents", "contextGroups"}}
_CONTEXT_ACTIVITIES = frozenset({"parent", "grouping", "category", "other"})
_ATTACHMENT = frozenset({"usageType", "display", "description", "contentType", "length", "sha2", "fileUrl"})


def check_statement(data: object, *, version: str, where: str = "statement") -> dict[str, Any]:
    """The statement itself; raises `MalformedStatement` with the path to the first fault."""
    statement = check_object(data, where)
    if not statement.keys() <= _STATEMENT:
        check_known(statement, _STATEMENT, where)
    if "id" in statement:
        check_uuid(statement["id"], f"{where}.id")
    if "stored" in statement:
        check_timestamp(statement["stored"], f"{where}.stored", version=version)
    if "version" in statement:
        check_version(statement["version"], f"{where}.version", version=version)
    if "authority" in statement:
        _check_authority(statement["authority"], version=version, where=f"{where}.authority")
    _check_claim(statement, version=version, where=where, is_sub=False)
    return statement


def _check_claim(claim: dict[str, Any], *, version: str, where: str, is_sub: bool) -> None:
    """What a statement and a SubStatement have in common."""
    check_actor(claim.get("actor"), version=version, where=f"{where}.actor")
    verb = _verb_checked(claim.get("verb"), f"{where}.verb")
    kind = _check_target(claim.get("object"), version=version, where=f"{where}.object", is_sub=is_sub)
    if verb == VOIDED and kind != "StatementRef":
        raise MalformedStatement("of a voiding statement is a StatementRef", f"{where}.object")
    if "result" in claim:
        _check_result(claim["result"], f"{where}.result")
    if "context" in claim:
        _check_context(claim["context"], version=version, where=f"{where}.context", is_activity=kind == "Activity")
    if "timestamp" in claim:
        check_timestamp(claim["timestamp"], f"{where}.timestamp", version=version)
    if "attachments" in claim:
        for number, attachment in enumerate(check_list(claim["attachments"], f"{where}.attachments")):
            _check_attachment(attachment, f"{where}.attachments[{number}]")


def _verb_checked(data: object, where: str) -> str:
    verb = check_object(data, where)
    check_known(verb, _VERB, where)
    iri = verb.get("id")
    check_iri(iri, f"{where}.id")
    if "display" in verb:
        check_language_map(verb["display"], f"{where}.display")
    return str(iri)


def _check_target(data: object, *, version: str, where: str, is_sub: bool) -> str:
    """The kind of the object of a statement."""
    target = check_object(data, where)
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        check_activity(target, where)
    elif kind in ("Agent", "Group"):
        check_actor(target, version=version, where=where)
    elif kind == "StatementRef":
        check_reference(target, where)
    elif kind == "SubStatement" and not is_sub:
        check_known(target, _SUB, where)
        _check_claim(target, version=version, where=where, is_sub=True)
    else:
        raise MalformedStatement("is not what may stand here", f"{where}.objectType")
    return str(kind)


def check_reference(data: object, where: str) -> None:
    reference = check_object(data, where)
    check_known(reference, _REFERENCE, where)
    if reference.get("objectType") != "StatementRef":
        raise MalformedStatement("is not StatementRef", f"{where}.objectType")
    check_uuid(reference.get("id"), f"{where}.id")


def _check_result(data: object, where: str) -> None:
    result = check_object(data, where)
    check_known(result, _RESULT, where)
    for name, value in result.items():
        if name == "score":
            _check_score(value, f"{where}.score")
        elif name == "duration":
            check_duration(value, f"{where}.duration")
        elif name == "response":
            check_text(value, f"{where}.response")
        elif name == "extensions":
            check_extensions(value, f"{where}.extensions")
        else:
            check_flag(value, f"{where}.{name}")


def _check_score(data: object, where: str) -> None:
    score = check_object(data, where)
    check_known(score, _SCORE, where)
    for name, value in score.items():
        check_number(value, f"{where}.{name}")
    if "scaled" in score and not -1 <= score["scaled"] <= 1:
        raise MalformedStatement("lies outside of -1 and 1", f"{where}.scaled")
    low, high, raw = score.get("min"), score.get("max"), score.get("raw")
    if low is not None and high is not None and low >= high:
        raise MalformedStatement("is not less than max", f"{where}.min")
    if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
        raise MalformedStatement("lies outside of min and max", f"{where}.raw")


def _check_context(data: object, *, version: str, where: str, is_activity: bool) -> None:
    context = check_object(data, where)
    check_known(context, _CONTEXT[version[0]], where)
    for name, value in context.items():
        if name == "contextActivities":
            _check_context_activities(value, f"{where}.contextActivities")
        elif name == "registration":
            check_uuid(value, f"{where}.registration")
        elif name == "extensions":
            check_extensions(value, f"{where}.extensions")
        elif name in ("revision", "platform"):
            if not is_activity:
                raise MalformedStatement("belongs to statements about an Activity", f"{where}.{name}")
            check_text(value, f"{where}.{name}")
        elif name == "language":
            check_language(value, f"{where}.language")
        elif name == "instructor":
            check_actor(value, version=version, where=f"{where}.instructor")
        elif name == "team":
            check_group(value, version=version, where=f"{where}.team")
        elif name == "statement":
            check_reference(value, f"{where}.statement")
        else:
            _check_related(value, name, version=version, where=f"{where}.{name}")


def _check_context_activities(data: object, where: str) -> None:
    activities = check_object(data, where)
    check_known(activities, _CONTEXT_ACTIVITIES, where)
    for name, value in activities.items():
        if type(value) is list:
            for number, activity in enumerate(value):
                check_activity(activity, f"{where}.{name}[{number}]")
        else:
            check_activity(value, f"{where}.{name}")


def _check_related(data: object, name: str, *, version: str, where: str) -> None:
    """contextAgents and contextGroups of 2.0 (4.2.4.1): lists of whom it concerns, and in which way."""
    kind, member = ("contextAgent", "agent") if name == "contextAgents" else ("contextGroup", "group")
    check_whom = check_agent if member == "agent" else check_group
    for number, found in enumerate(check_list(data, where)):
        place = f"{where}[{number}]"
        related = check_object(found, place)
        check_known(related, frozenset({"objectType", member, "relevantTypes"}), place)
        if related.get("objectType") != kind:
            raise MalformedStatement(f"is not {kind}", f"{place}.objectType")
        check_whom(related.get(member), version=version, where=f"{place}.{member}")
        if "relevantTypes" in related:
            types = check_list(related["relevantTypes"], f"{place}.relevantTypes")
            if not types:
                raise MalformedStatement("is empty", f"{place}.relevantTypes")
            for iri in types:
                check_iri(iri, f"{place}.relevantTypes")


def _check_attachment(data: object, where: str) -> None:
    attachment = check_object(data, where)
    check_known(attachment, _ATTACHMENT, where)
    check_iri(attachment.get("usageType"), f"{where}.usageType")
    check_language_map(attachment.get("display"), f"{where}.display")
    if "description" in attachment:
        check_language_map(attachment["description"], f"{where}.description")
    check_media_type(attachment.get("contentType"), f"{where}.contentType")
    length = attachment.get("length")
    if type(length) is not int or length < 0:
        raise MalformedStatement("is not a number of bytes", f"{where}.length")
    check_sha2(attachment.get("sha2"), f"{where}.sha2")
    if "fileUrl" in attachment:
        check_iri(attachment["fileUrl"], f"{where}.fileUrl")


def _check_authority(data: object, *, version: str, where: str) -> None:
    """An Agent, or an app and the person it acts for as a group of two without a name of its own (1.0.3 Data 2.4.9)."""
    check_actor(data, version=version, where=where)
    authority = check_object(data, where)
    if authority.get("objectType") != "Group":
        return
    if len(authority.get("member", ())) != 2 or not authority.keys().isdisjoint({"mbox", "mbox_sha1sum", "openid", "account"}):
        raise MalformedStatement("of a group has two members, and no identifier of its own", where)
