"""People's rights in their own data: a copy, a correction, a deletion by two, an answer in time."""

import io
import json
import zipfile
from collections.abc import Callable

import pytest

from shuren.directory import api
from shuren.directory.models import Person
from shuren.directory.rules.retention import ERASABLE, KEPT_ALWAYS, KEPT_OF_RECORDS, erasable
from shuren.directory.rules.subject_data import _sections
from shuren.directory.services.reveal_person import reveal_person
from shuren.directory.tests.conftest import NOW, Region, Visitor
from shuren.kernel.errors import NotFound
from shuren.kernel.models import AuditEntry, Event


def test_a_record_is_kept_and_the_number_always() -> None:
    assert erasable(has_record=True) == ERASABLE
    assert erasable(has_record=False) >= KEPT_OF_RECORDS
    assert not KEPT_ALWAYS & erasable(has_record=False)


def test_a_guardian_takes_a_copy(region: Region, visit: Callable[[str], Visitor]) -> None:
    response = visit("parent").post(region.url("pupil").replace("/people/", "/my-data/") + "download/")
    with zipfile.ZipFile(io.BytesIO(response.content)) as package:
        assert set(package.namelist()) == {"data.json", "data.html"}
        found = json.loads(package.read("data.json"))
    assert found["person"]["name"] == "王小明"
    assert found["guardians"][0]["guardian__name"] == "王大明"
    assert AuditEntry.objects.filter(action="directory.subject_data_given").count() == 1
    for stranger in ("head", "teacher", "pupil2"):
        with pytest.raises(NotFound):
            visit(stranger).post(region.url("pupil").replace("/people/", "/my-data/") + "download/")


def test_erasing_keeps_the_record(region: Region) -> None:
    api.erase_person(actor=region.actor("head"), person_id=region.person["pupil"], now=NOW)
    pupil = Person.objects.get(pk=region.person["pupil"])
    assert (pupil.phone, pupil.name) == ("", "王小明")


def test_who_has_no_record_is_erased_whole(region: Region) -> None:
    region.add_person("guest", "过客", phone="13900000009")
    api.erase_person(actor=region.actor("city_officer"), person_id=region.person["guest"], now=NOW)
    guest = Person.objects.get(pk=region.person["guest"])
    assert (guest.name, guest.phone, guest.is_active) == ("已注销", "", False)
    assert guest.number
    assert Event.objects.get(name="directory.person_erased").payload["is_whole"] is True


def test_a_request_is_answered_at_the_outermost_place(region: Region) -> None:
    place = api.subject_place(actor=region.actor("parent"), person_id=region.person["pupil"], now=NOW)
    assert place.id == region.org_ids["school"]
    with pytest.raises(NotFound):
        api.subject_place(actor=region.actor("teacher"), person_id=region.person["pupil"], now=NOW)


def test_a_copy_holds_what_other_apps_registered_and_who_looked(region: Region, visit: Callable[[str], Visitor]) -> None:
    pupil = region.person["pupil"]
    asked: list[int] = []

    def exporter(person_id: int) -> list[dict[str, object]]:
        asked.append(person_id)
        return [{"title": "三好学生", "at": NOW}]

    api.register_subject_data("awards", exporter, title="奖状")
    try:
        reveal_person(actor=region.actor("admin"), person_id=pupil, now=NOW)
        data = api.give_subject_data(actor=region.actor("parent"), person_id=pupil, now=NOW)
        response = visit("parent").post(region.url("pupil").replace("/people/", "/my-data/") + "download/")
    finally:
        _sections.pop("awards")
    assert asked == [pupil, pupil]
    assert data["awards"] == [{"title": "三好学生", "at": str(NOW)}]
    assert {"grants", "requests", "emergencies", "reads", "notices"} <= set(data)
    assert [row["action"] for row in data["reads"]][-1] == "directory.sensitive_read"  # type: ignore[attr-defined,index]
    with zipfile.ZipFile(io.BytesIO(response.content)) as package:
        page = package.read("data.html").decode()
    assert "奖状" in page
    assert "任职和就读" in page


def test_erasing_names_whoever_was_told(region: Region) -> None:
    pupil = region.person["pupil"]
    for recipient in ("app:9", "app:7", ""):
        api.disclosed_people(person_ids=[pupil], elements=["person.number"], purpose="homework", recipient=recipient, now=NOW)
    api.erase_person(actor=region.actor("head"), person_id=pupil, now=NOW)
    payload = Event.objects.get(name="directory.person_erased").payload
    assert (payload["is_whole"], payload["recipients"]) == (False, ["app:7", "app:9"])
    assert "phone" in payload["erased"]
