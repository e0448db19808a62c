"""Writes that compete with the one source of an element, at the doors of registers, the directory, SCIM and the API."""

import json
from typing import Any

import pytest
from django.apps import apps
from tests.cast import Cast

from shuren.casework.models import Case, Entry, WorkItem
from shuren.casework.services.packs.install import install_pack
from shuren.casework.services.registers.write import add_entry, change_entry
from shuren.casework.tests.conftest import Define
from shuren.directory import api as directory
from shuren.directory.data import CountKind
from shuren.kernel.data import SYSTEM
from shuren.kernel.models import AuditEntry
from shuren.standards import api as standards
from shuren.standards.data import Door

ROOMS = (
    "- {code: demo.rooms, name_zh: 实验室数, name_en: Labs, type: integer, grade: L1, "
    "source: register:demo.labs.rooms, department: 装备科}\n"
)


def body(key: str, *fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    titled = [{"key": "no", "type": "text", "title": "编号", "required": True, "length": 20}, *fields]
    return {
        "key": key,
        "title": "实验室台账",
        "identity": ["no"],
        "sections": [{"key": "one", "title": "一", "fields": titled}],
    } | more


@pytest.fixture
def registers(cast: Cast, define: Define, tmp_path: Any, settings: Any) -> Cast:
    settings.SHUREN_PACKS = tmp_path
    (tmp_path / "demo" / "standards").mkdir(parents=True)
    (tmp_path / "demo" / "standards" / "elements.yaml").write_text(ROOMS, encoding="utf-8")
    standards.load_registry()
    install_pack(actor=SYSTEM, key="core", now=cast.now)
    define("register", body("demo.labs", {"key": "rooms", "element": "demo.rooms"}))
    copies = ({"key": "rooms", "element": "demo.rooms"}, {"key": "pupils", "element": "org.pupil_count"})
    define("register", body("demo.plans", *copies))
    apps.get_model("directory", "OrgCount").objects.update_or_create(
        org_id=cast.orgs["school"].id, kind=CountKind.PUPILS.value, defaults={"value": 640}
    )
    return cast


@pytest.fixture(autouse=True)
def words_of_others() -> Any:
    yield
    standards.forget_registry()


def produce(cast: Cast, element: str, *doors: Door, org: str = "county") -> None:
    org_id = cast.orgs[org].id
    standards.set_owner(actor=SYSTEM, element_code=element, org_id=org_id, now=cast.now)
    standards.set_producer(actor=SYSTEM, element_code=element, doors=doors, org_ids=[org_id], now=cast.now)


def refused(cast: Cast) -> list[tuple[str, str, int, int]]:
    standards.keep_refusals(now=cast.now)
    rows, _total = standards.refusals_of()
    return sorted((row.element, row.door.value, row.org_id or 0, row.count) for row in rows)


class TestRegisters:
    def test_a_copy_that_agrees_is_taken_and_one_that_differs_names_its_source(self, registers: Cast) -> None:
        cast, school = registers, registers.orgs["school"].id
        add_entry(actor=SYSTEM, register="demo.labs", org_id=school, data={"no": "1", "rooms": 4}, now=cast.now)
        admin = cast.actor("school_admin")
        entry = add_entry(
            actor=admin, register="demo.plans", org_id=school, data={"no": "1", "rooms": 4, "pupils": 640}, now=cast.now
        )
        with pytest.raises(directory.CompetingWrite) as told:
            change_entry(actor=admin, entry_id=entry.pk, data={"rooms": 5}, base_revision=1, now=cast.now)
        assert "装备科" in told.value.message
        assert "demo.labs" in told.value.message
        assert "/elements/demo.rooms/object/" in told.value.remedy
        assert Entry.objects.get(pk=entry.pk).data["rooms"] == 4
        assert refused(cast) == [("demo.rooms", "register", school, 1)]
        assert AuditEntry.objects.filter(action="standards.write_refused", target="element:demo.rooms").count() == 1

    def test_only_the_declared_org_writes_the_source(self, registers: Cast) -> None:
        cast, school = registers, registers.orgs["school"].id
        produce(cast, "demo.rooms", org="far_county")
        with pytest.raises(directory.CompetingWrite) as told:
            add_entry(
                actor=cast.actor("school_admin"), register="demo.labs", org_id=school, data={"no": "1", "rooms": 4}, now=cast.now
            )
        assert "城北区" in told.value.message
        far = cast.orgs["far_school"].id
        written = add_entry(
            actor=cast.actor("far_head"), register="demo.labs", org_id=far, data={"no": "1", "rooms": 4}, now=cast.now
        )
        assert written.data["rooms"] == 4
        assert refused(cast) == [("demo.rooms", "register", school, 1)]

    def test_what_stays_as_it_was_is_no_write(self, registers: Cast) -> None:
        cast, school = registers, registers.orgs["school"].id
        entry = add_entry(actor=SYSTEM, register="demo.labs", org_id=school, data={"no": "1", "rooms": 4}, now=cast.now)
        produce(cast, "demo.rooms", org="far_county")
        admin = cast.actor("school_admin")
        changed = change_entry(actor=admin, entry_id=entry.pk, data={"no": "2", "rooms": 4}, base_revision=1, now=cast.now)
        assert changed.data == {"no": "2", "rooms": 4}

    def test_the_api_answers_with_a_code_and_a_link(self, registers: Cast) -> None:
        cast = registers
        produce(cast, "demo.rooms", org="far_county")
        said = {"org_id": cast.orgs["school"].public_id, "data": {"no": "1", "rooms": 4}}
        client = cast.client("school_admin")
        answer = client.post("/api/v1/registers/demo.labs/entries", json.dumps(said), content_type="application/json")
        assert answer.status_code == 403
        error = answer.json()["error"]
        assert (error["code"], error["link"]) == ("competing_write", "/elements/demo.rooms/object/")
        assert "城北区" in error["message"]
        assert not Entry.objects.filter(register__key="demo.labs").exists()
        # The write was rolled back; that it was tried was not.
        assert [row.count for row in standards.refusals_of()[0]] == [1]


class TestDirectory:
    def test_the_page_says_whose_it_is(self, cast: Cast) -> None:
        standards.load_registry()
        produce(cast, "person.phone", Door.SCIM)
        pupil = cast.people["pupil"]
        shown = {"name": pupil.name, "sex": pupil.sex.value, "phone": "13800000000", "reason": "家长说的"}
        answer = cast.client("school_admin").post(f"/people/{pupil.public_id}/correct/", shown)
        page = answer.content.decode()
        assert answer.status_code == 403
        assert "由东湖区统一产生" in page
        assert "/elements/person.phone/object/" in page
        assert refused(cast) == [("person.phone", "directory", cast.orgs["school"].id, 1)]

    def test_the_source_itself_writes_through_its_door(self, cast: Cast) -> None:
        standards.load_registry()
        produce(cast, "person.phone", Door.SCIM)
        said = {"person_id": cast.people["pupil"].id, "changes": {"phone": "13800000000"}, "now": cast.now}
        with pytest.raises(directory.CompetingWrite):
            directory.correct_person(actor=cast.actor("school_admin"), **said)
        directory.correct_person(actor=cast.actor("school_admin"), door=Door.SCIM, **said)
        with pytest.raises(directory.CompetingWrite):
            directory.correct_person(
                actor=cast.actor("city_officer"), door=Door.SCIM, **said | {"changes": {"phone": "13800000001"}}
            )
        assert [door for _code, door, _org, _count in refused(cast)] == ["directory", "scim"]

    def test_an_org_keeps_the_name_its_owner_gave(self, cast: Cast) -> None:
        standards.load_registry()
        produce(cast, "org.code", Door.ROSTER, org="province")
        with pytest.raises(directory.CompetingWrite) as told:
            directory.correct_org(
                actor=cast.actor("school_admin"), org_id=cast.orgs["school"].id, changes={"code": "3653000001"}, now=cast.now
            )
        assert "云岭省" in told.value.message
        assert len(refused(cast)) == 1


class TestObjection:
    def test_it_goes_to_the_owner_as_a_case(self, registers: Cast) -> None:
        cast = registers
        produce(cast, "person.phone", Door.SCIM)
        client = cast.client("school_admin")
        page = client.get("/elements/person.phone/object/").content.decode()
        assert "由东湖区统一产生" in page
        said = {"whom": "张三", "held": "", "proposed": "13800000000", "reason": "家长说的", "org": cast.orgs["school"].public_id}
        assert client.post("/elements/person.phone/object/", said).status_code == 302
        case = Case.objects.get(definition__key="core.objection")
        assert case.data["element"] == "person.phone"
        item = WorkItem.objects.get(case=case, state="open")
        assert (item.role, item.org_id) == ("county_officer", cast.orgs["county"].id)
        again = client.post("/elements/person.phone/object/", said)
        assert again.status_code == 409
