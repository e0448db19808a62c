"""The API: scoped like the pages, paged, with opaque ids only."""

import json

import pytest
from django.http import HttpRequest

from shuren.directory import rest
from shuren.directory.data import OrgType, Role
from shuren.directory.tests.conftest import NOW, Region
from shuren.kernel import clock, ids
from shuren.kernel.errors import NotFound


@pytest.fixture(autouse=True)
def _frozen_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def asked_by(region: Region, key: str) -> HttpRequest:
    request = HttpRequest()
    request.actor = region.actor(key)  # type: ignore[attr-defined]
    return request


def test_orgs_are_listed_by_scope_type_name_and_parent(region: Region) -> None:
    request = asked_by(region, "county_officer")
    names = {row.name for row in rest.list_orgs(request, rest.Paging()).rows}
    assert names == {"东川区教育局", "东川一小", "东川二小"}
    classes = rest.list_orgs(request, rest.Paging(), org_type=OrgType.CLASS)
    assert [row.name for row in classes.rows] == ["四（1）班", "四（2）班"]
    assert classes.rows[0].counts == {"pupils": 1, "teachers": 1, "classes": 1}
    grade = ids.encode("org", region.org_ids["grade"])
    below = rest.list_orgs(request, rest.Paging(), parent=grade)
    assert {row.parent_id for row in below.rows} == {grade}
    assert rest.list_orgs(request, rest.Paging(), search="西原").rows == []


def test_pages_are_cut_and_counted(region: Region) -> None:
    request = asked_by(region, "city_officer")
    first = rest.list_people(request, rest.Paging(page=1, size=4))
    second = rest.list_people(request, rest.Paging(page=2, size=4))
    assert len(first.rows) == len(second.rows) == 4
    assert {row.id for row in first.rows}.isdisjoint(row.id for row in second.rows)
    assert (first.total, first.is_exact) == (len(region.person), True)
    huge = rest.list_people(request, rest.Paging(page=99, size=9999))
    assert (huge.page, len(huge.rows)) == (1, len(region.person))


def test_people_of_an_org_are_those_the_caller_may_see(region: Region) -> None:
    school = ids.encode("org", region.org_ids["school"])
    head = rest.list_org_people(asked_by(region, "head"), school, rest.Paging(), role=Role.PUPIL)
    assert {row.name for row in head.rows} == {"王小明", "李小红"}
    teacher = rest.list_org_people(asked_by(region, "teacher"), school, rest.Paging())
    assert {row.name for row in teacher.rows} == {"任老师", "李小红"}
    with pytest.raises(NotFound):
        rest.list_org_people(asked_by(region, "far_pupil"), school, rest.Paging())


def test_one_org_and_one_person_answer_inside_the_scope_only(region: Region) -> None:
    org = rest.read_org(asked_by(region, "head"), ids.encode("org", region.org_ids["school"]))
    assert org.counts["pupils"] == 2
    assert org.parent_id == ids.encode("org", region.org_ids["east"])
    for key, org_key in (("head", "other"), ("pupil", "school"), ("parent", "class1")):
        with pytest.raises(NotFound):
            rest.read_org(asked_by(region, key), ids.encode("org", region.org_ids[org_key]))
    pupil = ids.encode("person", region.person["pupil"])
    assert rest.read_person(asked_by(region, "head"), pupil).private["phone"] == "13800000001"
    masked = rest.read_person(asked_by(region, "class_teacher"), pupil)
    assert masked.is_masked
    assert masked.private["phone"] != "13800000001"
    with pytest.raises(NotFound):
        rest.read_person(asked_by(region, "teacher"), pupil)
    with pytest.raises(NotFound):
        rest.read_person(asked_by(region, "head"), "not an id")


def test_no_answer_holds_a_row_id(region: Region) -> None:
    request = asked_by(region, "city_officer")
    for answer in (rest.list_orgs(request, rest.Paging()), rest.list_people(request, rest.Paging())):
        for row in json.loads(answer.model_dump_json())["rows"]:
            assert not [key for key, value in row.items() if key.endswith("id") and isinstance(value, int)]
