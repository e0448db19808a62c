"""Pages of roles, classes and guardians: what is offered to whom, what a POST does, what is said when it will not do."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from django.http import HttpResponse

from shuren.directory import api
from shuren.directory.data import EnrollmentRole, OrgType, Role
from shuren.directory.models import Affiliation, ClassDetail, Enrollment, GuardianLink, Person
from shuren.directory.tests.conftest import BEGUN, NOW, Region, Visitor
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import NotFound
from shuren.kernel.models import AuditEntry

Visit = Callable[[str], Visitor]
TODAY = clock.day_of(NOW)
PAGES = ("roles/new/", "transfer/", "classes/new/", "guardians/new/", "guardians/register/")


@pytest.fixture(autouse=True)
def _frozen_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def said(response: HttpResponse) -> str:
    return response.content.decode()


def key_of(region: Region, key: str) -> str:
    return ids.encode("org", region.org_ids[key]) if key in region.org_ids else ids.encode("person", region.person[key])


def ending(region: Region, key: str, kind: str) -> str:
    """The address that ends somebody's only role or place in a class."""
    if kind == "roles":
        row_id = ids.encode("affiliation", Affiliation.objects.get(person_id=region.person[key]).pk)
    else:
        row_id = ids.encode("enrollment", Enrollment.objects.get(person_id=region.person[key]).pk)
    return region.url(key, f"{kind}/{row_id}/end/")


@pytest.mark.parametrize("page", PAGES)
def test_whoever_manages_a_pupil_opens_every_page(region: Region, visit: Visit, page: str) -> None:
    for key in ("admin", "county_officer", "city_officer"):
        response = visit(key).get(region.url("pupil", page))
        assert response.status_code == 200
        assert "王小明" in said(response)


@pytest.mark.parametrize("page", PAGES)
def test_others_find_no_such_page(region: Region, visit: Visit, page: str) -> None:
    for key, other in (("head", "pupil"), ("class_teacher", "pupil"), ("parent", "pupil"), ("admin", "far_pupil")):
        with pytest.raises(NotFound):
            visit(key).get(region.url(other, page))


def test_the_page_of_a_person_offers_what_one_may_do(region: Region, visit: Visit) -> None:
    managed = said(visit("admin").get(region.url("pupil")))
    for page in ("roles/new/", "transfer/", "guardians/new/"):
        assert region.url("pupil", page) in managed
    assert region.url("pupil", "classes/new/") not in managed, "the school has no classes of courses"
    for address in (ending(region, "pupil", "roles"), ending(region, "pupil", "classes")):
        assert address in managed
    assert region.url("pupil", f"guardians/{key_of(region, 'parent')}/end/") in managed
    for reader in ("head", "class_teacher", "parent"):
        assert "/end/" not in said(visit(reader).get(region.url("pupil")))
        assert region.url("pupil", "transfer/") not in said(visit(reader).get(region.url("pupil")))
    region.add_org("choir", "school", OrgType.CLASS, "合唱班")
    ClassDetail.objects.filter(org_id=region.org_ids["choir"]).update(class_type="scheduled")
    assert region.url("pupil", "classes/new/") in said(visit("admin").get(region.url("pupil")))
    teacher = said(visit("admin").get(region.url("teacher")))
    assert region.url("teacher", "classes/new/") in teacher
    assert region.url("teacher", "guardians/new/") not in teacher
    assert ending(region, "head", "roles") not in said(visit("admin").get(region.url("head")))
    assert ending(region, "head", "roles") in said(visit("county_officer").get(region.url("head")))


def test_a_pupil_is_transferred_after_a_second_look(region: Region, visit: Visit) -> None:
    page = region.url("pupil", "transfer/")
    sent = {"pick": key_of(region, "class2"), "begin_date": "2026-10-20", "reason": "调班"}
    asked = visit("admin").post(page, sent)
    assert asked.status_code == 200
    for words in ("2026-10-20", "四（1）班", "四（2）班", "调班", "确认转班"):
        assert words in said(asked)
    assert Enrollment.objects.filter(person_id=region.person["pupil"]).count() == 1
    changing = said(visit("admin").post(page, sent | {"step": "change"}))
    assert 'value="2026-10-20"' in changing
    assert "确认转班" not in changing
    done = visit("admin").post(page, sent | {"step": "done"})
    assert (done.status_code, done["Location"]) == (302, region.url("pupil"))
    assert "四（2）班" in done.notes[0]  # type: ignore[attr-defined]
    old, new = Enrollment.objects.filter(person_id=region.person["pupil"]).order_by("pk")
    assert old.end_date == new.begin_date == date(2026, 10, 20)
    assert AuditEntry.objects.get(action="directory.pupil_placed").details["reason"] == "调班"


def test_a_change_of_school_is_spelled_out(region: Region, visit: Visit) -> None:
    region.add_org("other_class", "other", OrgType.CLASS, "五（1）班")
    sent = {"pick": key_of(region, "other_class"), "begin_date": TODAY.isoformat()}
    asked = said(visit("county_officer").post(region.url("pupil", "transfer/"), sent))
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", asked))
    for words in ("学校 东川一小 东川二小", "行政班 四（1）班 五（1）班", "家长 王大明 东川一小 东川二小", "确认转学"):
        assert words in shown
    visit("county_officer").post(region.url("pupil", "transfer/"), sent | {"step": "done"})
    assert "东川二小" in said(visit("county_officer").get(region.url("pupil")))
    with pytest.raises(NotFound):
        visit("admin").get(region.url("pupil"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pick": ""}, "请选择一项"),
        ({"pick": "far_class"}, "请从查找结果中选择一项"),
        ({"pick": "class1"}, "请从查找结果中选择一项"),
        ({"begin_date": ""}, "请填写日期，例如 2026-09-01。"),
        ({"begin_date": "2026-02-30"}, "请写成 2026-09-01 这样的日期。"),
        ({"begin_date": "2206-09-01"}, "日期不能晚于 2027-10-13"),
        ({"begin_date": "2026-08-31"}, "这名学生从 2026-09-01 起才在现在的班级或学校"),
    ],
)
def test_a_faulty_transfer_says_how_to_mend_it(region: Region, visit: Visit, changes: dict[str, str], words: str) -> None:
    changes = {name: key_of(region, value) if value in region.org_ids else value for name, value in changes.items()}
    sent = {"pick": key_of(region, "class2"), "begin_date": TODAY.isoformat(), "step": "done"}
    response = visit("county_officer").post(region.url("pupil", "transfer/"), sent | changes)
    assert response.status_code in (200, 400)
    assert words in said(response).split('class="field has-errors"')[1]
    assert Enrollment.objects.filter(person_id=region.person["pupil"]).count() == 1


def test_classes_are_found_by_school_and_name_inside_the_scope(region: Region, visit: Visit) -> None:
    region.add_org("other_class", "other", OrgType.CLASS, "四（1）班")
    page = region.url("pupil", "transfer/")
    near = said(visit("county_officer").get(page))
    assert key_of(region, "class2") in near
    assert key_of(region, "other_class") not in near
    found = said(visit("county_officer").get(page, {"q": "东川二小 四(1)"}))
    assert f'value="{key_of(region, "other_class")}"' in found
    assert key_of(region, "class2") not in found
    for search in ("西原", "四（9）"):
        assert "没有找到班级" in said(visit("county_officer").get(page, {"q": search}))
    assert key_of(region, "other_class") not in said(visit("admin").get(page, {"q": "东川二小"}))


def test_while_one_types_only_the_results_are_sent(region: Region, visit: Visit) -> None:
    response = visit("admin").get(region.url("pupil", "transfer/"), {"q": "四"}, HX_Request="true")
    assert "<html" not in said(response)
    assert key_of(region, "class2") in said(response)


def test_a_grown_up_is_not_transferred(region: Region, visit: Visit) -> None:
    with pytest.raises(NotFound):
        visit("admin").get(region.url("teacher", "transfer/"))


def test_a_role_is_added_from_today_on(region: Region, visit: Visit) -> None:
    page = region.url("teacher", "roles/new/")
    assert 'value="2026-10-12"' in said(visit("admin").get(page))
    sent = {"pick": key_of(region, "school"), "role": "parent", "begin_date": TODAY.isoformat()}
    response = visit("admin").post(page, sent)
    assert response.status_code == 302
    row = Affiliation.objects.get(person_id=region.person["teacher"], role="parent")
    assert (row.org_id, row.begin_date, row.end_date) == (region.org_ids["school"], TODAY, None)
    again = visit("admin").post(page, sent)
    assert again.status_code == 409
    assert "已经在这个机构担任这个角色" in said(again)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role": ""}, "请选择一项。"),
        ({"pick": "east", "role": "pupil"}, "请另选机构，或改选：职工"),
        ({"end_date": "2026-10-12"}, "结束日期必须晚于开始日期 2026-10-12"),
        ({"role": "county_officer", "pick": "school"}, "请另选机构"),
    ],
)
def test_a_faulty_role_says_how_to_mend_it(region: Region, visit: Visit, changes: dict[str, str], words: str) -> None:
    changes = {name: key_of(region, value) if value in region.org_ids else value for name, value in changes.items()}
    sent = {"pick": key_of(region, "school"), "role": "staff", "begin_date": TODAY.isoformat()}
    response = visit("city_officer").post(region.url("teacher", "roles/new/"), sent | changes)
    assert response.status_code == 200
    assert words in said(response).split('class="field has-errors"')[1]


def test_only_roles_one_may_give_are_offered(region: Region, visit: Visit) -> None:
    offered = said(visit("admin").get(region.url("teacher", "roles/new/")))
    assert 'value="staff"' in offered
    assert 'value="head"' not in offered
    assert 'value="county_officer"' not in offered
    assert 'value="head"' in said(visit("county_officer").get(region.url("teacher", "roles/new/")))
    sent = {"pick": key_of(region, "school"), "role": "head", "begin_date": TODAY.isoformat()}
    assert visit("admin").post(region.url("teacher", "roles/new/"), sent).status_code == 200
    assert not Affiliation.objects.filter(person_id=region.person["teacher"], role="head").exists()


def test_a_role_is_ended_after_its_consequences_are_shown(region: Region, visit: Visit) -> None:
    region.grant("class_teacher", "school", Role.EXPERT)
    page = ending(region, "class_teacher", "roles")
    shown = said(visit("admin").get(page))
    for words in ("同时退出 1 个班：四（1）班", "另外给的 1 项授权不受影响", "is-danger", 'value="2026-10-12"'):
        assert words in shown
    early = said(visit("admin").post(page, {"end_date": "2026-08-01"}))
    assert "日期不能早于 2026-09-01" in early
    assert visit("admin").post(page, {"end_date": "2026-10-12"}).status_code == 302
    assert Affiliation.objects.get(person_id=region.person["class_teacher"]).end_date == TODAY
    assert Enrollment.objects.get(person_id=region.person["class_teacher"]).end_date == TODAY
    assert AuditEntry.objects.filter(action="directory.affiliation_ended").count() == 1
    with pytest.raises(NotFound):
        visit("city_officer").get(page)


def test_a_role_belongs_to_its_person(region: Region, visit: Visit) -> None:
    row_id = ids.encode("affiliation", Affiliation.objects.get(person_id=region.person["pupil2"]).pk)
    for key, page in (("admin", f"roles/{row_id}/end/"), ("admin", f"classes/{row_id}/end/")):
        with pytest.raises(NotFound):
            visit(key).get(region.url("pupil", page))
    with pytest.raises(NotFound):
        visit("admin").get(ending(region, "head", "roles"))


def test_a_class_is_left_and_taught(region: Region, visit: Visit) -> None:
    page = ending(region, "pupil", "classes")
    assert "班级名单里不再有这名学生" in said(visit("admin").get(page))
    visit("admin").post(page, {"end_date": "2026-10-12"})
    assert Enrollment.objects.get(person_id=region.person["pupil"]).end_date == TODAY
    assert "编班" in said(visit("admin").get(region.url("pupil")))
    sent = {"pick": key_of(region, "class1"), "role": "class_teacher", "begin_date": TODAY.isoformat()}
    visit("admin").post(region.url("teacher", "classes/new/"), sent)
    row = Enrollment.objects.get(person_id=region.person["teacher"], class_org_id=region.org_ids["class1"])
    assert (row.role, row.is_primary) == (EnrollmentRole.TEACHER, True)
    again = visit("admin").post(region.url("teacher", "classes/new/"), sent)
    assert again.status_code == 409


def test_a_pupil_joins_a_course_beside_the_home_class(region: Region, visit: Visit) -> None:
    region.add_org("choir", "school", OrgType.CLASS, "合唱班")
    ClassDetail.objects.filter(org_id=region.org_ids["choir"]).update(class_type="scheduled")
    page = region.url("pupil", "classes/new/")
    shown = said(visit("admin").get(page))
    assert key_of(region, "choir") in shown
    assert key_of(region, "class2") not in shown
    visit("admin").post(page, {"pick": key_of(region, "choir"), "role": "pupil", "begin_date": TODAY.isoformat()})
    row = Enrollment.objects.get(class_org_id=region.org_ids["choir"])
    assert (row.role, row.is_primary) == (EnrollmentRole.STUDENT, False)
    assert key_of(region, "choir") not in said(visit("admin").get(region.url("pupil", "transfer/")))


def test_a_guardian_is_found_linked_and_ended(region: Region, visit: Visit) -> None:
    page = region.url("pupil2", "guardians/new/")
    assert "要登记谁？" in said(visit("admin").get(page))
    found = said(visit("admin").get(page, {"q": "王大"}))
    assert key_of(region, "parent") in found
    assert "孩子：王小明" in found
    number = Person.objects.get(pk=region.person["parent"]).number
    assert key_of(region, "parent") in said(visit("admin").get(page, {"q": number}))
    sent = {"pick": key_of(region, "parent"), "relation": "父亲", "begin_date": TODAY.isoformat()}
    assert visit("admin").post(page, sent).status_code == 302
    link = GuardianLink.objects.get(ward_id=region.person["pupil2"])
    assert (link.relation, link.begin_date) == ("父亲", TODAY)
    assert key_of(region, "parent") not in said(visit("admin").get(page, {"q": "王大"}))
    end = region.url("pupil2", f"guardians/{key_of(region, 'parent')}/end/")
    assert "王大明不再能看到李小红的信息和学习报告" in said(visit("admin").get(end))
    visit("admin").post(end, {"end_date": "2026-10-12"})
    link.refresh_from_db()
    assert link.end_date == TODAY
    assert AuditEntry.objects.filter(action="directory.guardian_unlinked").count() == 1
    with pytest.raises(NotFound):
        visit("admin").get(end)
    assert "以前的 1 条" in said(visit("admin").get(region.url("pupil2")))
    assert "王大明" not in said(visit("head").get(region.url("pupil2")))


def test_nobody_outside_the_scope_becomes_a_guardian(region: Region, visit: Visit) -> None:
    region.add_person("stranger", "赵父", "far", Role.PARENT)
    page = region.url("pupil", "guardians/new/")
    assert "没有找到这个人" in said(visit("admin").get(page, {"q": "赵父"}))
    sent = {"relation": "父亲", "begin_date": TODAY.isoformat()}
    for key in ("stranger", "far_pupil", "parent", "pupil", "pupil2"):
        answer = visit("admin").post(page, sent | {"pick": key_of(region, key)})
        assert "请从查找结果中选择一项" in said(answer), key
    assert "请选择一项" in said(visit("admin").post(page, sent))
    assert GuardianLink.objects.count() == 1
    assert visit("city_officer").post(page, sent | {"pick": key_of(region, "stranger")}).status_code == 302


def test_a_new_guardian_is_registered_with_the_link(region: Region, visit: Visit) -> None:
    page = region.url("pupil2", "guardians/register/")
    response = visit("admin").post(page, {"name": "李母", "relation": "母亲", "sex": "2", "phone": "13900000000"})
    assert response.status_code == 302
    link = GuardianLink.objects.get(ward_id=region.person["pupil2"])
    assert link.guardian.name == "李母"
    assert Affiliation.objects.get(person=link.guardian).org_id == region.org_ids["school"]
    refused = said(visit("admin").post(page, {"name": "", "sex": "0"}))
    assert "请填写姓名。" in refused
    assert "请选择一项。" in refused
    assert GuardianLink.objects.count() == 2


def test_a_class_is_filled_with_those_who_have_none(region: Region, visit: Visit) -> None:
    for key in ("one", "two", "three"):
        region.add_person(key, f"新{key}", "school", Role.PUPIL)
    page = region.url("class1", "pupils/new/")
    assert page in said(visit("admin").get(region.url("class1", "people/")))
    shown = said(visit("admin").get(page))
    assert all(key_of(region, key) in shown for key in ("one", "two", "three"))
    assert "李小红" not in shown
    assert "checked" not in shown
    assert said(visit("admin").get(page, {"all": "1"})).count("checked") == 3
    sent: dict[str, object] = {"pupils": [key_of(region, "one"), key_of(region, "two")], "begin_date": TODAY.isoformat()}
    response = visit("admin").post(page, sent)
    assert response["Location"] == region.url("class1", "people/")
    assert Enrollment.objects.filter(class_org_id=region.org_ids["class1"], begin_date=TODAY, is_primary=True).count() == 2
    again = said(visit("admin").post(page, sent))
    assert "请刷新页面后重新勾选" in again
    assert "请至少勾选一名学生" in said(visit("admin").post(page, {"begin_date": TODAY.isoformat()}))


def test_pupils_of_other_classes_are_led_to_the_transfer(region: Region, visit: Visit) -> None:
    page = region.url("class1", "pupils/new/")
    found = said(visit("admin").get(page, {"q": "李小"}))
    assert f"{region.url('pupil2', 'transfer/')}?pick={key_of(region, 'class1')}" in found
    assert "没有找到学生" in said(visit("admin").get(page, {"q": "赵"}))
    assert "没有找到学生" in said(visit("admin").get(page, {"q": "王小明"})), "is in this class already"
    assert region.url("far_pupil", "transfer/") in said(visit("city_officer").get(page, {"q": "赵"}))
    chosen = said(visit("admin").get(region.url("pupil2", "transfer/"), {"pick": key_of(region, "class1")}))
    assert re.search(rf'value="{key_of(region, "class1")}"[^>]*checked', chosen)
    for key in ("pupil2", "far_pupil"):
        answer = said(visit("city_officer").post(page, {"pupils": [key_of(region, key)], "begin_date": TODAY.isoformat()}))
        assert "请刷新页面后重新勾选" in answer


def test_only_home_classes_in_ones_hands_are_filled(region: Region, visit: Visit) -> None:
    for key, org in (
        ("head", "class1"),
        ("class_teacher", "class1"),
        ("admin", "far_class"),
        ("admin", "grade"),
        ("admin", "school"),
    ):
        with pytest.raises(NotFound):
            visit(key).get(region.url(org, "pupils/new/"))
    ClassDetail.objects.filter(org_id=region.org_ids["class1"]).update(class_type="scheduled")
    with pytest.raises(NotFound):
        visit("admin").get(region.url("class1", "pupils/new/"))


@pytest.mark.parametrize(
    ("key", "page", "query", "queries"),
    [
        ("pupil", "", {}, 13),
        ("pupil", "transfer/", {}, 8),
        ("pupil", "transfer/", {"q": "东川一小 四"}, 10),
        ("pupil", "roles/new/", {}, 10),
        ("teacher", "classes/new/", {}, 8),
        ("pupil", "guardians/new/", {"q": "王"}, 14),
        ("class1", "pupils/new/", {"q": "新"}, 18),
    ],
)
def test_pages_ask_a_fixed_number_of_queries(
    region: Region, visit: Visit, django_assert_num_queries, key: str, page: str, query: dict[str, str], queries: int
) -> None:
    for copy in range(6):
        region.add_person(f"new{copy}", f"新{copy}", "school", Role.PUPIL)
        region.add_person(f"parent{copy}", f"王{copy}", "school", Role.PARENT)
        api.link_guardian(
            actor=SYSTEM, guardian_id=region.person[f"parent{copy}"], ward_id=region.person["pupil2"], begin_date=BEGUN, now=NOW
        )
    with django_assert_num_queries(queries):
        visit("admin").get(region.url(key, page), query)
