"""What an app of others reads over REST: nothing that was not agreed to, and nothing found by what it is not told."""

import pytest
from django.http import HttpRequest

from shuren.directory import rest
from shuren.directory.models import Disclosure
from shuren.directory.tests.conftest import NOW, Region
from shuren.directory.tests.test_consents import APP, BACK, NO, PURPOSE, YES, decide, publish
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor, AppReach
from shuren.kernel.errors import Invalid


@pytest.fixture(autouse=True)
def _frozen_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def asked_by_app(region: Region, recipient: str = APP) -> HttpRequest:
    """An app in its own name with `directory.read` in one school; without a recipient a system of the house."""
    reach = AppReach(APP, frozenset({"view_orgs", "view_people"}), (region.path("school"),), recipient, PURPOSE)
    request = HttpRequest()
    request.actor = Actor(None, None, "app", role="app", app=reach)  # type: ignore[attr-defined]
    return request


def found(region: Region, search: str, recipient: str = APP) -> list[str]:
    page = rest.list_people(asked_by_app(region, recipient), rest.Paging(), search=search)
    assert page.total == len(page.rows)
    return [row.id for row in page.rows]


def read(region: Region, key: str, recipient: str = APP) -> rest.PersonDetailOut:
    return rest.read_person(asked_by_app(region, recipient), ids.encode("person", region.person[key]))


def test_numbers_wait_for_a_yes_that_names_them(region: Region) -> None:
    house = read(region, "pupil", recipient="")
    assert (house.sourced_id, len(house.number)) == ("pupil", 14)
    assert (read(region, "pupil").number, read(region, "pupil").sourced_id) == ("", "")
    assert {row.number for row in rest.list_people(asked_by_app(region), rest.Paging()).rows} == {""}
    assert not Disclosure.objects.filter(elements__contains="number").exists()
    decide(region, "parent", "pupil", publish(region, "person.name"))
    assert (read(region, "pupil").name, read(region, "pupil").number) == ("王小明", "")
    text = publish(region, "person.name", "person.number")
    assert read(region, "pupil").number == "", "the notice asks for more, and nobody has answered it"
    decide(region, "parent", "pupil", text)
    assert (read(region, "pupil").number, read(region, "pupil").sourced_id) == (house.number, "")
    assert Disclosure.objects.filter(person_id=region.person["pupil"], elements="name,number").exists()
    assert read(region, "pupil2").number == ""
    decide(region, "parent", "pupil", text, BACK)
    assert read(region, "pupil").number == ""


def test_staff_have_their_names_told_and_their_numbers_kept(region: Region) -> None:
    assert (read(region, "head").name, read(region, "head").number) == ("何校长", "")


def test_a_search_finds_nobody_by_what_is_not_told(region: Region) -> None:
    pupil = ids.encode("person", region.person["pupil"])
    number = read(region, "pupil", recipient="").number
    assert pupil in found(region, "王小", recipient="")
    assert found(region, "王小") == []
    assert found(region, number[:6]) == []
    assert pupil in found(region, "王"), "the mask says so much"
    text = publish(region, "person.name", "person.number")
    decide(region, "parent", "pupil", text, NO)
    assert pupil not in found(region, "王")
    decide(region, "parent", "pupil", text, YES)
    assert found(region, "王小明") == [pupil]
    assert found(region, number) == [pupil]


def test_pages_of_a_search_join(region: Region) -> None:
    for place in range(5):
        region.add_person(f"more{place}", f"王小{place}", "school", rest.Role.STAFF)
    first, second = (rest.list_people(asked_by_app(region), rest.Paging(page=number, size=3), search="王小") for number in (1, 2))
    assert (first.total, second.total, len(first.rows), len(second.rows)) == (5, 5, 3, 2)
    assert not {row.id for row in first.rows} & {row.id for row in second.rows}


def test_a_vague_search_is_refused(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "NARROW", 1)
    with pytest.raises(Invalid):
        found(region, "王")
