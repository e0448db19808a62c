"""Entries and cases on the search page: where the reader reads them, and nowhere else."""

from datetime import timedelta

import pytest
from django.test import Client
from tests.cast import Cast, build_cast

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Entry
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.define import put_definition
from shuren.casework.services.registers.keep import index_entries
from shuren.casework.services.registers.write import add_entry, remove_entry
from shuren.casework.tests.register_bodies import ROOMS, room
from shuren.kernel.data import SYSTEM
from shuren.search import api as search_index

SECRET = ROOMS | {"key": "demo.secret", "title": "秘密", "keep": ["province_officer"], "see": ["province_officer"]}


@pytest.fixture
def cast(db: None) -> Cast:
    found = build_cast()
    for body in (ROOMS, SECRET):
        put_definition(actor=SYSTEM, kind=DefinitionKind.REGISTER, body=body, now=found.now)
    for register, org, name in (
        ("demo.rooms", "school", "创客空间一"),
        ("demo.rooms", "far_school", "创客空间二"),
        ("demo.secret", "school", "创客空间三"),
    ):
        data = room(name=name, keeper_id="440103201501011234")
        add_entry(actor=SYSTEM, register=register, org_id=found.orgs[org].id, data=data, now=found.now)
    return found


def titles(client: Client, text: str, kind: str = "entry", page: int = 1) -> list[str]:
    answer = client.get("/search/", {"q": text, "kind": kind, "page": page})
    return [hit.title for hit in answer.context["hits"].rows]


@pytest.mark.parametrize(
    ("who", "found"),
    [
        ("head", ["创客空间一"]),
        ("city_officer", ["创客空间一"]),
        ("far_head", ["创客空间二"]),
        ("province_officer", ["创客空间一", "创客空间三", "创客空间二"]),
        ("teacher", []),
        ("parent", []),
    ],
)
def test_entries_are_found_where_their_register_is_read(cast: Cast, who: str, found: list[str]) -> None:
    assert sorted(titles(cast.client(who), "创客")) == sorted(found)


def test_an_entry_is_shown_under_its_register_with_a_link(cast: Cast) -> None:
    entry = Entry.objects.get(label="创客空间一")
    text = cast.client("head").get("/search/?q=创客").content.decode()
    assert "教室台账 A101" in text
    assert "440103201501011234" not in text
    remove_entry(actor=SYSTEM, entry_id=entry.pk, reason="拆除", now=cast.now)
    assert titles(cast.client("head"), "创客") == []


def test_an_entry_that_moved_away_is_not_shown_by_what_the_index_remembers(cast: Cast) -> None:
    far = cast.orgs["far_school"]
    Entry.objects.filter(label="创客空间一").update(org_id=far.id, org_path=far.path)
    assert titles(cast.client("head"), "创客") == []


def test_many_entries_are_paged_and_indexed_anew(cast: Cast) -> None:
    for number in range(25):
        data = room(name=f"录播教室{number:02}", number=f"L{number}")
        add_entry(actor=SYSTEM, register="demo.rooms", org_id=cast.orgs["school"].id, data=data, now=cast.now)
    search_index.remove_kind("entry")
    head = cast.client("head")
    assert titles(head, "录播") == []
    assert index_entries() == 28
    first, second = titles(head, "录播"), titles(head, "录播", page=2)
    assert (len(first), len(second)) == (20, 5)
    assert len({*first, *second}) == 25
    assert "录播教室00" in head.get("/search/suggest/?q=录播教室00").content.decode()


def test_cases_are_found_by_number_and_title(cast: Cast) -> None:
    sections = [{"key": "a", "title": "申请", "fields": [{"key": "why", "title": "事由", "type": "text"}]}]
    put_definition(
        actor=SYSTEM, kind=DefinitionKind.FORM, body={"key": "x.form", "title": "申请", "sections": sections}, now=cast.now
    )
    outcomes = [{"key": "agree", "title": "同意", "to": "end:done"}]
    stages = [{"key": "review", "title": "审批", "who": {"role": "county_officer", "at": "county"}, "outcomes": outcomes}]
    flow = {"key": "x.flow", "title": "申请", "form": "x.form", "filed_by": {"anyone": True}, "stages": stages}
    body = flow | {"ends": [{"key": "done", "title": "办结", "result": "done"}]}
    put_definition(actor=SYSTEM, kind=DefinitionKind.FLOW, body=body, now=cast.now)
    words = {"flow": "x.flow", "org_id": cast.orgs["school"].id, "data": {"why": "换灯"}}
    case = file_case(actor=cast.actor("teacher"), title="更换教室灯具", now=cast.now, **words)
    assert titles(cast.client("head"), "灯具", "case") == []
    submit_case(actor=cast.actor("teacher"), case_id=case.pk, now=cast.now + timedelta(minutes=1))
    for who in ("teacher", "head", "county_officer"):
        for text in ("灯具", case.number[:8].lower(), case.number):
            assert titles(cast.client(who), text, "case") == ["更换教室灯具"]
    for who in ("far_head", "parent", "staff"):
        assert titles(cast.client(who), "灯具", "case") == []
        assert titles(cast.client(who), case.number, "case") == []
