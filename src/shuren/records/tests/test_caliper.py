"""Caliper 1.2: envelopes as sensors send them, and everything that is none."""

import json
from contextlib import suppress
from copy import deepcopy
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser
from hypothesis import given
from hypothesis import settings as quick
from hypothesis import strategies as st
from tests.cast import Cast

from shuren.kernel import ids
from shuren.kernel.errors import Invalid
from shuren.records.models import CaliperEntity, CaliperEvent
from shuren.records.rules.caliper import ACTIONS, CONTEXT, read_envelope
from shuren.records.services.follow_people import follow_merge, forget_person
from shuren.records.tests.lrs_client import LrsClient, new_client

PERSON = {"id": "https://example.org/users/1", "type": "Person"}
QUIZ = {"id": "https://example.org/quizzes/1", "type": "Assessment", "name": "小测", "dateCreated": "2026-09-01T00:00:00.000Z"}
SENT = "2026-11-30T08:00:00.000Z"


def event(**changed: Any) -> dict[str, Any]:
    told = {
        "@context": CONTEXT,
        "id": f"urn:uuid:{uuid4()}",
        "type": "AssessmentEvent",
        "profile": "AssessmentProfile",
        "actor": PERSON,
        "action": "Started",
        "object": QUIZ,
        "eventTime": "2026-11-15T10:15:00.000Z",
        **changed,
    }
    return {key: value for key, value in told.items() if value is not None}


def envelope(*items: Any, **changed: Any) -> dict[str, Any]:
    return {"sensor": "https://example.org/sensor", "sendTime": SENT, "dataVersion": CONTEXT, "data": list(items), **changed}


@pytest.fixture
def sensor(db: None) -> LrsClient:
    return new_client("statements/write", version=None)


def sent(sensor: LrsClient, content: Any, content_type: str = "application/json", **headers: str | None) -> Any:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    told = {"authorization": sensor.basic, **headers}
    found = {key: value for key, value in told.items() if value is not None}
    return Browser().generic("POST", "/caliper/", body, content_type=content_type, headers=found)


def test_an_envelope_is_kept_and_answered_with_nothing(sensor: LrsClient, audited: Any) -> None:
    group = {"@context": CONTEXT, "id": "https://example.org/classes/7", "type": "CourseSection", "name": "七年级 1 班"}
    response = sent(sensor, envelope(event(edApp="https://example.org", generated={"id": "_:a", "type": "Attempt"}), group))
    assert (response.status_code, response.content) == (200, b"")
    row = CaliperEvent.objects.get()
    assert (row.type, row.action, row.actor, row.month) == ("AssessmentEvent", "Started", PERSON["id"], "2026-11")
    assert json.loads(row.body)["object"] == QUIZ
    assert CaliperEntity.objects.get().iri == group["id"]
    assert audited() == ["records.envelope_accepted"]


def test_an_event_told_again_is_passed_over_and_an_entity_described_anew(sensor: LrsClient) -> None:
    one, other = event(), event()
    section = {"@context": CONTEXT, "id": "https://example.org/classes/7", "type": "CourseSection"}
    assert sent(sensor, envelope(one, one, {**section, "name": "旧"})).status_code == 200
    assert sent(sensor, envelope(one, other, {**section, "name": "新"})).status_code == 200
    assert CaliperEvent.objects.count() == 2
    assert json.loads(CaliperEntity.objects.get().body)["name"] == "新"


def test_a_fault_anywhere_keeps_nothing(sensor: LrsClient) -> None:
    response = sent(sensor, envelope(event(), event(action="Danced")))
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith("data[1].action")
    assert not CaliperEvent.objects.exists()


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b'{"sensor": NaN}', "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "text/plain", 415),
    ],
)
def test_what_is_no_envelope_is_refused(sensor: LrsClient, content: bytes, content_type: str, status: int) -> None:
    assert sent(sensor, content, content_type).status_code == status


def test_only_apps_that_may_write_send(sensor: LrsClient) -> None:
    assert sent(sensor, envelope(event()), authorization=None).status_code == 401
    assert sent(new_client("state"), envelope(event())).status_code == 403
    assert Browser().get("/caliper/").status_code == 405


@pytest.mark.parametrize("kind", sorted(ACTIONS))
def test_every_type_tells_its_own_actions_and_no_other(kind: str) -> None:
    actor = {"id": "https://example.org/app", "type": "SoftwareApplication"}
    for action in ACTIONS["Event"] | {"Danced", "started", ""}:
        who = actor if action == "TimedOut" and kind == "SessionEvent" else PERSON
        content = envelope(event(type=kind, action=action, actor=who))
        if action in ACTIONS[kind]:
            assert read_envelope(content).events[0].action == action
        else:
            with pytest.raises(Invalid):
                read_envelope(content)


BROKEN: list[dict[str, Any]] = [
    {"@context": None},
    {"@context": "https://example.org/context"},
    {"id": None},
    {"id": "6c2b1f8e-0b6e-4b0e-8a65-0d1e6d1b9d11"},
    {"id": "urn:uuid:nonsense"},
    {"actor": None},
    {"actor": 1},
    {"actor": "not an iri"},
    {"actor": {"id": "https://example.org/a", "type": "Robot"}},
    {"actor": {"type": "Person"}},
    {"actor": {"id": "https://example.org/a", "type": "SoftwareApplication"}},
    {"object": None},
    {"object": {**QUIZ, "dateCreated": "2026-09-01"}},
    {"object": {**QUIZ, "duration": "an hour"}},
    {"object": {**QUIZ, "name": 1}},
    {"object": {**QUIZ, "isPartOf": {"id": "https://example.org/c", "type": "Nothing"}}},
    {"object": {**QUIZ, "items": [{"type": "AssessmentItem"}]}},
    {"eventTime": None},
    {"eventTime": "2026-11-15T10:15:00Z"},
    {"eventTime": "2026-11-15T10:15:00.000+08:00"},
    {"eventTime": "2026-13-15T10:15:00.000Z"},
    {"action": None},
    {"action": ["Started"]},
    {"type": "DanceEvent"},
    {"type": None},
    {"type": ["AssessmentEvent"]},
    {"profile": 1},
    {"extensions": "x"},
    {"session": 1},
    {"mood": "good"},
]


@pytest.mark.parametrize("changed", BROKEN)
def test_broken_events_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        read_envelope(envelope(event(**changed)))


@pytest.mark.parametrize(
    "changed",
    [
        {"sensor": None},
        {"sensor": "a sensor"},
        {"sendTime": "2026-11-30"},
        {"dataVersion": "http://purl.imsglobal.org/ctx/caliper/v1p1"},
        {"data": []},
        {"data": {}},
        {"data": [1]},
        {"data": None},
    ],
)
def test_broken_envelopes_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        read_envelope({**envelope(event()), **changed})


def test_roster_facts_are_taken_from_either_side() -> None:
    section = {"id": "https://example.org/classes/7", "type": "CourseSection", "members": [PERSON, "https://example.org/users/2"]}
    belongs = {"id": "https://example.org/m/1", "type": "Membership", "member": PERSON, "organization": section["id"]}
    told = read_envelope(envelope(event(group=section, membership={**belongs, "roles": ["Learner"], "status": "Active"})))
    assert len(told.events) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@quick(max_examples=150)
@given(st.data())
def test_whatever_is_put_in_place_of_a_part_is_read_or_refused(data: st.DataObject) -> None:
    content = deepcopy(envelope(event(group={"id": "https://example.org/g", "type": "Group"}, extensions={"a": 1})))
    place: Any = content
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = data.draw(JSON)
        break
    with suppress(Invalid):
        read_envelope(content)


def test_events_follow_people(cast: Cast, settings: Any) -> None:
    settings.SHUREN_PUBLIC_URL = "https://region.example.cn"
    pupil, other = cast.people["pupil"].id, cast.people["far_pupil"].id
    actor = {"id": f"https://region.example.cn/people/{ids.encode('person', other)}", "type": "Person"}
    assert sent(new_client("statements/write"), envelope(event(actor=actor), event())).status_code == 200
    assert follow_merge(kept_id=pupil, dropped_id=other, now=cast.now) == 1
    assert forget_person(person_id=pupil, now=cast.now) == 1
    assert CaliperEvent.objects.get().person_id is None
