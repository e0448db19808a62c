"""Pages: what they show, to whom, at how many queries, and that nothing leaks outside a scope."""

import re
from collections.abc import Callable
from datetime import date

import pytest

from shuren.directory import api
from shuren.directory.data import EnrollmentRole, NewPerson, OrgStatus, Role, Sex
from shuren.directory.models import Affiliation, DuplicatePair, Grant, Org, Person
from shuren.directory.services.propose_duplicates import propose_duplicates
from shuren.directory.services.reveal_person import reveal_person
from shuren.directory.tests.conftest import NOW, Region, Visitor
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, NotFound, Refused
from shuren.kernel.models import AuditEntry

Visit = Callable[[str], Visitor]


@pytest.fixture(autouse=True)
def _frozen_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def text_of(visitor: Visitor, path: str, **query: str) -> str:
    return visitor.get(path, query).content.decode()


ORG_PAGES = ("", "people/", "grants/", "new/", "correct/", "move/", "merge/", "close/", "people/new/", "grants/new/")


@pytest.mark.parametrize("page", ORG_PAGES)
def test_an_officer_opens_every_page_of_their_orgs(region: Region, visit: Visit, page: str) -> None:
    response = visit("city_officer").get(region.url("school", page))
    assert response.status_code == 200
    assert "东川一小" in response.content.decode()


@pytest.mark.parametrize("page", ORG_PAGES)
@pytest.mark.parametrize("key", ["head", "county_officer", "pupil", "parent", "class_teacher"])
def test_outside_the_scope_no_page_of_an_org_exists(region: Region, visit: Visit, key: str, page: str) -> None:
    with pytest.raises(NotFound):
        visit(key).get(region.url("far", page))


@pytest.mark.parametrize("page", ["new/", "correct/", "move/", "merge/", "close/", "people/new/", "grants/new/", "grants/"])
def test_seeing_an_org_is_not_changing_it(region: Region, visit: Visit, page: str) -> None:
    with pytest.raises(NotFound):
        visit("staff").get(region.url("school", page))


@pytest.mark.parametrize("page", ["", "seen-by/", "correct/"])
def test_outside_the_scope_no_page_of_a_person_exists(region: Region, visit: Visit, page: str) -> None:
    for key, other in (("head", "far_pupil"), ("class_teacher", "pupil2"), ("parent", "pupil2"), ("pupil", "head")):
        with pytest.raises(NotFound):
            visit(key).get(region.url(other, page))


def test_the_list_of_orgs_shows_the_top_and_finds_below(region: Region, visit: Visit) -> None:
    shown = text_of(visit("county_officer"), "/orgs/")
    assert "东川一小" in shown
    assert "西原小学" not in shown
    assert "四（1）班" not in shown
    found = text_of(visit("county_officer"), "/orgs/", q="四（1）")
    assert "四（1）班" in found
    assert found.count(region.url("far_class")) == 0


@pytest.mark.parametrize("page", ["", "consents/new/", "grants/new/"])
def test_an_orgs_page_names_the_way_up_but_links_only_what_is_open(region: Region, visit: Visit, page: str) -> None:
    shown = text_of(visit("head"), region.url("class1", page))
    assert region.url("grade") in shown
    assert "云岭市教育局" in shown
    assert region.url("city") not in shown


def test_the_list_of_people_follows_the_scope(region: Region, visit: Visit) -> None:
    everybody = text_of(visit("city_officer"), "/people/")
    assert "王小明" in everybody
    assert "赵远" in everybody
    school = text_of(visit("head"), "/people/")
    assert "王小明" in school
    assert "赵远" not in school
    own_class = text_of(visit("class_teacher"), "/people/")
    assert "王小明" in own_class
    assert "李小红" not in own_class
    assert "何校长" not in own_class
    family = text_of(visit("parent"), "/people/")
    assert "王大明" in family
    assert "王小明" in family
    assert "李小红" not in family


def test_people_are_found_by_beginning_of_name_number_or_former_number(region: Region, visit: Visit) -> None:
    pupil = Person.objects.get(pk=region.person["pupil"])
    for search in ("王小", pupil.number, pupil.number[:6]):
        assert "王小明" in text_of(visit("head"), "/people/", q=search)
    assert "王小明" not in text_of(visit("head"), "/people/", q="小明")
    api.correct_person(actor=SYSTEM, person_id=pupil.pk, changes={"pupil_number": "L4401001"}, now=NOW)
    api.correct_person(actor=SYSTEM, person_id=pupil.pk, changes={"pupil_number": "G4401002"}, now=NOW)
    for search in ("l4401001", "g4401002"):
        assert "王小明" in text_of(visit("head"), "/people/", q=search)
    # By its beginning the citizen id in it could be guessed digit by digit.
    assert "王小明" not in text_of(visit("head"), "/people/", q="G44")
    assert "王小明" not in text_of(visit("county_officer"), region.url("other", "people/"), q="王小")


def test_a_role_narrows_the_list(region: Region, visit: Visit) -> None:
    pupils = text_of(visit("head"), "/people/", role="pupil")
    assert "王小明" in pupils
    assert "任老师" not in pupils
    class_teachers = text_of(visit("county_officer"), region.url("class1", "people/"), role="class_teacher")
    assert "班老师" in class_teachers
    assert "王小明" not in class_teachers


def test_people_sort_by_pinyin(region: Region, visit: Visit) -> None:
    shown = text_of(visit("head"), "/people/", sort="name", role="pupil")
    assert shown.index("李小红") < shown.index("王小明")
    turned = text_of(visit("head"), "/people/", sort="-name", role="pupil")
    assert turned.index("王小明") < turned.index("李小红")


def test_an_export_is_audited(region: Region, visit: Visit) -> None:
    response = visit("head").get("/people/", {"export": "csv", "role": "pupil"})
    exported = b"".join(response.streaming_content).decode("utf-8-sig")
    assert "王小明" in exported
    assert "任老师" not in exported
    assert AuditEntry.objects.get(action="directory.people_exported").details["role"] == "pupil"
    visit("head").get("/orgs/", {"export": "csv"})
    assert AuditEntry.objects.filter(action="directory.orgs_exported").count() == 1


def test_private_facts_are_masked_for_those_who_need_not_know(region: Region, visit: Visit) -> None:
    for key, is_whole in (("head", True), ("pupil", True), ("parent", True), ("class_teacher", False)):
        shown = text_of(visit(key), region.url("pupil"))
        assert ("13800000001" in shown) is is_whole
        assert ("2016-05-04" in shown) is is_whole


def test_reading_a_national_id_is_written_down_first(region: Region, visit: Visit) -> None:
    written = api.add_person(actor=SYSTEM, person=NewPerson(name="有证", national_id="11010120160504000x"), now=NOW)
    region.person["carded"] = written.id
    region.affiliate("carded", "school", Role.PUPIL)
    assert written.warnings
    assert "11010120160504000" not in text_of(visit("head"), region.url("carded"))
    response = visit("head").post(region.url("carded", "reveal/"))
    assert "11010120160504000X" in response.notes[0]  # type: ignore[attr-defined]
    entry = AuditEntry.objects.get(action="directory.sensitive_read")
    assert entry.target == f"person:{written.id}"
    assert "11010120160504000X" not in str(entry.details)
    for key in ("class_teacher", "staff", "parent"):
        with pytest.raises(NotFound):
            visit(key).post(region.url("carded", "reveal/"))


def test_the_family_may_ask_for_the_national_id_too(region: Region, visit: Visit) -> None:
    Person.objects.filter(pk=region.person["pupil"]).update(pupil_number="G110101201605040011")
    for key in ("pupil", "parent"):
        assert "查看证件号" in text_of(visit(key), region.url("pupil"))
        assert "G110101201605040011" in visit(key).post(region.url("pupil", "reveal/")).notes[0]  # type: ignore[attr-defined]
    assert AuditEntry.objects.filter(action="directory.sensitive_read").count() == 2
    assert "查看证件号" not in text_of(visit("class_teacher"), region.url("pupil"))


def test_nothing_is_called_masked_where_nothing_is_on_file(region: Region, visit: Visit) -> None:
    region.add_person("bare", "无档生", "school", Role.PUPIL)
    region.enrol("bare", "class1", EnrollmentRole.STUDENT)
    page = text_of(visit("class_teacher"), region.url("bare"))
    assert "无档生" in page
    assert "已遮盖" not in page
    Person.objects.filter(pk=region.person["bare"]).update(phone="13800000009")
    assert "已遮盖" in text_of(visit("class_teacher"), region.url("bare"))


def test_apps_and_reads_are_told_in_words(region: Region, visit: Visit) -> None:
    pupil = region.person["pupil"]
    reveal_person(actor=region.actor("admin"), person_id=pupil, now=NOW, reason="核对")
    api.disclosed_people(person_ids=[pupil], elements=["person.number"], purpose="teaching", recipient="app:7", now=NOW)
    shown = text_of(visit("parent"), region.url("pupil", "seen-by/"))
    assert "查看敏感个人信息" in shown
    assert "教学" in shown
    assert "directory.sensitive_read" not in shown
    assert "teaching" not in shown


def test_an_emergency_tells_what_was_done_in_words(region: Region, visit: Visit) -> None:
    region.add_person("other_pupil", "邻校生", "other", Role.PUPIL)
    glass = api.open_break_glass(
        actor=region.actor("head"), person_id=region.person["other_pupil"], reason="校外活动受伤，需要联系家长", hours=2, now=NOW
    )
    visit("head").get(region.url("other_pupil"))
    shown = text_of(visit("head"), f"/break-glass/{ids.encode('break_glass', glass)}/")
    assert "启用紧急查看" in shown
    assert "directory." not in re.sub(r"<[^>]+>", "", shown)
    assert "person:" not in shown


def test_who_can_see_a_pupil(region: Region, visit: Visit) -> None:
    shown = text_of(visit("head"), region.url("pupil", "seen-by/"))
    for name in ("高建国", "林县长", "何校长", "于管理", "班老师", "王大明"):
        assert name in shown
    for name in ("司会计", "任老师", "赵远", "李小红"):
        assert name not in shown


def test_who_can_see_agrees_with_access(region: Region, visit: Visit) -> None:
    shown = text_of(visit("head"), region.url("pupil", "seen-by/"))
    for key, person_id in region.person.items():
        sees = bool(api.people_within(actor=region.actor(key), person_ids=[region.person["pupil"]], now=NOW))
        if key != "pupil":
            assert (Person.objects.get(pk=person_id).name in shown.split("directory-seers")[-1]) is sees, key


def test_an_org_is_added_from_its_parents_page(region: Region, visit: Visit) -> None:
    data = {"type": "school", "name": "东川三小", "code": "12"}
    response = visit("county_officer").post(region.url("east", "new/"), data)
    added = Org.objects.get(name="东川三小")
    assert response.status_code == 302
    assert response["Location"] == f"/orgs/{ids.encode('org', added.pk)}/"
    assert len(response.notes) == 2  # type: ignore[attr-defined]  # done, and a warning about the code
    again = visit("county_officer").post(region.url("east", "new/"), data)
    assert again.status_code == 409
    assert "已有同名机构" in again.content.decode()


def test_an_org_is_corrected_moved_merged_and_closed_from_its_page(region: Region, visit: Visit) -> None:
    officer = visit("city_officer")
    officer.post(region.url("school", "correct/"), {"name": "东川第一小学", "reason": "更名"})
    assert region.org("school").name == "东川第一小学"
    officer.post(region.url("school", "move/"), {"org": region.org("west").public_id})
    assert region.path("school").startswith(region.path("west"))
    officer.post(region.url("school", "merge/"), {"org": region.org("far").public_id})
    assert region.org("school").status is OrgStatus.MERGED
    officer.post(region.url("other", "close/"), {})
    assert region.org("other").status is OrgStatus.CLOSED
    assert "东川一小" in text_of(officer, region.url("school"))


def test_a_target_that_was_not_offered_is_refused(region: Region, visit: Visit) -> None:
    response = visit("county_officer").post(region.url("school", "move/"), {"org": region.org("west").public_id})
    assert response.status_code == 200
    assert region.path("school").startswith(region.path("east"))


def test_a_person_is_entered_and_corrected(region: Region, visit: Visit) -> None:
    data = {"name": "孙新", "sex": "1", "role": "pupil", "birth_date": "2016-03-03"}
    response = visit("admin").post(region.url("school", "people/new/"), data)
    assert response.status_code == 302
    person = Person.objects.get(name="孙新")
    assert Affiliation.objects.get(person=person).org_id == region.org_ids["school"]
    region.person["new"] = person.pk
    visit("admin").post(region.url("new", "correct/"), {"name": "孙新新", "sex": "1", "reason": "笔误"})
    person.refresh_from_db()
    assert (person.name, person.birth_date) == ("孙新新", None)
    refused = visit("admin").post(region.url("school", "people/new/"), data | {"role": "head", "name": "假校长"})
    assert refused.status_code == 403
    assert not Person.objects.filter(name="假校长").exists()


def test_grants_are_given_and_revoked_on_pages(region: Region, visit: Visit) -> None:
    number = Person.objects.get(pk=region.person["teacher"]).number
    data = {"number": number, "role": "class_teacher", "purpose": "代班", "end_date": "2026-12-31"}
    response = visit("head").post(region.url("class1", "grants/new/"), data)
    assert response.status_code == 302
    grant = Grant.objects.get(person_id=region.person["teacher"])
    assert (grant.role, grant.org_id, grant.purpose) == ("class_teacher", region.org_ids["class1"], "代班")
    assert "任老师" in text_of(visit("head"), "/grants/")
    assert "任老师" in text_of(visit("head"), region.url("class1", "grants/"))
    assert "任老师" not in text_of(visit("far_pupil"), "/grants/")
    path = f"/grants/{ids.encode('grant', grant.pk)}/revoke/"
    with pytest.raises(NotFound):
        visit("far_pupil").post(path)
    assert visit("head").post(path).status_code == 302
    grant.refresh_from_db()
    assert grant.revoked_at == NOW
    unknown = visit("head").post(region.url("class1", "grants/new/"), data | {"number": "000"})
    assert unknown.status_code == 400


def test_who_looks_after_grants_is_not_led_to_people_closed_to_them(region: Region, visit: Visit) -> None:
    region.add_person("security", "安全员")
    region.grant("security", "city", Role.SECURITY_ADMIN)
    number = Person.objects.get(pk=region.person["teacher"]).number
    data = {"number": number, "role": "class_teacher", "purpose": "代班", "end_date": "2026-12-31"}
    visit("head").post(region.url("class1", "grants/new/"), data)
    person = f"/people/{ids.encode('person', region.person['teacher'])}/"
    assert person in text_of(visit("head"), "/grants/")
    listed = text_of(visit("security"), "/grants/")
    assert "任老师" in listed
    assert person not in listed


def double(region: Region) -> DuplicatePair:
    facts = {"sex": Sex.MALE, "birth_date": date(2016, 5, 4)}
    region.add_person("double", "王小明", "school", Role.PUPIL, **facts)
    propose_duplicates(now=NOW)
    return DuplicatePair.objects.get()


def test_duplicates_are_merged_by_a_person_only(region: Region, visit: Visit) -> None:
    pair = double(region)
    shown = text_of(visit("admin"), "/people/duplicates/")
    assert "姓名、出生日期、性别都相同" in shown
    path = f"/people/duplicates/{ids.encode('pair', pair.pk)}/merge/"
    keep = {"keep": ids.encode("person", region.person["pupil"])}
    with pytest.raises(NotFound):
        visit("class_teacher").post(path, keep)
    with pytest.raises(NotFound):
        visit("admin").post(path, {"keep": ids.encode("person", region.person["head"])})
    visit("admin").post(path, keep)
    assert Person.objects.get(pk=region.person["double"]).merged_into_id == region.person["pupil"]
    assert "没有疑似重复的人员" in text_of(visit("admin"), "/people/duplicates/")


def test_a_dismissed_pair_is_gone(region: Region, visit: Visit) -> None:
    pair = double(region)
    visit("admin").post(f"/people/duplicates/{ids.encode('pair', pair.pk)}/dismiss/")
    assert text_of(visit("admin"), "/people/duplicates/").count("王小明") == 0


@pytest.mark.parametrize(
    ("key", "path", "queries"),
    [
        ("city_officer", "/orgs/", 5),
        ("city_officer", "/people/", 8),
        ("head", "/people/", 6),
        ("class_teacher", "/people/", 5),
    ],
)
def test_lists_ask_a_fixed_number_of_queries(
    region: Region, visit: Visit, django_assert_num_queries, key: str, path: str, queries: int
) -> None:
    for copy in range(8):
        region.add_person(f"more{copy}", f"多{copy}", "school", Role.PUPIL)
        region.enrol(f"more{copy}", "class1")
    with django_assert_num_queries(queries):
        visit(key).get(path)


def test_detail_pages_ask_a_fixed_number_of_queries(region: Region, visit: Visit, django_assert_num_queries) -> None:
    with django_assert_num_queries(11):
        visit("head").get(region.url("pupil"))
    with django_assert_num_queries(10):
        visit("head").get(region.url("school"))


def test_a_view_lets_rules_refuse(region: Region, visit: Visit) -> None:
    root = visit("city_officer").post(region.url("city", "close/"), {})
    assert root.status_code == 403
    with pytest.raises(NotFound):
        visit("city_officer").get("/orgs/0000000000000/")
    for error in (Refused("不行"), Conflict("晚了")):
        assert error.status in (403, 409)
