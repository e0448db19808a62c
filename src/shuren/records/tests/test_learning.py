"""How classes and pupils learn, out of what apps told: figures, whom to look at first, and who may see whom."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from tests.cast import Cast

from shuren.kernel import clock, ids
from shuren.records.data import LearnerLearning, LearnerState
from shuren.records.rules.learning import state_of
from shuren.records.selectors.learning import nothing_of
from shuren.records.services.write_lake import write_due_days
from shuren.records.tests.lrs_client import new_client
from shuren.records.tests.sample_statements import whole

UNTIL = date(2026, 11, 30)
FRACTIONS, DECIMALS = "https://e.cn/fractions", "https://e.cn/decimals"


@pytest.fixture(autouse=True)
def lake(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path / "lake"


def told(cast: Cast, key: str, activity: str, *, success: bool, score: float, duration: str) -> dict[str, Any]:
    return whole(
        actor={"account": {"homePage": "http://testserver", "name": ids.encode("person", cast.people[key].id)}},
        object={"id": activity, "definition": {"name": {"zh-CN": activity.rpartition("/")[2]}}},
        result={"success": success, "score": {"scaled": score}, "duration": duration},
    )


@pytest.fixture
def learned(cast: Cast) -> Cast:
    """A pupil passed two of six attempts at fractions and one at decimals; somebody far away learned, too."""
    tries = [
        told(cast, "pupil", FRACTIONS, success=at < 2, score=0.9 if at < 2 else 0.3, duration="PT2M" if at else "PT10M")
        for at in range(6)
    ]
    tries.append(told(cast, "pupil", DECIMALS, success=True, score=1.0, duration="PT5M"))
    tries.append(told(cast, "far_pupil", FRACTIONS, success=True, score=1.0, duration="PT1H"))
    assert new_client().call("POST", "statements", body=tries).status_code == 200
    write_due_days(now=clock.now())
    return cast


def exported(browser: Client, path: str, **query: str) -> list[list[str]]:
    answer: Any = browser.get(path, {"export": "csv", **query})
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode("utf-8-sig")
    return [row for row in csv.reader(io.StringIO(text)) if row]


def page_of(cast: Cast, name: str = "learning_activities", side: str = "") -> str:
    return reverse(f"records:{name}", args=[ids.encode("org", cast.orgs[f"{side}class"].id)])


def test_a_class_shows_what_to_teach_again_first(learned: Cast) -> None:
    rows = exported(learned.client("class_teacher"), page_of(learned))
    head, found = rows[0], {row[0]: row for row in rows[1:]}
    assert [row[0] for row in rows[1:3]] == ["fractions", "decimals"]
    figures = dict(zip(head, found["fractions"], strict=True))
    assert (figures["学习人数"], figures["作答"]) == ("1", "6")
    assert [round(float(figures[title].rstrip("%"))) for title in ("通过率", "得分率")] == [33, 50]
    assert (figures["用时（分钟）"], figures["一次用时中位数（秒）"]) == ("20", "120.0")
    page = learned.client("class_teacher").get(page_of(learned))
    assert [str(fact.value) for fact in page.context["facts"][:3]][1:] == ["2", "7"]
    assert page.context["chart"].series[0].points[-1].value == 1
    assert len(page.context["chart"].series[0].points) == 30


def test_pupils_to_look_at_come_first_and_a_state_narrows(learned: Cast) -> None:
    path = page_of(learned, "learning_learners")
    rows = exported(learned.client("class_teacher"), path)
    states = [row[1] for row in rows[1:]]
    assert states == sorted(states, key=["没有学习", "通过率低", "一周没有学习", "正常"].index)
    mine = next(row for row in rows if row[0] == learned.people["pupil"].name)
    assert mine[1] == "通过率低"
    only = exported(learned.client("class_teacher"), path, state="struggling")
    assert [row[0] for row in only[1:]] == [learned.people["pupil"].name]
    past = exported(learned.client("class_teacher"), path, until="2020-01-31")
    assert {row[1] for row in past[1:]} == {"没有学习"}


def test_everybody_sees_those_they_answer_for_and_nobody_else(learned: Cast) -> None:
    one = reverse("records:learner", args=[ids.encode("person", learned.people["pupil"].id)])
    for role in ("pupil", "parent", "class_teacher", "teacher", "head"):
        assert "fractions" in learned.client(role).get(one).content.decode(), role
    for role in ("far_pupil", "county_officer", "province_officer", "far_head"):
        assert learned.client(role).get(one).status_code == 404, role
    named = page_of(learned, "learning_learners")
    for role, status in (("teacher", 200), ("head", 200), ("county_officer", 404), ("pupil", 404), ("far_head", 404)):
        assert learned.client(role).get(named).status_code == status, role
    for role, status in (("county_officer", 200), ("far_head", 404), ("pupil", 404), ("parent", 404)):
        assert learned.client(role).get(page_of(learned)).status_code == status, role
    school = reverse("records:learning_activities", args=[ids.encode("org", learned.orgs["school"].id)])
    assert "fractions" in learned.client("head").get(school).content.decode()
    assert learned.client("class_teacher").get(school).status_code == 404


def test_classes_are_listed_for_who_teaches_or_watches_them(learned: Cast) -> None:
    path = reverse("records:classes_learning")
    near, far = learned.orgs["class"].name, learned.orgs["far_class"].name
    for role, seen in (
        ("class_teacher", {near}),
        ("head", {near}),
        ("county_officer", {near}),
        ("province_officer", {near, far}),
        ("pupil", set()),
    ):
        assert {row[0] for row in exported(learned.client(role), path)[1:]} & {near, far} == seen, role
    silent = exported(learned.client("class_teacher"), path, until="2020-01-31")
    assert (silent[1][0], silent[1][1]) == (near, "0")


def test_ones_own_learning_is_opened_at_once(learned: Cast) -> None:
    own = reverse("records:learner", args=[ids.encode("person", learned.people["pupil"].id)])
    assert learned.client("pupil").get(reverse("records:my_learning")).headers["Location"] == own
    assert learned.client("parent").get(reverse("records:my_learning")).headers["Location"] == own
    assert learned.client("county_officer").get(reverse("records:my_learning")).status_code == 200
    page = learned.client("pupil").get(own)
    assert page.context["facts"][0].value == 1
    assert page.context["chart"].series[0].points[-1].value == 25


def test_programs_read_the_same_figures(learned: Cast) -> None:
    class_id = ids.encode("org", learned.orgs["class"].id)
    answer = learned.client("class_teacher").get(f"/api/v1/learning/orgs/{class_id}/activities").json()
    assert (answer["total"], answer["rows"][0]["activity"], answer["rows"][0]["pass_rate"]) == (
        2,
        FRACTIONS,
        pytest.approx(1 / 3),
    )
    answer = learned.client("class_teacher").get(f"/api/v1/learning/orgs/{class_id}/learners").json()
    states = {row["person_id"]: row["state"] for row in answer["rows"]}
    assert states[ids.encode("person", learned.people["pupil"].id)] == "struggling"
    person_id = ids.encode("person", learned.people["pupil"].id)
    answer = learned.client("parent").get(f"/api/v1/learning/people/{person_id}").json()
    assert (answer["days"], answer["statements"], answer["seconds"]) == (1, 7, 1500)
    assert learned.client("county_officer").get(f"/api/v1/learning/people/{person_id}").status_code == 404


@given(
    st.builds(
        LearnerLearning,
        statements=st.integers(0, 50),
        learners=st.just(1),
        days=st.integers(0, 30),
        activities=st.integers(0, 9),
        passed=st.integers(0, 20),
        failed=st.integers(0, 20),
        score=st.none() | st.floats(0, 1),
        seconds=st.floats(0, 1e6),
        last_stored=st.none() | st.just(datetime(2026, 11, 1, tzinfo=UTC)),
        person_id=st.just(1),
    ),
    st.none() | st.dates(date(2026, 11, 1), UNTIL),
)
def test_nobody_is_called_struggling_by_a_few_attempts(one: LearnerLearning, last_day: date | None) -> None:
    state = state_of(one, last_day=last_day, until=UNTIL)
    judged = one.passed + one.failed
    if state is LearnerState.STRUGGLING:
        assert judged >= 5
        assert one.passed < 0.6 * judged
    if state is LearnerState.SILENT:
        assert one.statements == 0 or last_day is None
    if state is LearnerState.FADING:
        assert last_day is not None
        assert last_day <= UNTIL - timedelta(days=7)
    if one.statements and last_day == UNTIL and judged == 0:
        assert state is LearnerState.FINE


def test_of_whom_nothing_came_nothing_is_said() -> None:
    assert state_of(nothing_of(1), last_day=None, until=UNTIL) is LearnerState.SILENT
    assert nothing_of(1).pass_rate is None
