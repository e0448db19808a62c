"""OneRoster 1.2 as its clients read it, through the whole server."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole
from shuren.directory.models import Affiliation, Enrollment
from shuren.identity import api as identity
from shuren.identity.data import GrantType, NewClient
from shuren.identity.rules.oauth.scopes import ONEROSTER_SCOPES
from shuren.identity.services.oauth.families import own_access_token
from shuren.identity.views.oauth.words import scope_lines
from shuren.interop.rules.oneroster import scopes
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.standards.api import load_registry
from tests.cast import Cast

SCOPE = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
ROOT = "/ims/oneroster/rostering/v1p2"
COLLECTIONS = (
    "academicSessions",
    "classes",
    "courses",
    "demographics",
    "enrollments",
    "gradingPeriods",
    "orgs",
    "schools",
    "students",
    "teachers",
    "terms",
    "users",
)
ENVELOPES = {"gradingPeriods": "academicSessions", "terms": "academicSessions", "schools": "orgs"} | dict.fromkeys(
    ("students", "teachers"), "users"
)


@dataclass
class Peer:
    """A client with a token."""

    headers: dict[str, str]
    client: Client

    def ask(self, path: str, method: str = "GET", **query: str) -> Any:
        return self.client.generic(method, f"{ROOT}{path}", QUERY_STRING="", headers=self.headers, query_params=query)

    def told(self, path: str, **query: str) -> Any:
        response = self.ask(path, **query)
        assert response.status_code == 200, response.content
        return response.json()

    def listed(self, path: str, **query: str) -> list[dict[str, Any]]:
        body = self.told(path, **query)
        assert len(body) == 1
        rows: list[dict[str, Any]] = next(iter(body.values()))
        return rows


def peer_of(cast: Cast, *scopes: str, org: str = "school", is_first_party: bool = True) -> Peer:
    named = frozenset(SCOPE + scope for scope in scopes or ("roster.readonly", "roster-demographics.readonly"))
    client = NewClient(
        name="排课系统",
        grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}),
        scopes=named,
        is_first_party=is_first_party,
        org_id=cast.orgs[org].id,
    )
    made = identity.register_client(actor=SYSTEM, client=client, now=clock.now())
    token = own_access_token(client_pk=made.id, scopes=tuple(named), now=clock.now())
    return Peer({"Authorization": f"Bearer {token}"}, Client())


@pytest.fixture
def school(cast: Cast) -> Iterator[Peer]:
    load_registry()
    cache.clear()
    yield peer_of(cast)
    cache.clear()


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_collection_and_each_of_its_objects(school: Peer, name: str) -> None:
    response = school.ask(f"/{name}")
    assert response.status_code == 200, response.content
    body = response.json()
    assert list(body) == [ENVELOPES.get(name, name)]
    rows = next(iter(body.values()))
    assert response.headers["X-Total-Count"] == str(len(rows))
    for row in rows[:3]:
        one = school.told(f"/{name}/{row['sourcedId']}")
        assert list(one.values()) == [row]
        assert {"sourcedId", "status", "dateLastModified"} <= row.keys()
        assert row["status"] in ("active", "tobedeleted")
        assert datetime.fromisoformat(row["dateLastModified"]).tzinfo == UTC
    if name not in ("gradingPeriods",):
        assert rows


def test_people_are_told_with_their_roles_at_their_school(school: Peer, cast: Cast) -> None:
    user = school.told(f"/users/{cast.people['pupil'].public_id}")["user"]
    assert (user["familyName"], user["givenName"], user["enabledUser"]) == ("张", "三", "true")
    role = user["roles"][0]
    assert (role["roleType"], role["role"]) == ("primary", "student")
    assert role["org"] == {
        "href": f"http://testserver{ROOT}/orgs/{cast.orgs['school'].public_id}",
        "sourcedId": cast.orgs["school"].public_id,
        "type": "org",
    }
    assert [agent["sourcedId"] for agent in user["agents"]] == [cast.people["parent"].public_id]


def test_a_class_names_its_course_its_school_and_its_terms(school: Peer, cast: Cast) -> None:
    row = school.told(f"/classes/{cast.orgs['class'].public_id}")["class"]
    assert (row["title"], row["classType"]) == ("四年级1班", "homeroom")
    assert row["school"]["sourcedId"] == cast.orgs["school"].public_id
    # The standard wants a course and a term of every class: what the refs name can be read.
    assert school.told(f"/courses/{row['course']['sourcedId']}")["course"]["title"]
    assert school.told(f"/terms/{row['terms'][0]['sourcedId']}")["academicSession"]["type"] == "term"
    assert row["course"]["sourcedId"] in {one["sourcedId"] for one in school.listed("/courses")}


def test_nested_places(school: Peer, cast: Cast) -> None:
    class_id, school_id = cast.orgs["class"].public_id, cast.orgs["school"].public_id

    def people(path: str) -> set[str]:
        return {row["sourcedId"] for row in school.listed(path)}

    pupils = {cast.people[key].public_id for key in ("pupil", "classmate")}
    teachers = {cast.people[key].public_id for key in ("teacher", "class_teacher")}
    assert people(f"/classes/{class_id}/students") == pupils
    assert people(f"/classes/{class_id}/teachers") == teachers
    assert people(f"/schools/{school_id}/students") == pupils | {cast.people["other_pupil"].public_id}
    assert teachers <= people(f"/schools/{school_id}/teachers")
    assert people(f"/schools/{school_id}/classes/{class_id}/students") == pupils
    both = {cast.orgs["class"].public_id, cast.orgs["other_class"].public_id}
    assert people(f"/schools/{school_id}/classes") == both
    for owner in ("students", "users"):
        assert people(f"/{owner}/{cast.people['pupil'].public_id}/classes") == {class_id}
    assert people(f"/teachers/{cast.people['teacher'].public_id}/classes") == {class_id}
    rows = school.listed(f"/schools/{school_id}/classes/{class_id}/enrollments")
    assert {row["user"]["sourcedId"] for row in rows} == pupils | teachers
    assert {row["role"] for row in rows} == {"student", "teacher"}
    for path in ("courses", "enrollments", "teachers", "terms"):
        school.listed(f"/schools/{school_id}/{path}")
    term = school.listed("/terms")[0]["sourcedId"]
    assert school.ask(f"/terms/{term}/classes").status_code in (200, 404)


def test_what_lies_out_of_reach_does_not_exist(school: Peer, cast: Cast) -> None:
    far = {"orgs": cast.orgs["far_school"], "classes": cast.orgs["far_class"], "users": cast.people["far_pupil"]}
    for name, row in far.items():
        answer = school.ask(f"/{name}/{row.public_id}")
        assert answer.status_code == 404
        fault = answer.json()
        assert fault["imsx_codeMajor"] == "failure"
        assert fault["imsx_severity"] == "error"
        minor = fault["imsx_CodeMinor"]["imsx_codeMinorField"][0]
        assert minor["imsx_codeMinorFieldValue"] == "unknownobject"
    assert school.ask(f"/schools/{cast.orgs['far_school'].public_id}/classes").status_code == 404
    mixed = f"/schools/{cast.orgs['other_school'].public_id}/classes/{cast.orgs['class'].public_id}/students"
    assert school.ask(mixed).status_code == 404


@pytest.mark.parametrize(
    ("path", "wanted", "keys"),
    [
        ("/users", "familyName='张' AND givenName='三'", {"pupil"}),
        ("/students", "familyName='张' OR familyName='刘'", {"pupil", "classmate", "other_pupil"}),
        ("/students", "familyName!='张'", {"other_pupil"}),
        ("/students", "givenName~'雨'", {"classmate"}),
        ("/students", "roles.role='student' AND familyName>='刘' AND", None),
        ("/users", "roles.role='principal'", {"head"}),
        ("/users", "enabledUser='false'", set()),
        ("/users", "metadata.nothing='1'", set()),
        ("/students", "status='active' AND givenName='洋'", {"other_pupil"}),
        ("/students", "status='tobedeleted'", set()),
    ],
)
def test_filters(school: Peer, cast: Cast, path: str, wanted: str, keys: set[str] | None) -> None:
    response = school.ask(path, filter=wanted)
    if keys is None:
        assert response.status_code == 400
        return
    assert response.status_code == 200, response.content
    found = {row["sourcedId"] for row in next(iter(response.json().values()))}
    assert found == {cast.people[key].public_id for key in keys}


def test_an_unknown_filter_field_is_named_so(school: Peer) -> None:
    answer = school.ask("/users", filter="shoeSize='42'")
    assert answer.status_code == 400
    fault = answer.json()
    assert (fault["imsx_codeMajor"], fault["imsx_severity"]) == ("failure", "error")
    assert fault["imsx_CodeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"] == "invalid_filter_field"


def test_refs_are_filtered_by_their_ids(school: Peer, cast: Cast) -> None:
    class_id = cast.orgs["class"].public_id
    rows = school.listed("/enrollments", filter=f"class.sourcedId='{class_id}' AND role='teacher'")
    assert {row["class"]["sourcedId"] for row in rows} == {class_id}
    assert {row["role"] for row in rows} == {"teacher"}
    rest = school.listed("/enrollments", filter=f"class.sourcedId!='{class_id}'")
    assert class_id not in {row["class"]["sourcedId"] for row in rest}
    assert len(school.listed("/classes", filter=f"school.sourcedId='{cast.orgs['school'].public_id}'")) == 2
    assert school.listed("/classes", filter=f"school.sourcedId='{cast.orgs['far_school'].public_id}'") == []


def test_pages_follow_each_other_and_say_where_they_stand(school: Peer) -> None:
    whole = [row["sourcedId"] for row in school.listed("/users", limit="10000")]
    seen: list[str] = []
    for offset in range(0, len(whole), 3):
        response = school.ask("/users", limit="3", offset=str(offset))
        rows = response.json()["users"]
        seen += [row["sourcedId"] for row in rows]
        assert response.headers["X-Total-Count"] == str(len(whole))
        links = response.headers["Link"]
        assert 'rel="first"' in links
        assert 'rel="last"' in links
        assert ('rel="next"' in links) == (offset + 3 < len(whole))
        assert ('rel="prev"' in links) == (offset > 0)
    assert seen == whole
    assert school.listed("/users", offset=str(len(whole))) == []


def test_order_and_fields(school: Peer) -> None:
    names = [row["name"] for row in school.listed("/orgs", sort="name", orderBy="desc")]
    assert names == sorted(names, key=lambda name: name.encode(), reverse=True)
    # A field to sort by that nobody knows changes nothing.
    assert school.listed("/users", sort="shoeSize") == school.listed("/users")
    assert {tuple(row) for row in school.listed("/users", fields="sourcedId,familyName")} == {("sourcedId", "familyName")}
    assert school.listed("/users", fields="shoeSize") == school.listed("/users")
    answer = school.ask("/users", fields="")
    assert answer.status_code == 400
    minor = answer.json()["imsx_CodeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"]
    assert minor == "invalid_selection_field"


def test_changes_since_a_moment(school: Peer, cast: Cast) -> None:
    pupil = cast.people["pupil"]
    latest = max(row["dateLastModified"] for row in school.listed("/users"))
    assert school.listed("/users", filter=f"dateLastModified>'{latest}'") == []
    directory.correct_person(actor=SYSTEM, person_id=pupil.id, changes={"name": "张叁"}, now=clock.now())
    rows = school.listed("/users", filter=f"dateLastModified>'{latest}'")
    assert [row["sourcedId"] for row in rows] == [pupil.public_id]
    assert rows[0]["dateLastModified"] > latest


def test_who_leaves_stays_as_a_stone_without_a_name(school: Peer, cast: Cast) -> None:
    pupil, now = cast.people["pupil"], clock.now()
    before = max(row["dateLastModified"] for row in school.listed("/enrollments"))
    place = Enrollment.objects.get(person_id=pupil.id)
    directory.transfer(actor=SYSTEM, enrollment_id=place.pk, class_id=cast.orgs["far_class"].id, now=now)
    for role in Affiliation.objects.filter(person_id=pupil.id, end_date__isnull=True):
        directory.end_affiliation(actor=SYSTEM, affiliation_id=role.pk, now=now)
    rows = school.listed("/enrollments", filter=f"dateLastModified>'{before}'")
    assert [(row["status"], row["user"]["sourcedId"]) for row in rows] == [("tobedeleted", pupil.public_id)]
    user = school.told(f"/users/{pupil.public_id}")["user"]
    assert (user["status"], user["enabledUser"], user["familyName"]) == ("tobedeleted", "false", "*")
    assert "张" not in str(user)
    assert school.listed(f"/classes/{cast.orgs['class'].public_id}/students", filter="givenName='三'") == []


def test_scopes_open_what_they_name(cast: Cast) -> None:
    load_registry()
    core = peer_of(cast, "roster-core.readonly")
    assert core.ask("/users").status_code == 200
    for path in (f"/classes/{cast.orgs['class'].public_id}/students", "/demographics"):
        refused = core.ask(path)
        assert refused.status_code == 403
        assert refused.json()["imsx_codeMajor"] == "failure"
    only = peer_of(cast, "roster-demographics.readonly")
    assert only.ask("/demographics").status_code == 200
    assert only.ask("/users").status_code == 403


def test_every_error_has_the_shape_of_the_standard(school: Peer) -> None:
    stranger = Peer({}, Client())
    cases = [
        (stranger, "/users", "GET", 401),
        (school, "/users", "DELETE", 405),
        (school, "/nowhere", "GET", 404),
        (school, "/users/none", "GET", 404),
        (school, "/users/none/pets", "GET", 404),
    ]
    for peer, path, method, status in cases:
        response = peer.ask(path, method)
        assert response.status_code == status, path
        assert response.headers["Content-Type"] == "application/json"
        assert response.json()["imsx_severity"] == "error"
    for query in ({"limit": "0"}, {"limit": "x"}, {"offset": "-1"}, {"orderBy": "up"}, {"filter": "nonsense"}):
        assert school.ask("/users", **query).status_code == 400, query
    elsewhere = school.client.get("/ims/oneroster/elsewhere", headers=school.headers)
    assert (elsewhere.status_code, elsewhere.json()["imsx_codeMajor"]) == (404, "failure")


def test_an_app_of_others_is_told_as_people_agreed(cast: Cast) -> None:
    load_registry()
    cache.clear()
    peer = peer_of(cast, "roster.readonly", "roster-demographics.readonly", is_first_party=False)
    pupil = cast.people["pupil"]
    user = peer.told(f"/users/{pupil.public_id}")["user"]
    assert user["username"] == pupil.public_id
    assert "三" not in str(user)
    assert "identifier" not in user
    assert "phone" not in user
    assert "birthDate" not in peer.told(f"/demographics/{pupil.public_id}")["demographics"]
    # Nobody is found by what the app is not told of them.
    assert peer.listed("/users", filter="givenName='三'") == []
    assert pupil.public_id in {row["sourcedId"] for row in peer.listed("/users", filter="givenName!='三'")}


def test_a_place_that_ends_by_its_date_changes_at_that_midnight(school: Peer, cast: Cast, monkeypatch: Any) -> None:
    now = clock.now()
    teacher, class_ = cast.people["head"], cast.orgs["class"]
    end = clock.day_of(now) + timedelta(days=2)
    directory.enrol(actor=SYSTEM, person_id=teacher.id, class_id=class_.id, role=EnrollmentRole.TEACHER, end_date=end, now=now)
    wanted = f"user.sourcedId='{teacher.public_id}'"
    [row] = school.listed("/enrollments", filter=wanted)
    assert (row["status"], row["endDate"]) == ("active", end.isoformat())
    later = now + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    peer = peer_of(cast)
    [row] = peer.listed("/enrollments", filter=wanted)
    assert row["status"] == "tobedeleted"
    since = (now + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert row in peer.listed("/enrollments", filter=f"dateLastModified>'{since}'")


def test_every_scope_can_be_registered_and_is_told_in_words() -> None:
    assert set(scopes.ALL) == set(ONEROSTER_SCOPES)
    assert len(scope_lines(scopes.ALL)) < len(scopes.ALL)
    assert not {line.text for line in scope_lines(scopes.ALL)} & set(scopes.ALL)
