"""What every xAPI resource does alike: versions, credentials, scopes, parameters, forms, errors."""

import json
from hashlib import sha1
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser

from shuren.records.tests.lrs_client import ACTIVITY, AGENT, NEW, OLD, LrsClient, new_client

STATE = {"activityId": ACTIVITY, "agent": AGENT, "stateId": "bookmark"}
VERSION = "X-Experience-API-Version"
pytestmark = [pytest.mark.django_db, pytest.mark.tables]


@pytest.fixture
def lrs() -> LrsClient:
    return new_client("all")


@pytest.mark.parametrize(
    ("sent", "status", "answered"),
    [
        ("1.0", 200, OLD),
        ("1.0.0", 200, OLD),
        ("1.0.2", 200, OLD),
        ("1.0.9", 200, OLD),
        ("2.0", 200, NEW),
        ("2.0.0", 200, NEW),
        ("2.0.1", 200, NEW),
        ("0.95", 400, OLD),
        ("1.1", 400, OLD),
        ("1.1.0", 400, OLD),
        ("2.1.0", 400, OLD),
        ("3.0.0", 400, OLD),
        ("bad", 400, OLD),
        ("", 400, OLD),
        (None, 400, OLD),
    ],
)
def test_versions_are_answered_in_their_latest_patch(lrs: LrsClient, sent: str | None, status: int, answered: str) -> None:
    response = lrs.call("GET", "activities", {"activityId": ACTIVITY}, x_experience_api_version=sent)
    assert response.status_code == status
    assert response.headers[VERSION] == answered
    assert response.headers["X-Experience-API-Consistent-Through"].endswith("Z")


def test_a_missing_version_is_refused_in_the_version_that_the_client_speaks(lrs: LrsClient) -> None:
    lrs.call("GET", "activities", {"activityId": ACTIVITY}, x_experience_api_version="2.0.0")
    assert lrs.call("GET", "activities", {"activityId": ACTIVITY}, x_experience_api_version=None).headers[VERSION] == NEW


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_about_is_open_and_needs_no_version(method: str) -> None:
    response = Browser().generic(method, "/xapi/about")
    assert response.status_code == 200
    assert response.headers[VERSION] == OLD
    assert Browser().post("/xapi/about").status_code == 405
    assert {OLD, NEW} <= set(Browser().get("/xapi/about").json()["version"])


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        ("", 401),
        ("Basic", 401),
        ("Basic !!!", 401),
        ("Basic bm9ib2R5Om5vdGhpbmc=", 401),
        ("Bearer nonsense", 401),
        ("Digest x", 401),
    ],
)
def test_strangers_are_asked_who_they_are(lrs: LrsClient, header: str | None, status: int) -> None:
    response = lrs.call("GET", "activities/state", STATE, authorization=header)
    assert response.status_code == status
    assert response.headers["WWW-Authenticate"]
    assert response.json()["error"]["status"] == status


@pytest.mark.parametrize(
    ("scopes", "method", "path", "status"),
    [
        ({"statements/write"}, "GET", "activities/state", 403),
        ({"statements/write"}, "PUT", "activities/state", 403),
        ({"state"}, "PUT", "activities/state", 204),
        ({"state"}, "PUT", "agents/profile", 403),
        ({"profiles"}, "PUT", "agents/profile", 204),
        ({"all/read"}, "PUT", "activities/state", 403),
        ({"all/read"}, "GET", "activities/state", 404),
        ({"all"}, "PUT", "activities/state", 204),
        ({"directory.read"}, "PUT", "activities/state", 403),
    ],
)
def test_scopes_open_what_they_name(scopes: set[str], method: str, path: str, status: int) -> None:
    params = {"agent": AGENT, "profileId": "p"} if path == "agents/profile" else STATE
    lrs = new_client(*scopes)
    assert lrs.call(method, path, params, {"a": 1}, if_none_match="*").status_code == status


@pytest.mark.parametrize("version", [OLD, NEW])
@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("activities/state", {**STATE, "foo": "bar"}),
        ("activities/state", {"ActivityId": ACTIVITY, "agent": AGENT, "stateId": "s"}),
        ("activities/state", {"activityId": ACTIVITY, "Agent": AGENT, "stateId": "s"}),
        ("activities/state", {"agent": AGENT, "stateId": "s"}),
        ("activities/state", {"activityId": ACTIVITY, "stateId": "s"}),
        ("activities/state", {**STATE, "registration": "not-a-uuid"}),
        ("activities/state", {**STATE, "activityId": "no scheme"}),
        ("activities/state", {**STATE, "activityId": "noscheme"}),
        ("activities/state", {**STATE, "agent": "not JSON"}),
        ("activities/state", {**STATE, "agent": "true"}),
        ("activities/state", {**STATE, "agent": "[]"}),
        ("activities/state", {**STATE, "agent": {"mbox": "pupil@example.org"}}),
        ("activities/state", {**STATE, "agent": {}}),
        ("activities/state", {**STATE, "agent": {"objectType": "Group", "member": [AGENT]}}),
        ("activities/state", {**STATE, "agent": '{"mbox":"mailto:a@example.org","name":"\\ud800"}'}),
        ("activities/state", {**STATE, "agent": "[" * 20_000}),
        ("activities/state", {**STATE, "stateId": "a\x00b"}),
        ("activities/state", {**STATE, "stateId": ""}),
        ("activities/state", {"activityId": ACTIVITY, "agent": AGENT, "since": "not a timestamp"}),
        ("activities/state", {"activityId": ACTIVITY, "agent": AGENT, "since": "2026-01-01"}),
        ("activities/profile", {"profileId": "p"}),
        ("activities/profile", {"activityId": ACTIVITY, "profileId": "p", "agent": AGENT}),
        ("agents/profile", {"profileId": "p"}),
        ("agents", {}),
        ("agents", {"agent": "{"}),
        ("activities", {}),
        ("activities", {"activityId": "relative/path"}),
        ("activities", {"activityId": ACTIVITY, "method": "GET"}),
    ],
)
def test_what_is_asked_wrongly_is_a_bad_request(lrs: LrsClient, version: str, path: str, params: dict[str, object]) -> None:
    response = lrs.call("GET", path, params, x_experience_api_version=version)
    assert response.status_code == 400
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("query", ["activityId=a:b&activityId=a:b", "activityId=%ff%fe", "activityId=" + "&x=1" * 100])
def test_parameters_that_cannot_be_read_are_a_bad_request(lrs: LrsClient, query: str) -> None:
    lrs.base = f"/xapi/activities?{query}#"
    headers = {"authorization": lrs.basic, "x-experience-api-version": NEW}
    assert Browser().generic("GET", f"/xapi/activities?{query}", headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "activities"), ("POST", "activities"), ("PUT", "agents"), ("DELETE", "agents"), ("PATCH", "activities/state")],
)
def test_methods_that_a_resource_lacks_are_told_before_anything_else(lrs: LrsClient, method: str, path: str) -> None:
    response = lrs.call(method, path, {"activityId": ACTIVITY}, authorization=None)
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


def test_head_says_what_get_would(lrs: LrsClient) -> None:
    lrs.call("POST", "activities/state", STATE, {"page": 3})
    got, head = lrs.call("GET", "activities/state", STATE), lrs.call("HEAD", "activities/state", STATE)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("ETag", "Last-Modified", "Content-Length", "Content-Type", VERSION):
        assert head.headers[name] == got.headers[name]


def test_a_browser_may_call_from_another_origin() -> None:
    response = Browser().options("/xapi/activities/state", headers={"origin": "https://content.example.org"})
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert VERSION in response.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_what_is_too_large_is_told_so(lrs: LrsClient, settings: object) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000  # type: ignore[attr-defined]  # the fixture of pytest-django
    assert lrs.call("POST", "activities/state", STATE, {"a": "x" * 2000}).status_code == 413


FORM = "application/x-www-form-urlencoded"


def form(**fields: object) -> bytes:
    return urlencode({key: json.dumps(value) if isinstance(value, dict) else value for key, value in fields.items()}).encode()


def test_a_form_stands_for_a_request_in_the_older_version(lrs: LrsClient) -> None:
    lrs.version = OLD
    sent = form(**STATE, content={"page": 3})
    assert lrs.call("POST", "activities/state", {"method": "PUT"}, sent, FORM).status_code == 204
    got = lrs.call("POST", "activities/state", {"method": "GET"}, form(**STATE), FORM)
    assert (got.status_code, got.json()) == (200, {"page": 3})
    tagged = form(**STATE, content={"page": 4}, **{"If-Match": got.headers["ETag"]})
    assert lrs.call("POST", "activities/state", {"method": "PUT"}, tagged, FORM).status_code == 204
    stale = form(**STATE, content={"page": 5}, **{"If-Match": got.headers["ETag"]})
    assert lrs.call("POST", "activities/state", {"method": "PUT"}, stale, FORM).status_code == 412


def test_a_form_may_bring_the_headers_that_are_missing(lrs: LrsClient) -> None:
    sent = form(**STATE, content="text", Authorization=lrs.basic, **{VERSION: OLD, "Content-Type": "text/plain"})
    headers = {"authorization": None, "x_experience_api_version": None}
    assert lrs.call("POST", "activities/state", {"method": "PUT"}, sent, FORM, **headers).status_code == 204
    got = lrs.call("GET", "activities/state", STATE)
    assert (got.content, got.headers["Content-Type"]) == (b"text", "text/plain")


@pytest.mark.parametrize(
    ("verb", "params", "body", "content_type"),
    [
        ("GET", {"method": "POST"}, b"", FORM),
        ("POST", {"method": "PUT"}, b"", FORM),
        ("POST", {"method": "PUT"}, form(**STATE), FORM),
        ("POST", {"method": "GET"}, form(**STATE, content="x"), FORM),
        ("POST", {"method": "PUT", "stateId": "s"}, form(**STATE, content="x"), FORM),
        ("POST", {"method": "PATCH"}, form(**STATE, content="x"), FORM),
        ("POST", {"method": "PUT"}, b'{"content": 1}', FORM),
        ("POST", {"method": "PUT"}, form(**STATE, content="x"), "application/json"),
        ("POST", {"method": "PUT"}, form(**STATE, content="x", foo="bar"), FORM),
        ("POST", {"method": "PUT"}, b"\xff\xfe", FORM),
    ],
)
def test_forms_that_stand_for_nothing_are_a_bad_request(
    lrs: LrsClient, verb: str, params: dict[str, str], body: bytes, content_type: str
) -> None:
    lrs.version = OLD
    assert lrs.call(verb, "activities/state", params, body, content_type).status_code == 400


@pytest.mark.parametrize("header", [NEW, None])
def test_the_newer_version_knows_no_forms(lrs: LrsClient, header: str | None) -> None:
    sent = form(**STATE, content="x", **{VERSION: NEW})
    refused = lrs.call("POST", "activities/state", {"method": "PUT"}, sent, FORM, x_experience_api_version=header)
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, "2.0 knows no requests in forms.")


@pytest.mark.parametrize(("field", "status"), [({VERSION: "0.8"}, 400), ({"Authorization": "Basic bm9ib2R5OngK"}, 401)])
def test_fields_that_stand_for_headers_are_the_headers(lrs: LrsClient, field: dict[str, str], status: int) -> None:
    lrs.version = OLD
    sent = form(**STATE, content={"page": 3}, **field)
    assert lrs.call("POST", "activities/state", {"method": "PUT"}, sent, FORM).status_code == status


def test_whoever_tells_neither_version_nor_name_is_asked_for_the_version(lrs: LrsClient) -> None:
    refused = lrs.call("GET", "activities", {"activityId": ACTIVITY}, authorization=None, x_experience_api_version=None)
    assert (refused.status_code, refused.headers[VERSION]) == (400, OLD)
    wrong = {"authorization": "Basic bm9ib2R5OngK", "x_experience_api_version": None}
    assert lrs.call("GET", "activities", {"activityId": ACTIVITY}, **wrong).status_code == 401


@pytest.mark.parametrize(("version", "status"), [(OLD, 400), (NEW, 204)])
@pytest.mark.parametrize(("path", "name"), [("activities/state", "stateId"), ("agents/profile", "profileId")])
def test_documents_of_a_group_with_an_identifier_are_of_the_newer_version(
    lrs: LrsClient, path: str, name: str, version: str, status: int
) -> None:
    lrs.version = version
    group = {"objectType": "Group", "mbox": "mailto:class@example.org", "member": [AGENT]}
    params = {"agent": group, name: "plan"} | ({"activityId": ACTIVITY} if name == "stateId" else {})
    assert lrs.call("PUT", path, params, {"page": 3}, if_none_match="*").status_code == status
    alone = params | {"agent": {"objectType": "Group", "mbox": "mailto:class@example.org"}}
    assert lrs.call("GET", path, alone).status_code == (400 if status == 400 else 200)
    assert lrs.call("GET", "agents", {"agent": group}).status_code == 400


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("agents", {"agent": AGENT}),
        ("activities", {"activityId": ACTIVITY}),
        ("activities/state", {"activityId": ACTIVITY, "agent": AGENT}),
        ("activities/profile", {"activityId": ACTIVITY}),
        ("agents/profile", {"agent": AGENT}),
    ],
)
def test_what_is_read_has_the_entity_tag_of_its_content(lrs: LrsClient, path: str, params: dict[str, object]) -> None:
    got = lrs.call("GET", path, params)
    assert got.headers["ETag"] == f'"{sha1(got.content, usedforsecurity=False).hexdigest()}"'
