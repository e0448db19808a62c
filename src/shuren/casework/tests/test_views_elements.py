"""The data elements of the region on their page, and who is named to answer for one."""

from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.models import WorkItem
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.object_to_value import object_to_value
from shuren.casework.services.packs.install import install_pack
from shuren.casework.tests.conftest import Define
from shuren.kernel.data import SYSTEM
from shuren.kernel.models import AuditEntry
from shuren.search import api as search
from shuren.search.data import Document
from shuren.standards import api as standards

OWNER = "/elements/org.pupil_count/owner/"


@pytest.fixture
def region(cast: Cast) -> Cast:
    standards.load_registry()
    orgs = [Document(kind="org", object_id=org.id, path=org.path, title=org.name) for org in cast.orgs.values()]
    search.index_documents(orgs)
    return cast


def page(cast: Cast, who: str, url: str = "/elements/", **asked: str) -> str:
    answer = cast.client(who).get(url, asked)
    assert answer.status_code == 200
    return answer.content.decode()


def test_builders_find_elements_with_where_they_come_from(region: Cast) -> None:
    shown = page(region, "school_admin", q="org.pupil_count")
    assert "org.pupil_count" in shown
    assert "名录" in shown
    assert "学籍管理部门" in shown
    assert "person.name" not in shown
    assert "指定负责单位" not in shown
    assert "/elements/" in page(region, "school_admin", "/definitions/")
    assert "org.pupil_count" not in page(region, "school_admin", q="没有这个词")


def test_elements_are_listed_by_grade_and_a_page_at_a_time(region: Cast) -> None:
    sensitive = page(region, "province_officer", q="person.", grade="L4")
    assert "person.national_id" in sensitive
    assert "person.name" not in sensitive
    first, second = page(region, "province_officer"), page(region, "province_officer", page="2")
    codes = [element.code for element in standards.elements()]
    assert codes[0] in first
    assert codes[0] not in second


def test_names_are_in_the_language_of_the_reader(region: Cast) -> None:
    element = standards.element("org.pupil_count")
    client = region.client("province_officer")
    answer = client.get("/elements/", {"q": element.code}, headers={"Accept-Language": "en"})
    assert element.name_en in answer.content.decode()


@pytest.mark.parametrize(("who", "lists"), [("county_officer", 200), ("school_admin", 200), ("head", 404), ("teacher", 404)])
def test_others_read_at_most(region: Cast, who: str, lists: int) -> None:
    client = region.client(who)
    assert client.get("/elements/").status_code == lists
    assert client.get(OWNER).status_code == 404
    assert client.post(OWNER, {"org": region.orgs["county"].public_id}).status_code == 404
    assert standards.element("org.pupil_count").owner_org_id is None


def test_the_org_that_is_named_judges_objections(region: Cast, define: Define) -> None:
    cast = region
    install_pack(actor=SYSTEM, key="core", now=cast.now)
    field = {"key": "pupils", "element": "org.pupil_count"}
    form: dict[str, Any] = {"key": "demo.school", "title": "表", "about": "org"}
    define("form", form | {"sections": [{"key": "one", "title": "一", "fields": [field]}]})
    county, client = cast.orgs["county"], cast.client("province_officer")
    assert county.name in page(cast, "province_officer", OWNER, q="东湖区")
    assert client.post(f"{OWNER}?q=东湖区", {"org": county.public_id}).status_code == 302
    assert county.name in page(cast, "province_officer", q="org.pupil_count", owner="1")
    assert AuditEntry.objects.filter(action="standards.owner_set", target="element:org.pupil_count").exists()

    case = file_case(actor=cast.actor("school_admin"), form="demo.school", org_id=cast.orgs["school"].id, now=cast.now)
    said = {"field": "pupils", "proposed": "641", "reason": "昨天转入一名"}
    objection = object_to_value(actor=cast.actor("school_admin"), case_id=case.pk, now=cast.now, **said)
    item = WorkItem.objects.get(case=objection, state="open")
    assert (item.role, item.org_id) == ("county_officer", county.id)


def test_an_owner_is_taken_away_and_only_what_was_found_is_taken(region: Cast) -> None:
    county, client = region.orgs["county"], region.client("province_officer")
    standards.set_owner(actor=SYSTEM, element_code="org.pupil_count", org_id=county.id, now=region.now)
    assert "换一个名称再查" in page(region, "province_officer", OWNER, q="没有这样的机构")
    answer = client.post(OWNER, {"org": "不是机构"})
    assert answer.status_code == 200
    assert standards.element("org.pupil_count").owner_org_id == county.id
    assert client.post(OWNER, {"org": ""}).status_code == 302
    assert standards.element("org.pupil_count").owner_org_id is None
    assert client.get("/elements/no.such/owner/").status_code == 404
