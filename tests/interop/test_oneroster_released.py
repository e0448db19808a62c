"""Results of the house's own tests in the gradebook, as learning systems read them over OneRoster 1.2."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st

from shuren.directory import api as directory
from shuren.directory.data import ConsentDecision
from shuren.directory.models import Affiliation, Disclosure, Enrollment
from shuren.evaluation.api import pupil_report
from shuren.interop.data import DataPurpose, DataWish
from shuren.interop.rules.oneroster.description import description
from shuren.interop.rules.oneroster.released import level_at, level_ranges
from shuren.interop.rules.oneroster.spans import span_of
from shuren.interop.services.oneroster.readers import moment_text
from shuren.interop.services.write_entry import add_app
from shuren.interop.tests.conftest import Stage, entry_at
from shuren.kernel import clock
from shuren.standards.api import load_registry
from shuren.standards.data import Grade
from tests.cast import Cast
from tests.interop.test_oneroster import SCOPE, peer_of
from tests.interop.test_oneroster_marks import READS, Book, put_item
from tests.interop.test_versions import Caller, agree_here
from tests.measured import Measured, measure

ROOT = "/ims/oneroster/gradebook/v1p2"
PUPILS = {"pupil": "class", "classmate": "class", "other_pupil": "other_class"}
TESTED = 3 + 2 * 14


@dataclass
class ReadBook(Book):
    """A system that reads the gradebook of a school whose pupils sat a test of the county."""

    measured: Measured

    @property
    def tested(self) -> str:
        return f"{self.measured.run}-{self.cast.orgs['class'].public_id}"


def sat(cast: Cast) -> Measured:
    classes = {"class": ("school", "county"), "other_class": ("school", "county")}
    return measure(cast, "math", "county", classes, PUPILS)


@pytest.fixture
def book(cast: Cast) -> Iterator[ReadBook]:
    load_registry()
    cache.clear()
    yield ReadBook(peer_of(cast, *READS), cast, sat(cast))
    cache.clear()


def every_class_has_a_line_item_with_category_and_score_scale(book: ReadBook) -> None:
    items = book.listed("/lineItems")
    assert {row["class"]["sourcedId"] for row in items} == {book.cast.orgs[key].public_id for key in ("class", "other_class")}
    told = book.ask("GET", f"/lineItems/{book.tested}").json()["lineItem"]
    assert told in items
    assert (told["title"], told["dueDate"]) == ("四年级数学监测 math", "2026-06-18")
    assert "模拟" in told["description"], "nobody takes simulated answers for real ones"
    assert told["school"]["sourcedId"] == book.cast.orgs["school"].public_id
    category = told["category"]["href"].removeprefix(f"http://testserver{ROOT}")
    assert book.ask("GET", category).json()["category"]["title"] == "平台测评"
    assert [row["sourcedId"] for row in book.listed("/categories")] == ["shuren-tests"]
    class_id = book.cast.orgs["class"].public_id
    assert [row["sourcedId"] for row in book.listed(f"/classes/{class_id}/categories")] == ["shuren-tests"]
    assert [row["sourcedId"] for row in book.listed(f"/classes/{class_id}/lineItems")] == [book.tested]
    scale = book.ask("GET", told["scoreScale"]["href"].removeprefix(f"http://testserver{ROOT}")).json()["scoreScale"]
    ranges = [value["itemValueRHS"] for value in scale["scoreScaleValue"]]
    assert ranges == ["-400", "400-475", "475-550", "550-625", "625-"]
    school_id = book.cast.orgs["school"].public_id
    assert len(book.listed(f"/schools/{school_id}/scoreScales")) == 2


def a_result_says_what_the_pupils_report_says(book: ReadBook) -> None:
    cast = book.cast
    pupil = cast.people["pupil"]
    report = pupil_report(actor=cast.actor("parent"), run_id=book.measured.run_id, person_id=pupil.id, now=clock.now()).body
    path = f"/classes/{cast.orgs['class'].public_id}/students/{pupil.public_id}/results"
    [row] = book.listed(path)
    score: Any = report["score"]
    level: Any = report["level"]
    assert row["score"] == round(score["value"], 1)
    assert row["textScore"] == level["name"]
    assert str(round(score["low"], 1)) in row["comment"], "a score is told with its error"
    assert (row["status"], row["scoreStatus"]) == ("active", "fully graded")
    assert row["student"]["sourcedId"] == pupil.public_id
    assert row["lineItem"]["sourcedId"] == book.tested
    assert book.ask("GET", f"/results/{row['sourcedId']}").json()["result"] == row


def lists_have_the_form_of_the_standard_and_page_behind_what_a_system_keeps_itself(book: ReadBook) -> None:
    own = put_item(book)
    items = book.listed("/lineItems")
    assert (len(items), items[0]["sourcedId"]) == (3, own)
    answer = book.ask("GET", "/results", limit="10", offset="25")
    assert answer.headers["X-Total-Count"] == str(TESTED)
    assert len(answer.json()["results"]) == TESTED - 25
    pages = [row for offset in range(0, TESTED, 7) for row in book.listed("/results", limit="7", offset=str(offset))]
    whole = book.listed("/results")
    assert pages == whole
    assert len({row["sourcedId"] for row in whole}) == TESTED
    document = description("gradebook", "http://testserver", "http://testserver")
    for name in ("lineItems", "results", "categories", "scoreScales"):
        content = document["paths"][f"/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        body = book.ask("GET", f"/{name}").json()
        jsonschema.validate(body, {**content, "components": document["components"]})
        assert body[name]
    class_id = book.cast.orgs["class"].public_id
    assert len(book.listed(f"/classes/{class_id}/lineItems/{book.tested}/results")) == 16
    assert book.listed(f"/classes/{class_id}/lineItems/{own}/results") == []


def filters_find_and_a_delta_tells_only_what_is_newer(book: ReadBook) -> None:
    pupil, other = book.cast.people["pupil"].public_id, book.cast.people["other_pupil"].public_id
    [row] = book.listed("/results", filter=f"student.sourcedId='{pupil}' AND lineItem.sourcedId='{book.tested}'")
    assert book.listed("/results", filter=f"sourcedId='{row['sourcedId']}'") == [row]
    assert book.listed("/results", filter=f"student.sourcedId='{other}' AND lineItem.sourcedId='{book.tested}'") == []
    either = book.listed("/results", filter=f"student.sourcedId='{pupil}' OR student.sourcedId='{other}'")
    assert {one["student"]["sourcedId"] for one in either} == {pupil, other}
    above = book.listed("/results", filter=f"score>='{row['score']}'", sort="score", orderBy="desc")
    assert above[-1] == row
    assert [one["sourcedId"] for one in book.listed("/lineItems", filter="title~'数学'")] != []
    moment = row["dateLastModified"]
    assert len(book.listed("/results", filter=f"dateLastModified>='{moment}'")) == TESTED
    assert book.listed("/results", filter=f"dateLastModified>'{moment}'") == []
    assert book.listed("/lineItems", filter=f"dateLastModified>'{moment}'") == []
    assert book.listed("/categories", filter="dateLastModified>'2020-01-01T00:00:00Z'") == []


def nobody_writes_what_the_house_released(book: ReadBook) -> None:
    pupil = {"sourcedId": book.cast.people["pupil"].public_id}
    body = {"result": {"lineItem": {"sourcedId": book.tested}, "student": pupil, "score": 700}}
    assert book.ask("PUT", f"/lineItems/{book.tested}", {"lineItem": book.item()}).status_code == 403
    assert book.ask("DELETE", f"/lineItems/{book.tested}").status_code == 403
    assert book.ask("PUT", "/results/mine", body).status_code == 403
    assert book.ask("POST", f"/lineItems/{book.tested}/results", {"results": [body["result"]]}).status_code == 403
    assert book.ask("DELETE", "/categories/shuren-tests").status_code == 403
    assert len(book.listed("/results")) == TESTED


def out_of_reach_there_is_nothing(book: ReadBook) -> None:
    far = Book(peer_of(book.cast, *READS, org="far_school"), book.cast)
    for name in ("categories", "lineItems", "results", "scoreScales"):
        assert far.listed(f"/{name}") == []
    assert far.ask("GET", f"/lineItems/{book.tested}").status_code == 404
    county = Book(peer_of(book.cast, *READS, org="county"), book.cast)
    assert len(county.listed("/results")) == TESTED


def whoever_left_stays_by_id_alone(book: ReadBook) -> None:
    pupil = book.cast.people["pupil"]
    for held in (Enrollment, Affiliation):
        held.objects.filter(person_id=pupil.id).update(end_date=clock.day_of(clock.now()) - timedelta(days=1))
    [row] = book.listed("/results", filter=f"student.sourcedId='{pupil.public_id}'")
    assert (row["status"], row["scoreStatus"]) == ("tobedeleted", "ext:withheld")
    assert not {"score", "textScore", "comment"} & row.keys()


def test_results_of_the_houses_own_tests(book: ReadBook) -> None:
    """One test, for it is measuring what takes the time."""
    every_class_has_a_line_item_with_category_and_score_scale(book)
    a_result_says_what_the_pupils_report_says(book)
    filters_find_and_a_delta_tells_only_what_is_newer(book)
    nobody_writes_what_the_house_released(book)
    out_of_reach_there_is_nothing(book)
    lists_have_the_form_of_the_standard_and_page_behind_what_a_system_keeps_itself(book)
    whoever_left_stays_by_id_alone(book)


def test_an_app_is_told_scores_of_those_alone_who_agreed_to_it(stage: Stage) -> None:
    cache.clear()
    sat(stage.cast)
    wishes = (DataWish("result.score", DataPurpose.TEACHING, "按成绩安排练习", Grade.PUBLIC),)
    scope = SCOPE + "gradebook.readonly"
    app_id = add_app(
        actor=stage.vendor, entry=entry_at("https://app.example.cn", scopes=(scope,), wishes=wishes), now=clock.now()
    )
    agree_here(stage, app_id)
    caller = Caller(stage.cast, app_id, scope)

    def told() -> dict[str, Any]:
        rows = caller.get(f"{ROOT}/results").json()["results"]
        return {row["student"]["sourcedId"]: row.get("score") for row in rows}

    assert set(told().values()) == {None}
    pupil = stage.cast.people["pupil"]
    [text] = directory.asked_texts([pupil.id], now=clock.now())[pupil.id]
    directory.decide_consent(
        actor=stage.actor("parent"), person_id=pupil.id, text_id=text.id, decision=ConsentDecision.GIVEN, now=clock.now()
    )
    scores = told()
    assert {person for person, score in scores.items() if score is not None} == {pupil.public_id}
    assert len(scores) == TESTED
    assert Disclosure.objects.filter(person_id=pupil.id, elements="result.score").exists()
    page = stage.cast.client("parent").get(f"/people/{pupil.public_id}/seen-by/")
    assert "测评得分" in page.content.decode(), "the family reads who was told of the score"


@given(
    held=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    away=st.integers(-3000, 3000),
    operator=st.sampled_from([">", ">=", "<", "<=", "="]),
)
def test_a_span_holds_exactly_what_passes_as_it_is_told(held: datetime, away: int, operator: str) -> None:
    asked = held + timedelta(microseconds=away)
    told = datetime.fromisoformat(moment_text(held))
    passes = {">": told > asked, ">=": told >= asked, "<": told < asked, "<=": told <= asked, "=": told == asked}[operator]
    span = span_of(operator, asked)
    assert span is not None
    within = (span.begin is None or held >= span.begin) and (span.end is None or held < span.end)
    assert within == passes


def test_every_score_lies_in_the_range_of_its_level() -> None:
    levels = [("待达", None), ("基础", 400.0), ("优秀", 625.0)]
    assert [level_at(levels, score) for score in (399.9, 400, 624.9, 625, 900)] == ["待达", "基础", "基础", "优秀", "优秀"]
    assert [value["itemValueRHS"] for value in level_ranges(levels)] == ["-400", "400-625", "625-"]
