"""Admission to schools: groups in their order, a public draw where places are short, nobody left out."""

from collections import Counter
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from tests.cast import Cast

from shuren.casework.models import Case, Entry
from shuren.casework.rules.hall import Wish, ranked
from shuren.casework.selectors.hall import coming_year
from shuren.casework.services.hall.admit import admit_by_draw, admit_by_rank, prepare_admission_draw
from shuren.casework.services.registers.write import add_entry
from shuren.casework.tests.hall_cast import applied, decided, install_gov
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, NotFound

CHILD = {
    "child_name": "周小禾",
    "sex": "2",
    "birth_date": "2021-03-05",
    "entry_day": "2027-08-31",
    "id_number": "530103202103054826",
    "is_twin": False,
    "hukou_address": "湖滨路 20 号",
    "home_address": "湖滨路 20 号",
    "home_kind": "own",
    "is_hukou_here": True,
    "is_home_here": True,
    "settled": "2021-04-01",
    "contact_name": "周志强",
    "phone": "13800138017",
}


@pytest.fixture
def gov(cast: Cast, define: Any) -> Cast:
    cache.clear()
    install_gov(define)
    return cast


def registered(cast: Cast, **changes: Any) -> Case:
    """A registration that the school and the office have checked."""
    matter = f"person-{cast.people['parent'].public_id}"
    case = applied(cast, "gov.enrolment", CHILD | changes, matter=matter, org="school")
    decided(cast, case, "school_admin", "pass")
    return decided(cast, case, "county_officer", "pass")


def test_the_group_is_worked_out_and_whole_groups_come_first(gov: Cast) -> None:
    first = registered(gov)
    second = registered(gov, home_kind="rent")
    third = registered(gov, is_hukou_here=False, home_kind="rent")
    assert [case.data["group"] for case in (first, second, third)] == [1, 2, 3]
    found = admit_by_rank(actor=gov.actor("county_officer"), org_id=gov.orgs["school"].id, places=2, now=gov.now)
    assert (found.admitted, found.to_draw, found.elsewhere) == ((first.pk, second.pk), (), (third.pk,))
    ends = dict(Case.objects.filter(definition__key="gov.enrolment").values_list("pk", "end"))
    assert ends == {first.pk: "granted", second.pk: "granted", third.pk: "elsewhere"}


def test_only_the_office_admits(gov: Cast) -> None:
    registered(gov)
    school = gov.orgs["school"].id
    with pytest.raises(NotFound):
        admit_by_rank(actor=gov.actor("head"), org_id=school, places=1, now=gov.now)
    with pytest.raises(NotFound):
        admit_by_rank(actor=gov.actor("far_head"), org_id=school, places=1, now=gov.now)
    with pytest.raises(Conflict):
        admit_by_rank(actor=gov.actor("county_officer"), org_id=gov.orgs["other_school"].id, places=1, now=gov.now)


def test_the_group_that_does_not_fit_draws(gov: Cast) -> None:
    own = registered(gov)
    short = [registered(gov, home_kind="rent") for _turn in range(3)]
    officer, school = gov.actor("county_officer"), gov.orgs["school"].id
    found = admit_by_rank(actor=officer, org_id=school, places=2, now=gov.now)
    assert (found.admitted, set(found.to_draw), found.left) == ((own.pk,), {case.pk for case in short}, 1)
    draw = prepare_admission_draw(actor=officer, org_id=school, left=found.left, now=gov.now)
    assert {row["label"] for row in draw.objects_pool} == {case.number for case in short}
    with pytest.raises(Conflict):
        admit_by_draw(actor=officer, draw_id=draw.pk, now=gov.now)
    draw.state, draw.result = "drawn", [{"object": row["id"], "inspectors": []} for row in draw.objects_pool]
    draw.save()
    client = gov.client("county_officer")
    page = client.get(f"/hall/admission/{gov.orgs['school'].public_id}/").content.decode()
    assert "按结果录取" in page
    assert admit_by_draw(actor=officer, draw_id=draw.pk, now=gov.now) == (1, 2)
    ends = Counter(Case.objects.filter(pk__in=[case.pk for case in short]).values_list("end", flat=True))
    assert ends == {"granted": 1, "elsewhere": 2}
    assert admit_by_draw(actor=officer, draw_id=draw.pk, now=gov.now) == (0, 0)


def test_the_admission_page_says_who_waits(gov: Cast) -> None:
    registered(gov)
    url = f"/hall/admission/{gov.orgs['school'].public_id}/"
    client = gov.client("county_officer")
    assert "第 1 类 1 人" in client.get(url).content.decode()
    assert client.post(url, {"places": "5"}).status_code == 302
    assert "没有等待录取的报名" in client.get(url).content.decode()
    assert gov.client("head").get(url).status_code == 404


def test_the_office_finds_the_schools_that_wait(gov: Cast) -> None:
    client = gov.client("county_officer")
    assert "没有学校等待录取" in client.get("/hall/admission/").content.decode()
    registered(gov)
    url = f"/hall/admission/{gov.orgs['school'].public_id}/"
    assert url in client.get("/hall/admission/").content.decode()
    assert url in client.get("/hall/admission/?q=实验").content.decode()
    assert url not in client.get("/hall/admission/?q=重庆路").content.decode()
    assert gov.client("head").get("/hall/admission/").status_code == 404
    client.post(url, {"places": "5"})
    assert url not in client.get("/hall/admission/").content.decode()


def test_the_catchment_of_a_community_is_found(gov: Cast) -> None:
    year = coming_year(day_of(gov.now))
    told = {"year": year, "stage": "primary", "community": "湖滨小区", "house_from": "1", "house_to": "99"}
    add_entry(actor=SYSTEM, register="gov.catchments", org_id=gov.orgs["school"].id, data=told, now=gov.now)
    add_entry(actor=SYSTEM, register="gov.catchments", org_id=gov.orgs["school"].id, data=told | {"year": year - 1}, now=gov.now)
    page = Client().get("/hall/catchments/?word=湖滨").content.decode()
    assert page.count("东湖区实验小学") == 1
    assert "1 号至 99 号" in page
    assert "没有找到" in Client().get("/hall/catchments/?word=别处").content.decode()
    assert Entry.objects.count() == 2


WISHES = st.lists(st.integers(1, 5), max_size=40).map(lambda groups: [Wish(pk, group) for pk, group in enumerate(groups)])


@given(wishes=WISHES, places=st.integers(0, 50))
def test_nobody_is_lost_and_no_later_group_comes_before_an_earlier_one(wishes: list[Wish], places: int) -> None:
    found = ranked(wishes, places)
    assert sorted([*found.admitted, *found.to_draw, *found.elsewhere]) == sorted(wish.case_id for wish in wishes)
    assert len(found.admitted) + found.left == places
    group = {wish.case_id: wish.group for wish in wishes}
    best_out = min((group[pk] for pk in (*found.to_draw, *found.elsewhere)), default=99)
    assert all(group[pk] < best_out for pk in found.admitted)
    if found.to_draw:
        assert len({group[pk] for pk in found.to_draw}) == 1
        assert 0 < found.left < len(found.to_draw)
