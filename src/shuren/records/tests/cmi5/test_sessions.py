"""A unit from launch to end: its token, what it may say, and what the system says by itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.cast import Cast

from shuren.kernel import clock
from shuren.records.models import Course, CourseRegistration, CourseSession, PartProgress
from shuren.records.services.cmi5.end_sessions import end_overdue
from shuren.records.tests.cmi5.course_play import (
    ADL,
    CMI5,
    HOME,
    MOVE_ON,
    PUBLISHER,
    SESSION,
    Unit,
    block,
    bring_in,
    course,
    give,
    launch,
    part_named,
    statements_of,
    unit,
    verbs_of,
)

SCORED = course(
    unit(
        "test",
        moveOn="Passed",
        masteryScore="0.8",
        more="<launchParameters>quiz=1</launchParameters><entitlementKey>k</entitlementKey>",
    ),
    block("reading", unit("read", moveOn="Completed"), unit("extra")),
)


@pytest.fixture
def taken(cast: Cast) -> tuple[Course, CourseRegistration]:
    found = bring_in(cast, SCORED)
    return found, give(cast, found)


@pytest.fixture
def browser(cast: Cast) -> Client:
    return cast.client("pupil")


def opened(browser: Client, taken: tuple[Course, CourseRegistration], name: str = "test", mode: str = "Normal") -> Unit:
    found, registration = taken
    return Unit(launch(browser, registration, part_named(found, name), mode)).begin()


def test_the_token_is_handed_out_once(browser: Client, taken: tuple[Course, CourseRegistration]) -> None:
    found = Unit(launch(browser, taken[1], part_named(taken[0], "test")))
    assert set(found.fetch()) == {"auth-token"}
    again = found.fetch()
    assert again["error-code"] == "1"
    assert "auth-token" not in again
    assert Client().post("/cmi5/fetch/unknown").json()["error-code"] == "2"
    assert Client().get("/cmi5/fetch/unknown").status_code == 405
    assert found.token not in str(list(CourseSession.objects.values()))


def test_the_unit_finds_how_to_behave(browser: Client, taken: tuple[Course, CourseRegistration]) -> None:
    found = opened(browser, taken)
    session = CourseSession.objects.get()
    assert found.data["launchMode"] == "Normal"
    assert found.data["moveOn"] == "Passed"
    assert found.data["masteryScore"] == 0.8
    assert found.data["launchParameters"] == "quiz=1"
    assert found.data["entitlementKey"] == {"courseStructure": "k"}
    assert found.data["returnURL"].startswith(f"{HOME}/courses/mine/")
    assert found.data["contextTemplate"]["extensions"] == {SESSION: str(session.key)}
    assert found.data["contextTemplate"]["contextActivities"]["grouping"][0]["id"] == f"{PUBLISHER}/au/test"
    liking = {"agent": found.told["actor"], "profileId": "cmi5LearnerPreferences"}
    answer = found.get("agents/profile", liking)
    assert answer.json() == {"languagePreference": "zh-CN", "audioPreference": "on"}  # type: ignore[attr-defined]
    etag = answer.headers["ETag"]
    assert found.put("agents/profile", liking, {"audioPreference": "loud"}, If_Match=etag).status_code == 400
    assert found.put("agents/profile", liking, {"audioPreference": "off"}, If_Match=etag).status_code == 204
    other = Unit(launch(browser, taken[1], part_named(taken[0], "read"))).begin()
    assert other.get("agents/profile", liking).json() == {"audioPreference": "off"}  # type: ignore[attr-defined]


def test_launched_tells_what_the_unit_was_launched_with(browser: Client, taken: tuple[Course, CourseRegistration]) -> None:
    opened(browser, taken)
    told = statements_of(taken[1])[-1]
    assert told["verb"]["id"].endswith("/launched")
    names = {key.rpartition("/")[2]: value for key, value in told["context"]["extensions"].items()}
    assert names["launchmode"] == "Normal"
    assert names["launchurl"] == "https://content.example.org/test.html"
    assert (names["moveon"], names["masteryscore"], names["launchparameters"]) == ("Passed", 0.8, "quiz=1")
    assert [one["id"] for one in told["context"]["contextActivities"]["category"]] == [CMI5]
    assert told["object"]["id"] != f"{PUBLISHER}/au/test"
    assert told["actor"]["account"]["homePage"] == HOME


def test_passing_and_completing_satisfies_the_course_once(
    browser: Client, taken: tuple[Course, CourseRegistration], audited: Any
) -> None:
    """`extra` asks for nothing; the block waits for `read`, the course for both."""
    found, registration = taken
    assert verbs_of(registration) == []
    first = opened(browser, taken)
    assert first.say("initialized") == 200
    assert first.say("passed", result={"score": {"scaled": 0.9}}) == 200
    assert first.say("terminated") == 200
    second = opened(browser, taken, "read")
    assert second.say("initialized") == 200
    assert second.say("completed") == 200
    assert second.say("terminated") == 200
    told = statements_of(registration)
    satisfied = [one for one in told if one["verb"]["id"] == f"{ADL}satisfied"]
    assert [one["object"]["definition"]["type"].rpartition("/")[2] for one in satisfied] == ["block", "course"]
    session = second.data["contextTemplate"]["extensions"][SESSION]
    assert {one["context"]["extensions"][SESSION] for one in satisfied} == {session}
    assert PUBLISHER in {one["id"] for one in satisfied[1]["context"]["contextActivities"]["grouping"]}
    registration.refresh_from_db()
    assert registration.satisfied_at is not None
    assert registration.units_done == 3
    third = opened(browser, taken, "read")
    assert third.say("initialized") == 200
    assert third.say("completed") == 403
    assert verbs_of(registration).count("satisfied") == 2
    assert "abandoned" not in verbs_of(registration)
    assert "records.course_satisfied" in audited()
    assert PartProgress.objects.get(part=part_named(found, "test")).score == 0.9
    own = first.data["returnURL"].removeprefix(HOME)
    assert "得分率 90%" in browser.get(own).content.decode()


def test_failing_never_satisfies(browser: Client, taken: tuple[Course, CourseRegistration]) -> None:
    found = opened(browser, taken)
    assert found.say("initialized") == 200
    assert found.say("failed", result={"score": {"scaled": 0.5}}) == 200
    assert found.say("terminated") == 200
    again = opened(browser, taken)
    assert again.say("initialized") == 200
    assert again.say("passed", result={"score": {"scaled": 0.8}}) == 200
    assert verbs_of(taken[1]).count("satisfied") == 0
    progress = PartProgress.objects.get(part=part_named(taken[0], "test"))
    assert progress.satisfied_at is not None
    assert progress.score == 0.8


def test_what_asks_for_nothing_is_satisfied_at_registration(cast: Cast) -> None:
    found = bring_in(cast, course(unit("a"), block("b", unit("c"))))
    registration = give(cast, found)
    told = statements_of(registration)
    assert [one["verb"]["id"] for one in told] == [f"{ADL}satisfied"] * 2
    assert len({one["context"]["extensions"][SESSION] for one in told}) == 1
    assert registration.satisfied_at is not None
    assert registration.units_done == 2


def test_another_launch_gives_up_what_is_open(browser: Client, taken: tuple[Course, CourseRegistration]) -> None:
    first = opened(browser, taken)
    assert first.say("initialized") == 200
    opened(browser, taken, "read")
    told = statements_of(taken[1])
    abandoned = [one for one in told if one["verb"]["id"] == f"{ADL}abandoned"]
    assert len(abandoned) == 1
    assert abandoned[0]["result"]["duration"].startswith("PT")
    assert abandoned[0]["context"]["extensions"] == first.data["contextTemplate"]["extensions"]
    assert first.say("passed") == 403
    assert first.get("activities/state", {**first.place, "stateId": "LMS.LaunchData"}).status_code == 403


def test_windows_left_open_are_given_up(browser: Client, taken: tuple[Course, CourseRegistration]) -> None:
    found = opened(browser, taken)
    assert end_overdue(now=clock.now() + timedelta(hours=11)) == 0
    assert end_overdue(now=clock.now() + timedelta(hours=13)) == 1
    assert end_overdue(now=clock.now() + timedelta(hours=13)) == 0
    assert found.say("initialized") == 403
    assert verbs_of(taken[1]) == ["launched", "abandoned"]


@pytest.mark.parametrize("mode", ["Browse", "Review"])
def test_looking_around_leaves_no_result(browser: Client, taken: tuple[Course, CourseRegistration], mode: str) -> None:
    found = opened(browser, taken, mode=mode)
    assert found.say("initialized") == 200
    assert found.say("passed", result={"score": {"scaled": 0.9}}) == 403
    assert found.say("completed") == 403
    assert found.say("played", is_defined=False) == 200
    assert found.say("terminated") == 200
    assert not PartProgress.objects.exclude(passed_at=None, completed_at=None).exists()


def test_order_within_a_session(browser: Client, taken: tuple[Course, CourseRegistration]) -> None:
    found = opened(browser, taken)
    assert found.say("played", is_defined=False) == 403
    assert found.say("passed") == 403
    assert found.say("initialized") == 200
    assert found.say("initialized") == 403
    assert found.say("failed", result={"score": {"scaled": 0.1}}) == 200
    assert found.say("passed", result={"score": {"scaled": 0.9}}) == 403
    late = found.statement("played", is_defined=False)
    assert found.say("terminated") == 200
    assert found.send(late).status_code == 200
    assert found.say("played", is_defined=False) == 403
    assert found.say("terminated") == 403
    CourseSession.objects.update(closed_at=clock.now() - timedelta(minutes=2))
    assert found.send(found.statement("played", is_defined=False, at=late["timestamp"])).status_code == 403


def test_a_whole_session_in_one_request_is_ordered_by_its_timestamps(
    browser: Client, taken: tuple[Course, CourseRegistration]
) -> None:
    found = opened(browser, taken)
    at = [(clock.now() + timedelta(seconds=turn)).isoformat().replace("+00:00", "Z") for turn in range(3)]
    three = [
        found.statement("terminated", at=at[2]),
        found.statement("passed", at=at[1], result={"score": {"scaled": 1}}),
        found.statement("initialized", at=at[0]),
    ]
    assert found.send(*three).status_code == 200
    assert found.send(*three).status_code == 200
    assert verbs_of(taken[1]).count("passed") == 1


def test_a_request_with_one_fault_leaves_nothing(browser: Client, taken: tuple[Course, CourseRegistration]) -> None:
    found = opened(browser, taken)
    assert found.send(found.statement("initialized"), found.statement("passed", result={"success": False})).status_code == 400
    assert verbs_of(taken[1]) == ["launched"]
    assert CourseSession.objects.get().begun_at is None


WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "no id": ("completed", {"id": None}),
    "no timestamp": ("completed", {"timestamp": None}),
    "another time zone": ("completed", {"timestamp": "2099-11-30T10:00:00+08:00"}),
    "another actor": ("completed", {"actor": {"account": {"name": "somebody"}}}),
    "another registration": ("completed", {"context": {"registration": "6f1a7c4e-6bbf-4b6c-9a58-6f5e9c0f5a11"}}),
    "another session": ("completed", {"context": {"extensions": {SESSION: "another"}}}),
    "no publisher": ("completed", {"context": {"contextActivities": {"grouping": None}}}),
    "another activity": ("completed", {"object": {"id": "https://example.org/another"}}),
    "no moveOn": ("completed", {"context": {"contextActivities": {"category": [{"id": CMI5}]}}}),
    "moveOn with terminated": ("terminated", {"context": {"contextActivities": {"category": [{"id": CMI5}, {"id": MOVE_ON}]}}}),
    "moveOn alone": ("played", {"context": {"contextActivities": {"category": [{"id": MOVE_ON}]}}}),
    "a verb of no unit": ("played", {"context": {"contextActivities": {"category": [{"id": CMI5}]}}}),
    "satisfied": ("completed", {"verb": {"id": f"{ADL}satisfied"}}),
    "no duration": ("completed", {"result": {"duration": None}}),
    "completed without completion": ("completed", {"result": {"completion": None}}),
    "completed with success": ("completed", {"result": {"success": True}}),
    "completed with a score": ("completed", {"result": {"score": {"scaled": 1}}}),
    "passed without success": ("passed", {"result": {"success": None}}),
    "passed below the mastery score": ("passed", {"result": {"score": {"scaled": 0.79}}}),
    "failed at the mastery score": ("failed", {"result": {"score": {"scaled": 0.8}}}),
    "a score below zero": ("failed", {"result": {"score": {"scaled": -0.1}}}),
    "raw without bounds": ("passed", {"result": {"score": {"scaled": 0.9, "raw": 9}}}),
    "progress of a hundred and one": (
        "terminated",
        {"result": {"extensions": {"https://w3id.org/xapi/cmi5/result/extensions/progress": 101}}},
    ),
}


def test_statements_that_do_not_fit_are_refused(browser: Client, taken: tuple[Course, CourseRegistration]) -> None:
    found = opened(browser, taken)
    assert found.say("initialized") == 200
    answers = {
        name: found.send(found.statement(verb, is_defined=verb != "played", **changed)).status_code
        for name, (verb, changed) in WRONG.items()
    }
    assert answers == dict.fromkeys(WRONG, 400)
    void = {"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}}
    void["object"] = {"objectType": "StatementRef", "id": "6f1a7c4e-6bbf-4b6c-9a58-6f5e9c0f5a11"}
    assert found.say("played", is_defined=False, **void) == 403
    assert verbs_of(taken[1]) == ["launched", "initialized"]


def test_a_unit_reaches_its_own_registration_and_nothing_else(
    cast: Cast, browser: Client, taken: tuple[Course, CourseRegistration]
) -> None:
    other = bring_in(cast, course(unit("x", moveOn="Passed"), id="https://press.example.org/other"))
    opened(browser, (other, give(cast, other)), "x")
    found = opened(browser, taken)
    told = found.get("statements", {}).json()["statements"]  # type: ignore[attr-defined]
    assert {one["context"]["registration"] for one in told} == {str(taken[1].key)}
    foreign = statements_of(CourseRegistration.objects.get(course=other, person=taken[1].person))[0]
    assert found.get("statements", {"statementId": foreign["id"]}).status_code == 404
    assert found.get("statements", {"registration": foreign["context"]["registration"]}).status_code == 403
    own = {**found.place, "stateId": "page"}
    assert found.put("activities/state", own, {"page": 3}).status_code == 204
    assert found.get("activities/state", own).json() == {"page": 3}  # type: ignore[attr-defined]
    assert found.put("activities/state", {**own, "stateId": "LMS.LaunchData"}, {}).status_code == 403
    mate = {"objectType": "Agent", "account": {"homePage": HOME, "name": "4d9xk2m3n5p7q"}}
    assert found.get("activities/state", {**own, "agent": str(mate).replace("'", '"')}).status_code == 403
    assert found.put("activities/state", {**own, "registration": str(foreign["context"]["registration"])}, {}).status_code == 403
    found.token = "Y21pNS0wOmJhZA=="
    assert found.get("statements", {}).status_code == 401
