"""Lists of people: any page, at any depth, in any order, is that part of the whole list."""

from collections.abc import Sequence

import pytest

from shuren.directory.data import OrgData, PersonRow, Role
from shuren.directory.models import Person
from shuren.directory.selectors import people_list as lists
from shuren.directory.tests.conftest import NOW, Region

ACTORS = ("city_officer", "county_officer", "head", "class_teacher", "parent", "staff")


def rows_of(people: lists.PeopleList, size: int, sort: str) -> list[PersonRow]:
    rows: list[PersonRow] = []
    number = 1
    while True:
        page = lists.page_of_people(people, number=number, size=size, sort=sort)
        rows += page.rows
        if not page.has_next:
            return rows
        number += 1


def listed(region: Region, key: str, **asked: object) -> lists.PeopleList:
    return lists.people_list(actor=region.actor(key), now=NOW, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("sort", ["", "name", "-name", "number", "-number"])
@pytest.mark.parametrize("size", [1, 3, 50])
@pytest.mark.parametrize("deep", [0, 2, 20_000])
def test_the_pages_of_a_list_are_the_list(
    region: Region, monkeypatch: pytest.MonkeyPatch, deep: int, size: int, sort: str
) -> None:
    monkeypatch.setattr(lists, "DEEP", deep)
    for key in ACTORS:
        people = listed(region, key)
        assert rows_of(people, size, sort) == list(lists.stream_people(people, sort))


def test_pages_stay_whole_when_the_kept_total_is_stale(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "EXACT_COUNT_LIMIT", 0)
    people = listed(region, "city_officer")
    assert people.total == len(region.person)
    Person.objects.create(sourced_id="late", number="late", name="后来", sort_key="zz")
    names = [row.name for row in rows_of(listed(region, "city_officer"), 4, "")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("key", ["city_officer", "county_officer", "head"])
@pytest.mark.parametrize("search", ["王", "李小红", "何", "无此人"])
def test_a_vague_search_finds_what_a_narrow_one_finds(
    region: Region, monkeypatch: pytest.MonkeyPatch, key: str, search: str
) -> None:
    narrow = {row.name for row in rows_of(listed(region, key, search=search), 2, "")}
    monkeypatch.setattr(lists, "NARROW", 0)
    vague = rows_of(listed(region, key, search=search), 2, "")
    assert {row.name for row in vague} == narrow
    assert all(name.startswith(search) for name in narrow)


def test_the_whole_is_the_sum_of_its_branches(region: Region) -> None:
    def names(org: OrgData, role: Role | None = None) -> Sequence[str]:
        return [row.name for row in lists.stream_people(listed(region, "city_officer", org=org, role=role))]

    school = names(region.org("school"))
    assert sorted([*school, *names(region.org("other")), "林县长"]) == sorted(names(region.org("east")))
    assert names(region.org("grade"), Role.PUPIL) == names(region.org("class1"), Role.PUPIL) + names(
        region.org("class2"), Role.PUPIL
    )
    assert names(region.org("school"), Role.HEAD) == ["何校长"]


def test_a_large_branch_offers_no_sorting(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    assert listed(region, "head").is_sortable
    monkeypatch.setattr(lists, "SORTABLE", 3)
    assert not listed(region, "head").is_sortable
    assert listed(region, "city_officer").is_sortable
