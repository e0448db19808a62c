"""Gradebooks over OneRoster 1.2, as learning systems write and read them."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache

from shuren.kernel.models import AuditEntry
from shuren.standards.api import load_registry
from tests.cast import Cast
from tests.interop.test_oneroster import peer_of

ROOT = "/ims/oneroster/gradebook/v1p2"
READS = ("gradebook.readonly", "gradebook.createput", "gradebook.createpost", "gradebook.delete", "roster.readonly")
TESTS = ("assessment.readonly", "assessment.createput", "assessment.delete")


@dataclass
class Book:
    """A system that keeps marks."""

    peer: Any
    cast: Cast

    def ask(self, method: str, path: str, body: object = None, **query: str) -> Any:
        return self.peer.client.generic(
            method,
            f"{ROOT}{path}",
            "" if body is None else json.dumps(body),
            "application/json",
            headers=self.peer.headers,
            query_params=query,
        )

    def listed(self, path: str, **query: str) -> list[dict[str, Any]]:
        answer = self.ask("GET", path, **query)
        assert answer.status_code == 200, answer.content
        rows: list[dict[str, Any]] = next(iter(answer.json().values()))
        return rows

    def item(self, **changes: object) -> dict[str, object]:
        return {"title": "第一单元测验", "class": {"sourcedId": self.cast.orgs["class"].public_id}} | changes

    def result(self, item: str, key: str = "pupil", **changes: object) -> dict[str, object]:
        student = {"sourcedId": self.cast.people[key].public_id}
        return {"lineItem": {"sourcedId": item}, "student": student, "score": 88} | changes


@pytest.fixture
def book(cast: Cast) -> Iterator[Book]:
    load_registry()
    cache.clear()
    yield Book(peer_of(cast, *READS, *TESTS), cast)
    cache.clear()


def put_item(book: Book, **changes: object) -> str:
    item = str(uuid.uuid4())
    answer = book.ask("PUT", f"/lineItems/{item}", {"lineItem": book.item(**changes)})
    assert answer.status_code == 201, answer.content
    return item


def test_a_line_item_under_the_id_of_its_system(book: Book) -> None:
    title = "很长的标题" * 20
    item = put_item(book, title=title, resultValueMax=100, unknown="passed over")
    told = book.ask("GET", f"/lineItems/{item}").json()["lineItem"]
    assert (told["sourcedId"], told["title"], told["status"]) == (item, title, "active")
    assert told["class"]["sourcedId"] == book.cast.orgs["class"].public_id
    assert told["school"]["sourcedId"] == book.cast.orgs["school"].public_id
    assert "unknown" not in told
    category = told["category"]["sourcedId"]
    assert book.ask("GET", f"/categories/{category}").status_code == 200
    assert book.ask("PUT", f"/lineItems/{item}", {"lineItem": book.item(title="改了")}).status_code == 200
    assert book.ask("GET", f"/lineItems/{item}").json()["lineItem"]["title"] == "改了"
    assert AuditEntry.objects.filter(action="interop.mark_kept").count() == 2


def test_scores_above_the_most_and_exemptions_are_kept(book: Book) -> None:
    item = put_item(book, resultValueMax=100)
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    assert book.ask("PUT", f"/results/{first}", {"result": book.result(item, score=300)}).status_code == 201
    exempt = book.result(item, "classmate", scoreStatus="exempt")
    assert book.ask("PUT", f"/results/{second}", {"result": exempt}).status_code == 201
    rows = {row["sourcedId"]: row for row in book.listed("/results")}
    assert rows[first]["score"] == 300
    assert rows[second]["scoreStatus"] == "exempt"
    class_id = book.cast.orgs["class"].public_id
    assert {row["sourcedId"] for row in book.listed(f"/classes/{class_id}/lineItems/{item}/results")} == {first, second}
    pupil = book.cast.people["pupil"].public_id
    assert [row["sourcedId"] for row in book.listed(f"/classes/{class_id}/students/{pupil}/results")] == [first]
    assert [row["sourcedId"] for row in book.listed("/results", filter="score>'99'")] == [first]
    wanted = f"student.sourcedId='{pupil}' AND lineItem.sourcedId='{item}'"
    assert [row["sourcedId"] for row in book.listed("/results", filter=wanted)] == [first]


def test_posted_objects_get_ids_of_the_house(book: Book) -> None:
    class_id = book.cast.orgs["class"].public_id
    answer = book.ask("POST", f"/classes/{class_id}/lineItems", {"lineItems": [book.item(sourcedId="mine")]})
    assert answer.status_code == 201, answer.content
    [pair] = answer.json()["sourcedIdPairs"]
    assert pair["suppliedSourcedId"] == "mine"
    item = pair["allocatedSourcedId"]
    answer = book.ask("POST", f"/lineItems/{item}/results", {"results": [book.result("else")]})
    assert answer.status_code == 201, answer.content
    [row] = book.listed(f"/classes/{class_id}/results")
    assert row["lineItem"]["sourcedId"] == item
    school_id = book.cast.orgs["school"].public_id
    assert book.ask("POST", f"/schools/{school_id}/lineItems", {"lineItems": [book.item()]}).status_code == 201
    assert len(book.listed("/lineItems")) == 2


def test_what_is_deleted_is_gone(book: Book) -> None:
    item = put_item(book)
    assert book.ask("DELETE", f"/lineItems/{item}").status_code == 204
    assert book.listed("/lineItems") == []
    assert book.ask("GET", f"/lineItems/{item}").status_code == 404
    assert book.ask("DELETE", f"/lineItems/{item}").status_code == 404


def test_tests_have_line_items_and_results_of_their_own(book: Book) -> None:
    item = str(uuid.uuid4())
    assert book.ask("PUT", f"/assessmentLineItems/{item}", {"assessmentLineItem": {"title": "抽测"}}).status_code == 201
    student = {"sourcedId": book.cast.people["pupil"].public_id}
    result = {"assessmentLineItem": {"sourcedId": item}, "student": student, "score": 1.5}
    assert book.ask("PUT", "/assessmentResults/r1", {"assessmentResult": result}).status_code == 201
    assert [row["score"] for row in book.listed("/assessmentResults")] == [1.5]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/lineItems/a", [], 422),
        ("/lineItems/a", {"lineItem": {"title": "无班级"}}, 422),
        ("/lineItems/a", {"lineItem": {"title": "x", "class": {"sourcedId": "none"}}}, 422),
        ("/results/a", {"result": {"lineItem": {"sourcedId": "none"}, "student": {"sourcedId": "none"}}}, 422),
        ("/categories/a", {"category": {"title": 7}}, 422),
        ("/categories/a", {"category": {"title": "x", "weight": "NaN"}}, 422),
        ("/categories/a", {"category": {"title": "x", "sourcedId": "b"}}, 422),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_field(book: Book, path: str, body: object, status: int) -> None:
    answer = book.ask("PUT", path, body)
    assert answer.status_code == status
    assert answer.json()["imsx_severity"] == "error"


def test_nobody_reads_the_gradebook_of_an_app_but_the_app(book: Book) -> None:
    item = put_item(book)
    rival = Book(peer_of(book.cast, *READS, is_first_party=False), book.cast)
    assert rival.listed("/lineItems") == []
    assert rival.ask("GET", f"/lineItems/{item}").status_code == 404
    assert rival.ask("DELETE", f"/lineItems/{item}").status_code == 404
    far = Book(peer_of(book.cast, *READS, org="far_school"), book.cast)
    assert far.listed("/lineItems") == []
    refused = far.ask("PUT", "/lineItems/x", {"lineItem": book.item()})
    assert refused.status_code == 422


def test_the_core_scope_opens_no_nested_place(cast: Cast) -> None:
    load_registry()
    core = Book(peer_of(cast, "gradebook-core.readonly"), cast)
    assert core.listed("/lineItems") == []
    assert core.ask("GET", f"/classes/{cast.orgs['class'].public_id}/lineItems").status_code == 403
    assert core.ask("PUT", "/categories/a", {"category": {"title": "x"}}).status_code == 403


def test_resources_are_none_and_say_so(cast: Cast) -> None:
    load_registry()
    peer = peer_of(cast, "resource.readonly")
    answer = peer.client.get("/ims/oneroster/resources/v1p2/resources", headers=peer.headers)
    assert (answer.status_code, answer.json()) == (200, {"resources": []})
    assert answer.headers["X-Total-Count"] == "0"
    path = f"/ims/oneroster/resources/v1p2/users/{cast.people['pupil'].public_id}/resources"
    assert peer.client.get(path, headers=peer.headers).json() == {"resources": []}
    assert peer.client.get("/ims/oneroster/resources/v1p2/resources/x", headers=peer.headers).status_code == 404
