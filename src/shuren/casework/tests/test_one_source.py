"""What forms fill in by themselves, what somebody may object to, and what that saves."""

from typing import Any

import pytest
from django.apps import apps
from tests.cast import Cast

from shuren.casework.models import Case, CaseEvent, WorkItem
from shuren.casework.selectors.burden import burden_by_form, burden_by_org
from shuren.casework.selectors.definitions import form_of
from shuren.casework.selectors.prefill import prefilled
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.object_to_value import object_to_value
from shuren.casework.services.packs.install import install_pack
from shuren.casework.services.registers.write import add_entry
from shuren.casework.services.tally_cases import tally_cases
from shuren.casework.tests.conftest import Define
from shuren.directory.data import CountKind
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, NotFound
from shuren.standards import api as standards

ROOMS = (
    "- {code: demo.rooms, name_zh: 实验室数, name_en: Labs, type: integer, grade: L1, "
    "source: register:demo.labs.rooms, department: 装备科}\n"
)


def body(key: str, *fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"key": key, "title": "表", "sections": [{"key": "one", "title": "一", "fields": list(fields)}]} | more


ABOUT_SCHOOL = (
    {"key": "name", "element": "org.name"},
    {"key": "pupils", "element": "org.pupil_count"},
    {"key": "labs", "element": "demo.rooms"},
    {"key": "note", "title": "说明", "type": "text"},
)


@pytest.fixture
def school_form(cast: Cast, define: Define, tmp_path: Any, settings: Any) -> Cast:
    settings.SHUREN_PACKS = tmp_path
    (tmp_path / "demo" / "standards").mkdir(parents=True)
    (tmp_path / "demo" / "standards" / "elements.yaml").write_text(ROOMS, encoding="utf-8")
    standards.load_registry()
    install_pack(actor=SYSTEM, key="core", now=cast.now)
    define("register", body("demo.labs", {"key": "rooms", "element": "demo.rooms"}))
    define("form", body("demo.school", *ABOUT_SCHOOL, about="org"))
    apps.get_model("directory", "OrgCount").objects.update_or_create(
        org_id=cast.orgs["school"].id, kind=CountKind.PUPILS.value, defaults={"value": 640}
    )
    return cast


@pytest.fixture(autouse=True)
def words_of_others() -> Any:
    yield
    standards.forget_registry()


def filed(cast: Cast) -> Case:
    return file_case(actor=cast.actor("school_admin"), form="demo.school", org_id=cast.orgs["school"].id, now=cast.now)


class TestPrefill:
    def test_a_school_is_not_asked_what_the_region_holds(self, school_form: Cast) -> None:
        cast = school_form
        school = cast.orgs["school"].id
        add_entry(actor=SYSTEM, register="demo.labs", org_id=school, data={"rooms": 4}, now=cast.now)
        case = filed(cast)
        assert case.data == {"name": "东湖区实验小学", "pupils": 640, "labs": 4}
        assert (case.asked, case.saved) == (4, 3)
        held = prefilled(form_of(case.form_version_id), org=cast.orgs["school"], person=None, now=cast.now)
        assert held["pupils"].source == "名录 · 学籍管理部门"
        assert held["labs"].source == "台账“表” · 装备科"

    def test_what_nobody_holds_is_asked(self, school_form: Cast) -> None:
        assert "labs" not in filed(school_form).data

    def test_a_person_is_told_of_by_the_directory(self, cast: Cast, define: Define) -> None:
        define(
            "form",
            body(
                "demo.pupil",
                {"key": "name", "element": "person.name"},
                {"key": "born", "element": "person.birth_date"},
                about="person",
            ),
        )
        version = define("form", body("demo.other", {"key": "name", "element": "person.name"})).current_id
        pupil = cast.people["pupil"]
        case = file_case(actor=SYSTEM, form="demo.pupil", org_id=cast.orgs["school"].id, subject_person_id=pupil.id, now=cast.now)
        assert case.data == {"name": "张三", "born": "2016-05-04"}
        assert prefilled(form_of(version), org=cast.orgs["school"], person=pupil, now=cast.now) == {}


class TestObjections:
    def put(self, cast: Cast, case: Case, field: str = "pupils", who: str = "school_admin") -> Case:
        said = {"proposed": "641", "reason": "昨天转入一名"}
        return object_to_value(actor=cast.actor(who), case_id=case.pk, field=field, now=cast.now, **said)

    def test_the_keepers_of_the_source_are_asked_and_the_form_goes_on(self, school_form: Cast) -> None:
        cast = school_form
        case = filed(cast)
        objection = self.put(cast, case)
        assert (objection.state, objection.data["held"], objection.data["proposed"]) == ("running", "640", "641")
        assert objection.data["element"] == "org.pupil_count"
        asked = {item.assignee_id for item in WorkItem.objects.filter(case=objection, state="open")}
        # The school administrator objects, and so does not judge it.
        assert asked == {cast.people["head"].id}
        assert CaseEvent.objects.filter(case=case, act="objected").exists()
        assert Case.objects.get(pk=case.pk).state == "draft"

    def test_the_owner_of_the_element_is_asked_where_there_is_one(self, school_form: Cast) -> None:
        cast = school_form
        standards.set_owner(actor=SYSTEM, element_code="org.pupil_count", org_id=cast.orgs["county"].id, now=cast.now)
        objection = self.put(cast, filed(cast))
        item = WorkItem.objects.get(case=objection, state="open")
        assert (item.role, item.org_id) == ("county_officer", cast.orgs["county"].id)

    def test_once_at_a_time_and_only_to_what_was_filled_in(self, school_form: Cast) -> None:
        cast = school_form
        case = filed(cast)
        self.put(cast, case)
        with pytest.raises(Conflict):
            self.put(cast, case)
        with pytest.raises(NotFound):
            self.put(cast, case, field="note")
        with pytest.raises(NotFound):
            self.put(cast, case, who="far_head")


class TestBurden:
    def test_fields_asked_and_saved_are_counted_per_form_and_school(self, school_form: Cast) -> None:
        cast = school_form
        row = filed(cast).definition
        filed(cast)
        tally_cases()
        officer = cast.actor("county_officer")
        (form,) = [one for one in burden_by_form(actor=officer, now=cast.now).rows if one.cases]
        assert (form.cases, form.asked, form.saved, form.saved_percent) == (2, 8, 4, 50.0)
        (school,) = burden_by_org(actor=officer, definition=row, now=cast.now).rows
        assert (school.name, school.asked) == ("东湖区实验小学", 8)
        assert burden_by_org(actor=cast.actor("far_head"), definition=row, now=cast.now).rows == []
