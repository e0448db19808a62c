"""Cases over HTTP, as a program of a signed-in person uses them."""

import json
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator
from tests.cast import Cast

from shuren.casework.models import Case, Definition, Pack
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.flows import LEAVE_FORM, flow, open_item, stage, submitted
from shuren.kernel import ids
from shuren.kernel.models import AuditEntry

FIELDS = [{"key": "substitute", "title": "谁代课", "type": "text", "required": True}]


@pytest.fixture
def leave(define: Define) -> None:
    define("form", LEAVE_FORM)
    define("flow", flow(stage(fields=FIELDS, edits=["days"])))


def send(client: Client, method: str, url: str, body: Any = None, status: int = 200) -> Any:
    answer = client.generic(method, f"/api/v1{url}", "" if body is None else json.dumps(body), "application/json")
    assert answer.status_code == status, answer.content.decode()
    return answer.json()


@pytest.mark.usefixtures("leave")
def test_a_case_is_filed_saved_handed_in_and_decided(cast: Cast) -> None:
    teacher, head = cast.client("class_teacher"), cast.client("head")
    told = {"flow": "office.leave", "org_id": cast.orgs["class"].public_id, "data": {"reason": "看病"}}
    made = send(teacher, "POST", "/cases", told, 201)
    assert (made["state"], made["revision"], made["data"]) == ("draft", 1, {"reason": "看病"})
    url = f"/cases/{made['id']}"
    assert "天数" in send(teacher, "POST", f"{url}/submit", status=400)["error"]["message"]
    assert send(teacher, "PATCH", url, {"revision": 1, "data": {"reason": "看病", "days": 3}}) == {"revision": 2}
    assert send(teacher, "PATCH", url, {"revision": 1, "data": {}}, 409)["error"]["status"] == 409
    assert send(teacher, "POST", f"{url}/submit")["stage"] == "review"
    (work,) = send(head, "GET", "/work")["rows"]
    assert (work["case_id"], work["outcomes"]) == (made["id"], ["agree", "refuse"])
    decide = f"/work/{work['id']}/decide"
    send(head, "POST", decide, {"outcome": "agree"}, 400)
    told = {"outcome": "agree", "written": {"substitute": "李"}, "edits": {"days": 2}}
    for stale in ({}, {"revision": 1}):
        send(head, "POST", decide, told | stale, 409)
    done = send(head, "POST", decide, told | {"revision": send(head, "GET", url)["revision"]})
    assert (done["state"], done["result"], done["end"]) == ("closed", "granted", "granted")
    send(head, "POST", decide, {"outcome": "agree", "written": {"substitute": "李"}}, 409)
    read = send(teacher, "GET", url)
    assert (read["data"]["days"], read["written"], read["work"]) == (2, {"review": {"substitute": "李"}}, [])


@pytest.mark.usefixtures("leave")
def test_lists_keep_to_what_the_caller_may_see(cast: Cast) -> None:
    case = submitted(cast, data={"secret": "B-1"})
    public = ids.encode("case", case.pk)
    officer, far, teacher = (cast.client(key) for key in ("county_officer", "far_head", "class_teacher"))
    assert [row["id"] for row in send(officer, "GET", "/cases?flow=office.leave&state=running")["rows"]] == [public]
    assert send(officer, "GET", "/cases?state=closed")["rows"] == []
    assert send(far, "GET", "/cases")["rows"] == send(teacher, "GET", "/cases")["rows"] == []
    assert [row["id"] for row in send(teacher, "GET", "/cases?mine=true")["rows"]] == [public]
    send(far, "GET", f"/cases/{public}", status=404)
    send(far, "POST", f"/work/{ids.encode('work', open_item(case).pk)}/decide", {"outcome": "agree"}, 404)
    send(Client(), "GET", "/cases", status=401)
    assert send(officer, "GET", f"/cases/{public}")["data"]["secret"] == "B-1"
    assert AuditEntry.objects.filter(action="casework.sensitive_read").count() == 1


@pytest.mark.usefixtures("leave")
def test_a_made_up_org_or_person_is_not_found(cast: Cast) -> None:
    teacher = cast.client("class_teacher")
    send(teacher, "POST", "/cases", {"flow": "office.leave", "org_id": "nothing"}, 404)
    far = {"flow": "office.leave", "org_id": cast.orgs["class"].public_id, "subject_id": cast.people["far_pupil"].public_id}
    send(teacher, "POST", "/cases", far, 404)
    send(teacher, "POST", "/cases", {"flow": "office.none", "org_id": cast.orgs["class"].public_id}, 404)
    assert Case.objects.count() == 0


@pytest.mark.usefixtures("leave")
def test_every_definition_has_a_document_of_its_own(cast: Cast, define: Define) -> None:
    register = {**LEAVE_FORM, "key": "office.books", "states": [{"key": "there", "title": "在架"}], "see": ["teacher"]}
    define("register", register)
    client = cast.client("teacher")
    documents = {kind: send(client, "GET", f"/definitions/{kind}/{key}/openapi.json") for kind, key in KEYS}
    for document in documents.values():
        assert document["openapi"] == "3.1.0"
        for schema in document["components"]["schemas"].values():
            Draft202012Validator.check_schema(schema)
        assert_references_resolve(document)
    flow_document = documents["flow"]["components"]["schemas"]
    data = Draft202012Validator(flow_document["Data"])
    assert data.is_valid({"reason": "看病", "days": 2})
    assert not data.is_valid({"reason": "看病", "days": 99})
    decision = Draft202012Validator(flow_document["Decide_review"])
    assert decision.is_valid({"outcome": "agree", "written": {"substitute": "李"}, "edits": {"days": 2}})
    assert not decision.is_valid({"outcome": "maybe"})
    assert documents["register"]["paths"]["/registers/office.books/entries"]["post"]["operationId"] == "add_entry"
    send(client, "GET", "/definitions/flow/office.none/openapi.json", status=404)


KEYS = (("form", "office.leave_form"), ("flow", "office.leave"), ("register", "office.books"))


def assert_references_resolve(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    def look(part: Any) -> None:
        if isinstance(part, dict):
            if "$ref" in part:
                assert part["$ref"].removeprefix("#/components/schemas/") in schemas
            for value in part.values():
                look(value)
        elif isinstance(part, list):
            for value in part:
                look(value)

    look(document)


@pytest.mark.usefixtures("leave")
def test_what_an_org_built_is_described_to_nobody_else(cast: Cast, define: Define) -> None:
    define("register", {**LEAVE_FORM, "key": "office.books", "see": ["head"], "keep": ["school_admin"]})
    school = cast.orgs["school"]
    Definition.objects.update(org_id=school.id, org_path=school.path)
    seen = {
        who: [
            kind
            for kind, key in KEYS
            if cast.client(who).get(f"/api/v1/definitions/{kind}/{key}/openapi.json").status_code == 200
        ]
        for who in ("teacher", "head", "school_admin", "county_officer", "far_head", "parent", "pupil")
    }
    starts, all_three = ["form", "flow"], ["form", "flow", "register"]
    assert seen == {
        "teacher": starts, "head": ["register"], "school_admin": all_three, "county_officer": starts,
        "far_head": [], "parent": [], "pupil": [],
    }  # fmt: skip
    Definition.objects.update(
        pack=Pack.objects.create(key="office", title_zh="办公", version="1", digest="", installed_at=cast.now)
    )
    assert [send(cast.client("far_head"), "GET", f"/definitions/{kind}/{key}/openapi.json")["openapi"] for kind, key in KEYS]
