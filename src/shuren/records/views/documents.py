"""Documents, agents and activities: state, profiles, persons, definitions, and what this service speaks."""

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt

from shuren.kernel.doors import open_door
from shuren.kernel.errors import Invalid, Refused
from shuren.records.rules.actors import actor_key, check_actor, is_anonymous, is_group
from shuren.records.rules.cmi5.words import PREFERENCES
from shuren.records.rules.documents import DocumentKind, Place, etag_of
from shuren.records.rules.preconditions import Precondition
from shuren.records.rules.requests import OLD, VERSIONS, iri, moment, registration
from shuren.records.selectors.activities import activity_object
from shuren.records.selectors.agents import person_behind, person_object
from shuren.records.selectors.documents import access_document, document_ids
from shuren.records.services.callers import ALL, DEFINE, PROFILES, READ, READ_ALL, READ_OWN, STATE, WRITE
from shuren.records.services.cmi5.accept import check_place, check_preferences
from shuren.records.services.cmi5.sessions import profile_space
from shuren.records.services.documents import Sheet, delete_document, delete_documents, merge_document, put_document
from shuren.records.views.asked import Call, Door, answer_to_anybody, json_answer, lrs_resource

_MAX_ID = 2_000
_ANY = frozenset({WRITE, READ, READ_OWN, STATE, DEFINE, PROFILES, READ_ALL, ALL})
Finding = Callable[[Call], Place]


def _doors(scope: str, *context: str, of: str, kept: tuple[str, ...] = (), deletes_many: bool = False) -> dict[str, Door]:
    """The methods of a document resource. `context` says whose documents, `of` names one, `kept` may narrow them."""
    writes, reads = frozenset({scope}), frozenset({scope, READ_ALL})
    fixed, optional = frozenset(context), frozenset(kept)
    whole = fixed | {of}
    return {
        "GET": Door(reads, fixed, optional | {of, "since"}),
        "PUT": Door(writes, whole, optional),
        "POST": Door(writes, whole, optional),
        "DELETE": Door(writes, fixed, optional | {of}) if deletes_many else Door(writes, whole, optional),
    }


@lrs_resource(_doors(STATE, "activityId", "agent", of="stateId", kept=("registration",), deletes_many=True))
def state(call: Call) -> HttpResponse:
    return _documents(call, _state_place(call), "stateId")


@lrs_resource(_doors(PROFILES, "activityId", of="profileId"))
def activity_profile(call: Call) -> HttpResponse:
    place = Place(
        kind=DocumentKind.ACTIVITY_PROFILE, space=call.caller.space, activity=iri(call.params["activityId"], "activityId")
    )
    return _documents(call, place, "profileId")


@lrs_resource(_doors(PROFILES, "agent", of="profileId"))
def agent_profile(call: Call) -> HttpResponse:
    key, person_id = _agent(call)
    space = profile_space(call.caller, call.params.get("profileId"))
    place = Place(kind=DocumentKind.AGENT_PROFILE, space=space, agent=key, person_id=person_id)
    return _documents(call, place, "profileId")


@lrs_resource({"GET": Door(frozenset({READ, READ_OWN, PROFILES, READ_ALL}), frozenset({"agent"}))})
def agents(call: Call) -> HttpResponse:
    _agent(call)
    sent = _agent_sent(call)
    if is_group(sent):
        raise Invalid("agent is a group.")
    return _tagged(json_answer(person_object(sent)))


@lrs_resource({"GET": Door(_ANY, frozenset({"activityId"}))})
def activities(call: Call) -> HttpResponse:
    return _tagged(json_answer(activity_object(iri(call.params["activityId"], "activityId"))))


@csrf_exempt
@open_door
def about(request: HttpRequest) -> HttpResponse:
    """Needs neither a version nor credentials (1.0.3 Communication 2.8)."""
    return answer_to_anybody(request, {"version": list(VERSIONS), "extensions": {}})


def _state_place(call: Call) -> Place:
    key, person_id = _agent(call)
    place = Place(
        kind=DocumentKind.STATE,
        space=call.caller.space,
        activity=iri(call.params["activityId"], "activityId"),
        agent=key,
        registration=registration(call.params["registration"]) if "registration" in call.params else "",
        person_id=person_id,
    )
    check_place(call.caller, place, call.params.get("stateId"), is_writing=call.method != "GET")
    return place


def _documents(call: Call, place: Place, name: str) -> HttpResponse:
    document_id = call.params.get(name)
    if document_id is not None and not 0 < len(document_id) <= _MAX_ID:
        raise Invalid(f"{name} has 1 to {_MAX_ID} characters.")
    if call.method == "GET":
        return _list(call, place) if document_id is None else _one(place, document_id)
    if document_id is None:
        delete_documents(actor=call.caller.actor, place=place, now=call.now)
        return HttpResponse(status=204)
    asked = Precondition(call.headers.get("if-match", ""), call.headers.get("if-none-match", ""))
    if call.method == "DELETE":
        delete_document(actor=call.caller.actor, place=place, document_id=document_id, asked=asked, now=call.now)
        return HttpResponse(status=204)
    content_type = call.content_type or "application/octet-stream"
    if len(content_type) > 255:
        raise Invalid("Content-Type is too long.")
    sheet = Sheet(
        document_id=document_id,
        content_type=content_type,
        content=call.body,
        client_id=call.client,
        version=call.version,
    )
    if call.caller.session is not None and place.kind is DocumentKind.AGENT_PROFILE and document_id == PREFERENCES:
        check_preferences(call.body)
    write = put_document if call.method == "PUT" else merge_document
    write(actor=call.caller.actor, place=place, sheet=sheet, asked=asked, now=call.now)
    return HttpResponse(status=204)


def _one(place: Place, document_id: str) -> HttpResponse:
    """Handed back as it came. A browser is told to show nothing of it: whoever wrote it is not trusted by this origin."""
    found = access_document(place=place, document_id=document_id)
    headers = {
        "ETag": f'"{found.etag}"',
        "Last-Modified": http_date(found.updated_at.timestamp()),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return HttpResponse(found.content, content_type=found.content_type, headers=headers)


def _list(call: Call, place: Place) -> HttpResponse:
    since = moment(call.params["since"], "since") if "since" in call.params else None
    found, latest = document_ids(place=place, since=since)
    response = _tagged(json_answer(found))
    if latest is not None:
        response.headers["Last-Modified"] = http_date(latest.timestamp())
    return response


def _tagged(response: HttpResponse) -> HttpResponse:
    """With an entity tag of its content, as every answer to GET but those of statements has one (Communication 3.1)."""
    response.headers["ETag"] = f'"{etag_of(response.content)}"'
    return response


def _agent(call: Call) -> tuple[str, int | None]:
    """The key of the agent asked for, and who it is here; for a person an app reaches that person's own and nobody else's.

    In 2.0 documents may be those of a group that has an identifier.
    """
    sent = _agent_sent(call)
    check_actor(sent, version=call.version, where="agent")
    if is_group(sent) and (call.version == OLD or is_anonymous(sent)):
        raise Invalid("agent is a group.")
    person_id = person_behind(sent, issuer=call.issuer)
    if call.caller.person_id is not None and person_id != call.caller.person_id:
        raise Refused("The token is for somebody else's records.")
    return actor_key(sent), person_id


def _agent_sent(call: Call) -> dict[str, Any]:
    try:
        sent = json.loads(call.params["agent"])
    except (ValueError, RecursionError):
        raise Invalid("agent is not JSON.") from None
    if not isinstance(sent, dict):
        raise Invalid("agent is not an object.")
    return sent
