"""Caliper Analytics 1.2: envelopes, events with the actions that each type allows, and entities."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shuren.kernel.errors import Invalid
from shuren.records.rules.values import is_iri

CONTEXT = "http://purl.imsglobal.org/ctx/caliper/v1p2"
_CONTEXTS = re.compile(r"https?://purl\.imsglobal\.org/ctx/caliper/v1p[0-2](/.*)?")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")
_URN = re.compile(r"urn:uuid:([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")
_DURATION = re.compile(r"P(?=\d|T\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_MAX_ITEMS = 5_000
_MAX_DEPTH = 30


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Which actions an event of each type may tell (Caliper 1.2, appendix A).
ACTIONS: dict[str, frozenset[str]] = {
    "AnnotationEvent": _words("Bookmarked Highlighted Shared Tagged"),
    "AssessmentEvent": _words("Started Paused Resumed Restarted Reset Submitted"),
    "AssessmentItemEvent": _words("Started Skipped Completed"),
    "AssignableEvent": _words("Activated Deactivated Started Completed Submitted Reviewed"),
    "FeedbackEvent": _words("Commented Ranked"),
    "ForumEvent": _words("Subscribed Unsubscribed"),
    "GradeEvent": _words("Graded"),
    "MediaEvent": _words(
        "Started Ended Paused Resumed Restarted ForwardedTo JumpedTo ChangedResolution ChangedSize ChangedSpeed ChangedVolume"
        " EnabledClosedCaptioning DisabledClosedCaptioning EnteredFullScreen ExitedFullScreen Muted Unmuted OpenedPopout"
        " ClosedPopout"
    ),
    "MessageEvent": _words("MarkedAsRead MarkedAsUnRead MarkedAsUnread Posted"),
    "NavigationEvent": _words("NavigatedTo"),
    "QuestionnaireEvent": _words("Started Submitted"),
    "QuestionnaireItemEvent": _words("Started Skipped Completed"),
    "ResourceManagementEvent": _words(
        "Archived Copied Created Deleted Described Downloaded Modified Printed Published Restored Retrieved Saved Unpublished"
        " Uploaded"
    ),
    "SearchEvent": _words("Searched"),
    "SessionEvent": _words("LoggedIn LoggedOut TimedOut"),
    "SurveyEvent": _words("OptedIn OptedOut"),
    "SurveyInvitationEvent": _words("Accepted Declined Sent"),
    "ThreadEvent": _words("MarkedAsRead MarkedAsUnRead MarkedAsUnread"),
    "ToolLaunchEvent": _words("Launched Returned"),
    "ToolUseEvent": _words("Used"),
    "ViewEvent": _words("Viewed"),
}
_FURTHER = _words(
    "Abandoned Added Attached Classified Disliked Evaluated Hid Identified Liked Linked Questioned Recommended Removed Rewound"
    " Showed"
)
# An event of no particular type may tell any action of the vocabulary, and none beside it.
ACTIONS["Event"] = frozenset().union(*ACTIONS.values()) | _FURTHER
ENTITIES = _words(
    "Agent AggregateMeasure AggregateMeasureCollection Annotation Assessment AssessmentItem AssignableDigitalResource Attempt"
    " AudioObject BookmarkAnnotation Chapter Collection Comment CourseOffering CourseSection DateTimeQuestion DateTimeResponse"
    " DigitalResource DigitalResourceCollection Document Entity EpubChapter EpubPart EpubSubChapter EpubVolume"
    " FillinBlankResponse Forum Frame Group HighlightAnnotation ImageObject LearningObjective LikertScale Link LtiLink"
    " LtiSession MediaLocation MediaObject Membership Message MultipleChoiceResponse MultipleResponseResponse"
    " MultiselectQuestion MultiselectResponse MultiselectScale NumericScale OpenEndedQuestion OpenEndedResponse Organization"
    " Page Person Query Question Questionnaire QuestionnaireItem Rating RatingScaleQuestion RatingScaleResponse Reading"
    " Response Result Scale Score SearchResponse SelectTextResponse Session SharedAnnotation SoftwareApplication Survey"
    " SurveyInvitation TagAnnotation Thread TrueFalseResponse VideoObject WebPage"
)
# Parts of entities that have a type and no identifier of their own.
_PARTS = _words("SystemIdentifier TextPositionSelector")
_AGENTS = _words("Agent Person SoftwareApplication Organization CourseOffering CourseSection Group")
_NEEDED = _words("@context id type actor action object eventTime")
_PLACES = _words("actor object edApp generated target referrer group membership session federatedSession")
_KNOWN = _NEEDED | _PLACES | _words("profile extensions")
_MOMENTS = _words(
    "dateCreated dateModified datePublished dateToActivate dateToShow dateToStartOn dateToSubmit dateToCompleted dateSent"
    " startedAtTime endedAtTime dateTimeSelected minDateTime maxDateTime"
)


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """One event, as it came, and what it is found by."""

    event_id: UUID
    type: str
    action: str
    actor: str
    object: str
    at: datetime
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToldEntity:
    """What a sensor says of one thing."""

    iri: str
    type: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What an envelope holds."""

    sensor: str
    events: tuple[ToldEvent, ...]
    entities: tuple[ToldEntity, ...]


def read_envelope(envelope: object) -> Told:
    """Check a whole envelope; raises `Invalid` with the path to the first fault, and then nothing of it is kept."""
    data = _object(envelope, "envelope")
    sensor = _iri(data.get("sensor"), "sensor")
    _moment(data.get("sendTime"), "sendTime")
    if data.get("dataVersion") != CONTEXT:
        raise Invalid(f"dataVersion is not {CONTEXT}.")
    items = data.get("data")
    if not isinstance(items, list) or not 0 < len(items) <= _MAX_ITEMS:
        raise Invalid(f"data is not a list of 1 to {_MAX_ITEMS} events and entities.")
    events, entities = [], []
    for number, item in enumerate(items):
        told = _object(item, f"data[{number}]")
        if str(told.get("type", "")) in ACTIONS:
            events.append(_event(told, f"data[{number}]"))
        else:
            entities.append(_described(told, f"data[{number}]"))
    return Told(sensor, tuple(events), tuple(entities))


def _event(event: dict[str, Any], where: str) -> ToldEvent:
    missing, strange = _NEEDED - event.keys(), event.keys() - _KNOWN
    if missing or strange:
        raise Invalid(f"{where}: {min(missing)} is missing." if missing else f"{where}.{min(strange)[:60]} is not known.")
    _context(event["@context"], where)
    named = _URN.fullmatch(event["id"]) if isinstance(event["id"], str) else None
    if named is None:
        raise Invalid(f"{where}.id is not urn:uuid: and a UUID.")
    action = event["action"]
    if not isinstance(action, str) or action not in ACTIONS[event["type"]]:
        raise Invalid(f"{where}.action is not one that {event['type']} may tell.")
    at = _moment(event["eventTime"], f"{where}.eventTime")
    if not isinstance(event.get("profile", ""), str):
        raise Invalid(f"{where}.profile is not text.")
    _object(event.get("extensions", {}), f"{where}.extensions")
    for place in sorted(_PLACES & event.keys()):
        _entity(event[place], f"{where}.{place}", 0)
    _check_actor(event, where)
    return ToldEvent(UUID(named[1]), event["type"], action, _name(event["actor"]), _name(event["object"]), at, event)


def _check_actor(event: dict[str, Any], where: str) -> None:
    """A person acts, but that anybody may do what has no particular type, programs grade and sessions end by themselves."""
    actor = event["actor"]
    if isinstance(actor, str):
        return
    allowed = _words("Person")
    if event["type"] in ("Event", "GradeEvent", "SurveyInvitationEvent"):
        allowed = _AGENTS
    elif event["action"] == "TimedOut":
        allowed = _words("SoftwareApplication")
    if actor["type"] not in allowed:
        raise Invalid(f"{where}.actor: {event['type']} with {event['action']} is not done by {actor['type']}.")


def _described(entity: dict[str, Any], where: str) -> ToldEntity:
    _context(entity.get("@context"), where)
    _entity(entity, where, 0)
    if entity["type"] not in ENTITIES:
        raise Invalid(f"{where}.type stands in no data by itself.")
    return ToldEntity(entity["id"], entity["type"], entity)


def _entity(value: object, where: str, depth: int) -> None:
    """An entity, or the IRI of one; what lies within it is looked at too."""
    if isinstance(value, str):
        _iri(value, where)
        return
    entity = _object(value, where)
    kind = entity.get("type")
    if not isinstance(kind, str) or kind not in ENTITIES | _PARTS:
        raise Invalid(f"{where}.type is not a type of Caliper 1.2.")
    if kind not in _PARTS:
        _iri(entity.get("id"), f"{where}.id")
    if "name" in entity and not isinstance(entity["name"], str):
        raise Invalid(f"{where}.name is not text.")
    _object(entity.get("extensions", {}), f"{where}.extensions")
    for key, inner in entity.items():
        if key in _MOMENTS:
            _moment(inner, f"{where}.{key}")
        elif key == "duration" and (not isinstance(inner, str) or not _DURATION.fullmatch(inner)):
            raise Invalid(f"{where}.duration is not a duration of ISO 8601.")
        elif key not in ("extensions", "messageParameters"):
            _within(inner, f"{where}.{key}", depth + 1)


def _within(value: object, where: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise Invalid(f"{where} lies too deep.")
    if isinstance(value, list):
        for number, inner in enumerate(value):
            _within(inner, f"{where}[{number}]", depth)
    elif isinstance(value, dict) and "type" in value:
        _entity(value, where, depth)


def _context(value: object, where: str) -> None:
    named = value if isinstance(value, list) else [value]
    if not any(isinstance(one, str) and _CONTEXTS.fullmatch(one) for one in named):
        raise Invalid(f"{where}.@context is not {CONTEXT}.")


def _name(value: Any) -> str:
    return str(value if isinstance(value, str) else value["id"])


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"{where} is not an object.")
    return value


def _iri(value: object, where: str) -> str:
    """An IRI, or a blank node, by which JSON-LD names what lives within one message."""
    if not isinstance(value, str) or not (is_iri(value) or re.fullmatch(r"_:[\w.-]+", value)):
        raise Invalid(f"{where} is not an IRI.")
    return value


def _moment(value: object, where: str) -> datetime:
    """UTC with milliseconds, and nothing else (Caliper 1.2, 3)."""
    try:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"{where} is not a moment of the form YYYY-MM-DDTHH:mm:ss.SSSZ.") from None
