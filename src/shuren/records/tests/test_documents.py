"""Documents in both versions: kept as they came, merged, deleted, and never overwritten unseen."""

import json
from typing import Any

import pytest
from django.test import Client as Browser
from hypothesis import given
from hypothesis import strategies as st

from shuren.records.models import Document
from shuren.records.rules.documents import DocumentKind, Place, etag_of, merged
from shuren.records.tests.lrs_client import ACTIVITY, AGENT, NEW, OLD, LrsClient, new_client

PLACES: dict[str, dict[str, Any]] = {
    "activities/state": {"activityId": ACTIVITY, "agent": AGENT, "stateId": "one"},
    "activities/profile": {"activityId": ACTIVITY, "profileId": "one"},
    "agents/profile": {"agent": AGENT, "profileId": "one"},
}
PROFILES = ("activities/profile", "agents/profile")
REGISTRATION = "5dd2ae3b-a6a6-4dbb-b1b3-1f0a2a3a4a5a"
EVERYWHERE = pytest.mark.parametrize("path", list(PLACES))
BOTH = pytest.mark.parametrize("version", [OLD, NEW])
pytestmark = pytest.mark.django_db


@pytest.fixture
def lrs() -> LrsClient:
    return new_client("all")


def kept(lrs: LrsClient, path: str, content: Any = None, content_type: str = "application/json") -> str:
    """Keep a document and return its entity tag."""
    content = {"page": 1} if content is None else content
    assert lrs.call("POST", path, PLACES[path], content, content_type).status_code == 204
    return str(lrs.call("GET", path, PLACES[path]).headers["ETag"])


@BOTH
@EVERYWHERE
def test_a_document_comes_back_as_it_was_sent(lrs: LrsClient, path: str, version: str) -> None:
    lrs.version = version
    content = "学到第 3 页\r\n".encode() + bytes(range(256))
    sent = lrs.call("PUT", path, PLACES[path], content, "image/x-page; part=1", if_none_match="*")
    assert (sent.status_code, sent.content) == (204, b"")
    got = lrs.call("GET", path, PLACES[path])
    assert (got.status_code, got.content, got.headers["Content-Type"]) == (200, content, "image/x-page; part=1")
    assert got.headers["ETag"] == f'"{etag_of(content)}"'
    assert len(got.headers["ETag"]) == 42
    assert got.headers["Last-Modified"].endswith("GMT")
    assert got.headers["X-Experience-API-Version"] == version


@BOTH
@EVERYWHERE
def test_what_is_not_there_is_not_found(lrs: LrsClient, path: str, version: str) -> None:
    lrs.version = version
    assert lrs.call("GET", path, PLACES[path]).status_code == 404
    assert lrs.call("DELETE", path, PLACES[path]).status_code == 204


# Where a document stands: (path, version) → status of a PUT without any header, new and over an old one.
UNSEEN = [
    ("activities/state", OLD, 204, 204),
    ("activities/profile", OLD, 400, 409),
    ("agents/profile", OLD, 400, 409),
    ("activities/state", NEW, 204, 409),
    ("activities/profile", NEW, 204, 409),
    ("agents/profile", NEW, 204, 409),
]


@pytest.mark.tables
@pytest.mark.parametrize(("path", "version", "fresh", "over"), UNSEEN)
def test_a_put_without_a_word_about_what_stands(lrs: LrsClient, path: str, version: str, fresh: int, over: int) -> None:
    lrs.version = version
    assert lrs.call("PUT", path, PLACES[path], {"page": 1}).status_code == fresh
    kept(lrs, path)
    before = lrs.call("GET", path, PLACES[path]).content
    response = lrs.call("PUT", path, PLACES[path], {"page": 2})
    assert response.status_code == over
    if over == 409:
        assert response.headers["Content-Type"].startswith("text/plain")
        assert "If-Match" in response.text
        assert lrs.call("GET", path, PLACES[path]).content == before


@BOTH
@EVERYWHERE
@pytest.mark.tables
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("header", ["1234", '"1234"', '"1111111111111111111111111111111111111111"'])
def test_a_stale_entity_tag_changes_nothing(lrs: LrsClient, path: str, version: str, method: str, header: str) -> None:
    lrs.version = version
    tag = kept(lrs, path)
    assert lrs.call(method, path, PLACES[path], {"page": 2}, if_match=header).status_code == 412
    assert lrs.call("GET", path, PLACES[path]).headers["ETag"] == tag


@BOTH
@EVERYWHERE
@pytest.mark.tables
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_the_entity_tag_that_was_read_opens(lrs: LrsClient, path: str, version: str, method: str, form: str) -> None:
    lrs.version = version
    tag = kept(lrs, path)
    assert lrs.call(method, path, PLACES[path], {"page": 2}, if_match=form.format(tag)).status_code == 204
    after = lrs.call("GET", path, PLACES[path])
    assert after.status_code == (404 if method == "DELETE" else 200)


@BOTH
@EVERYWHERE
def test_only_where_there_is_none(lrs: LrsClient, path: str, version: str) -> None:
    lrs.version = version
    assert lrs.call("PUT", path, PLACES[path], {"page": 1}, if_match="*").status_code == 412
    assert lrs.call("PUT", path, PLACES[path], {"page": 1}, if_none_match="*").status_code == 204
    assert lrs.call("PUT", path, PLACES[path], {"page": 2}, if_none_match="*").status_code == 412
    assert lrs.call("POST", path, PLACES[path], {"page": 2}, if_none_match="*").status_code == 412
    assert lrs.call("GET", path, PLACES[path]).json() == {"page": 1}


@BOTH
@EVERYWHERE
def test_a_merge_goes_one_level_deep(lrs: LrsClient, path: str, version: str) -> None:
    lrs.version = version
    kept(lrs, path, {"car": {"make": "Ford", "model": "Escape"}, "driver": "Dale"})
    assert lrs.call("POST", path, PLACES[path], {"car": {"make": "Dodge"}, "lap": 3}).status_code == 204
    assert lrs.call("GET", path, PLACES[path]).json() == {"car": {"make": "Dodge"}, "driver": "Dale", "lap": 3}


NOT_MERGED = [
    ({"a": 1}, "application/json", b"abc", "text/plain"),
    (b"abc", "text/plain", {"a": 1}, "application/json"),
    ({"a": 1}, "application/json", b"[1]", "application/json"),
    (b"[1]", "application/json", {"a": 1}, "application/json"),
    ({"a": 1}, "application/json", b'{"a":', "application/json"),
    ({"a": 1}, "application/json", b'{"a": NaN}', "application/json"),
    ({"a": 1}, "application/json", b"[" * 50_000, "application/json"),
    ({"a": 1}, "application/json", b'{"a": ' + b"9" * 5_000 + b"}", "application/json"),
    ({"a": 1}, "application/json", b"\xff", "application/json"),
]


@BOTH
@EVERYWHERE
@pytest.mark.tables
@pytest.mark.parametrize(("old", "old_type", "new", "new_type"), NOT_MERGED)
def test_what_cannot_be_merged_changes_nothing(
    lrs: LrsClient, path: str, version: str, old: Any, old_type: str, new: Any, new_type: str
) -> None:
    lrs.version = version
    tag = kept(lrs, path, old, old_type)
    assert lrs.call("POST", path, PLACES[path], new, new_type).status_code == 400
    assert lrs.call("GET", path, PLACES[path]).headers["ETag"] == tag


@BOTH
@EVERYWHERE
@pytest.mark.tables
@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        *((content, "application/json", 204) for content in (b"1", b"true", b"{}")),
        *((content, "application/json; charset=utf-8", 400) for content in (b" ", b"abc", b'{"a":', b"[NaN]")),
        (b"", "text/plain", 204),
        (b"\xff", "image/png", 204),
    ],
)
def test_the_first_post_is_kept_if_it_is_what_it_says(
    lrs: LrsClient, path: str, version: str, content: bytes, content_type: str, status: int
) -> None:
    lrs.version = version
    assert lrs.call("POST", path, PLACES[path], content, content_type).status_code == status
    after = lrs.call("GET", path, PLACES[path])
    assert (after.content == content) if status == 204 else (after.status_code == 404)


@BOTH
@EVERYWHERE
def test_ids_are_listed_and_since_narrows_them(lrs: LrsClient, path: str, version: str) -> None:
    lrs.version = version
    name = "stateId" if path == "activities/state" else "profileId"
    context = {key: value for key, value in PLACES[path].items() if key != name}
    assert lrs.call("GET", path, context).json() == []
    for id in ("b", "a", "学"):
        lrs.call("POST", path, {**context, name: id}, {})
    response = lrs.call("GET", path, context)
    assert response.json() == ["a", "b", "学"]
    assert "Last-Modified" in response.headers
    assert lrs.call("GET", path, {**context, "since": "2001-01-01T00:00:00Z"}).json() == ["a", "b", "学"]
    assert lrs.call("GET", path, {**context, "since": "2101-01-01T08:00:00+08:00"}).json() == []


@BOTH
def test_registrations_lie_apart_and_are_listed_together(lrs: LrsClient, version: str) -> None:
    lrs.version = version
    plain = PLACES["activities/state"]
    inside = {**plain, "registration": REGISTRATION}
    lrs.call("POST", "activities/state", plain, {"where": "outside"})
    lrs.call("POST", "activities/state", {**inside, "stateId": "two"}, {})
    lrs.call("POST", "activities/state", inside, {"where": "inside"})
    assert lrs.call("GET", "activities/state", plain).json() == {"where": "outside"}
    upper = {**inside, "registration": REGISTRATION.upper()}
    assert lrs.call("GET", "activities/state", upper).json() == {"where": "inside"}
    context = {"activityId": ACTIVITY, "agent": AGENT}
    assert lrs.call("GET", "activities/state", context).json() == ["one", "two"]
    assert lrs.call("DELETE", "activities/state", {**context, "registration": REGISTRATION}).status_code == 204
    assert lrs.call("GET", "activities/state", context).json() == ["one"]
    assert lrs.call("DELETE", "activities/state", context).status_code == 204
    assert lrs.call("GET", "activities/state", context).json() == []


def test_the_same_identifier_is_the_same_agent_whatever_its_name(lrs: LrsClient) -> None:
    kept(lrs, "agents/profile")
    other = {"agent": {"name": "别名", "mbox": AGENT["mbox"]}, "profileId": "one"}
    assert lrs.call("GET", "agents/profile", other).status_code == 200
    stranger = {"agent": {"mbox": "mailto:other@example.org"}, "profileId": "one"}
    assert lrs.call("GET", "agents/profile", stranger).status_code == 404


def test_apps_of_others_do_not_see_each_others_documents(lrs: LrsClient) -> None:
    kept(lrs, "activities/state")
    assert new_client("all").call("GET", "activities/state", PLACES["activities/state"]).status_code == 200
    foreign, third = new_client("state", is_first_party=False), new_client("state", is_first_party=False)
    assert foreign.call("GET", "activities/state", PLACES["activities/state"]).status_code == 404
    kept(foreign, "activities/state", {"page": 9})
    assert third.call("GET", "activities/state", PLACES["activities/state"]).status_code == 404
    assert lrs.call("GET", "activities/state", PLACES["activities/state"]).json() == {"page": 1}


def test_a_document_cannot_run_in_the_browser(lrs: LrsClient) -> None:
    kept(lrs, "activities/state", b"<script>alert(1)</script>", "text/html")
    got = lrs.call("GET", "activities/state", PLACES["activities/state"])
    assert got.headers["Content-Security-Policy"].startswith("sandbox")
    assert got.headers["X-Content-Type-Options"] == "nosniff"


@BOTH
def test_a_person_is_the_agent_in_lists(lrs: LrsClient, version: str) -> None:
    lrs.version = version
    agent = {"name": "练习", "account": {"homePage": "https://example.org", "name": "7"}}
    person = lrs.call("GET", "agents", {"agent": agent}).json()
    assert person == {"objectType": "Person", "name": ["练习"], "account": [agent["account"]]}


def test_an_activity_never_heard_of_is_its_id(lrs: LrsClient) -> None:
    assert lrs.call("GET", "activities", {"activityId": ACTIVITY}).json() == {"objectType": "Activity", "id": ACTIVITY}


def test_every_write_leaves_an_entry(lrs: LrsClient, audited: Any) -> None:
    kept(lrs, "activities/state")
    lrs.call("POST", "activities/state", PLACES["activities/state"], {"page": 2})
    lrs.call("DELETE", "activities/state", PLACES["activities/state"])
    assert audited() == ["records.document_kept", "records.document_merged", "records.document_deleted"]
    assert not Document.objects.exists()


def test_sessions_are_no_credentials() -> None:
    assert Browser().get("/xapi/agents", headers={"x-experience-api-version": NEW}).status_code == 401


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=4)


@given(OBJECTS, OBJECTS)
def test_a_merge_keeps_every_value_to_the_last_digit(old: dict[str, Any], new: dict[str, Any]) -> None:
    laid = merged(json.dumps(old).encode(), "application/json", json.dumps(new).encode(), "application/json; charset=utf-8")
    assert json.loads(laid) == {**old, **new}


@given(st.lists(st.text(max_size=6), min_size=5, max_size=5), st.lists(st.text(max_size=6), min_size=5, max_size=5))
def test_two_places_have_one_key_only_if_they_are_one(one: list[str], other: list[str]) -> None:
    def key(parts: list[str]) -> str:
        space, activity, agent, registration, document_id = parts
        place = Place(kind=DocumentKind.STATE, space=space, activity=activity, agent=agent, registration=registration)
        return place.key(document_id)

    assert (key(one) == key(other)) is (one == other)
