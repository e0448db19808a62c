"""What follows a change: events become jobs that keep the search index and the counters true."""

import pytest

from shuren.directory import api
from shuren.directory.data import CountKind, NewOrg, OrgType, Permission, Role
from shuren.directory.services.index_directory import index_branch
from shuren.directory.tests.conftest import NOW, Region
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.search.api import find
from shuren.work.api import run_pending


@pytest.fixture
def indexed(region: Region) -> Region:
    index_branch(region.path("city"), day=day_of(NOW))
    return region


def found(region: Region, key: str, text: str, kind: str) -> set[int]:
    scope = api.scope_of(
        actor=region.actor(key), permission=Permission.VIEW_ORGS if kind == "org" else Permission.VIEW_PEOPLE, now=NOW
    )
    return {hit.object_id for hit in find(text, scope=scope, kinds=[kind], limit=50, offset=0).rows}


def test_people_are_found_by_name_pinyin_and_number_inside_the_scope(indexed: Region) -> None:
    pupil = indexed.person["pupil"]
    number = api.people_by_ids([pupil])[pupil].number
    for text in ("王小明", "wangxiaoming", "wxm", number):
        assert pupil in found(indexed, "head", text, "person")
    assert pupil in found(indexed, "class_teacher", "王小明", "person")
    assert indexed.person["far_pupil"] not in found(indexed, "head", "赵远", "person")


def test_classes_are_found_with_their_grade_and_schools_by_name(indexed: Region) -> None:
    assert indexed.org_ids["class1"] in found(indexed, "head", "四年级 四（1）班", "org")
    assert indexed.org_ids["school"] in found(indexed, "county_officer", "东川一小", "org")
    assert indexed.org_ids["far"] not in found(indexed, "county_officer", "西原小学", "org")


def test_an_index_run_goes_on_where_it_was_killed(region: Region) -> None:
    seen: list[tuple[int, int]] = []
    index_branch(region.path("city"), day=day_of(NOW), on_progress=lambda last, done: seen.append((last, done)))
    last = max(region.person.values())
    assert seen[-1][0] == last
    assert index_branch(region.path("city"), day=day_of(NOW), after=last) == 0
    assert index_branch(region.path("city"), day=day_of(NOW), after=last - 1) == 1


@pytest.mark.django_db
def test_changes_reach_the_index(indexed: Region) -> None:
    school = indexed.org_ids["school"]
    added = api.add_org(
        actor=SYSTEM, org=NewOrg(parent_id=indexed.org_ids["east"], type=OrgType.SCHOOL, name="东川新校"), now=NOW
    ).id
    api.rename_org(actor=SYSTEM, org_id=school, name="凌波小学", now=NOW)
    api.correct_person(actor=SYSTEM, person_id=indexed.person["pupil"], changes={"name": "王改名"}, now=NOW)
    run_pending()
    assert added in found(indexed, "county_officer", "东川新校", "org")
    assert school in found(indexed, "county_officer", "凌波小学", "org")
    assert indexed.org_ids["grade"] in found(indexed, "head", "凌波小学 四年级", "org")
    assert indexed.person["head"] in found(indexed, "county_officer", "凌波小学", "person")
    assert indexed.person["pupil"] in found(indexed, "head", "王改名", "person")
    assert indexed.person["pupil"] not in found(indexed, "head", "王小明", "person")


def test_a_move_takes_the_index_and_the_counters_along(indexed: Region) -> None:
    api.move_org(actor=SYSTEM, org_id=indexed.org_ids["school"], parent_id=indexed.org_ids["west"], now=NOW)
    assert api.count_of(indexed.org_ids["east"], CountKind.PUPILS) == 2
    run_pending()
    assert api.count_of(indexed.org_ids["east"], CountKind.PUPILS) == 0
    assert api.count_of(indexed.org_ids["west"], CountKind.PUPILS) == 3
    assert not found(indexed, "county_officer", "王小明", "person")
    assert indexed.person["pupil"] in found(indexed, "head", "王小明", "person")


def test_what_is_closed_or_merged_is_forgotten(indexed: Region) -> None:
    api.close_org(actor=SYSTEM, org_id=indexed.org_ids["far"], now=NOW)
    indexed.add_person("double", "王小明", "school", Role.PUPIL)
    run_pending()
    assert not found(indexed, "city_officer", "西原小学", "org")
    assert indexed.person["double"] in found(indexed, "head", "王小明", "person")
    api.merge_people(actor=SYSTEM, keep_id=indexed.person["pupil"], drop_id=indexed.person["double"], now=NOW)
    run_pending()
    assert found(indexed, "head", "王小明", "person") == {indexed.person["pupil"]}
