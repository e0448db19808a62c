"""The hall as people use it: guides, applying, progress by number, the window, what the platform is told."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from tests.cast import Cast

from shuren.casework.data import CaseState
from shuren.casework.models import Case, Definition, Entry
from shuren.casework.selectors.definitions import form_of, spec_of
from shuren.casework.selectors.hall import materials_shown, query_code
from shuren.casework.services.cases.file import save_draft
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.hall.apply import begin_application
from shuren.casework.services.hall.deliver import deliver_result
from shuren.casework.services.hall.follow import follow_closed
from shuren.casework.services.registers.write import add_entry
from shuren.casework.tests.hall_cast import PROOF, QUESTION, applied, decided, install_gov, proof_given
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid, Refused


@pytest.fixture(autouse=True)
def gov(cast: Cast, define: Any) -> Cast:
    cache.clear()
    install_gov(define)
    return cast


def self_matter(cast: Cast, who: str) -> str:
    return f"person-{cast.people[who].public_id}"


def test_strangers_read_the_catalogue_and_narrow_it() -> None:
    client = Client()
    page = client.get("/hall/").content.decode()
    assert "教师资格认定" in page
    assert "中小学转学" in page
    narrowed = client.get("/hall/?for=school").content.decode()
    assert "校车使用许可" in narrowed
    assert "中小学转学" not in narrowed
    assert "学籍证明" in client.get("/hall/?q=学籍证明").content.decode()
    assert "没有找到这样的事项" in client.get("/hall/?q=没有的事").content.decode()


def test_the_guide_says_what_to_bring_and_what_not(gov: Cast) -> None:
    page = Client().get("/hall/items/gov.transfer/").content.decode()
    for words in ("10 个工作日", "20 个工作日", "不收费", "不用跑", "住址证明", "由数据共享取得", "学籍管理办法", "第 1 版"):
        assert words in page, words
    assert Client().get("/hall/items/gov.nothing/").status_code == 404


def test_a_new_version_tells_what_changed(gov: Cast, define: Any) -> None:
    body = spec_of(Definition.objects.get(kind="item", key="gov.transfer"))
    changed = body.model_dump(mode="json", by_alias=True, exclude_none=True)
    changed["promise"] = {"working_days": 8}
    define("item", changed)
    page = Client().get("/hall/items/gov.transfer/").content.decode()
    assert "第 2 版" in page
    assert "<del>10 个工作日</del>" in page
    assert "<ins>8 个工作日</ins>" in page


def test_applying_asks_to_sign_in_first() -> None:
    answer = Client().get("/hall/items/gov.transfer/apply/")
    assert answer.status_code == 302
    assert "sign-in" in answer["Location"]


def test_a_parent_applies_for_the_ward_at_the_wards_school(gov: Cast) -> None:
    client = gov.client("parent")
    assert "张三" in client.get("/hall/items/gov.enrolment_proof/apply/").content.decode()
    answer = client.post("/hall/items/gov.enrolment_proof/apply/", {"matter": self_matter(gov, "pupil")})
    case = Case.objects.get()
    assert answer["Location"] == f"/hall/cases/{ids.encode('case', case.pk)}/"
    assert (case.org_id, case.subject_id, case.state) == (gov.orgs["school"].id, gov.people["pupil"].id, "draft")
    assert case.item is not None
    assert case.data["name"] == "张三"
    page = client.get(answer["Location"]).content.decode()
    assert "填写申请表" in page


def test_handing_in_leads_back_to_the_hall_with_number_and_code(gov: Cast) -> None:
    client = gov.client("parent")
    draft = client.post("/hall/items/gov.enrolment_proof/apply/", {"matter": self_matter(gov, "pupil")})["Location"]
    case = Case.objects.get()
    answer = client.post(f"/cases/{ids.encode('case', case.pk)}/fill/", {**PROOF, "name": "张三", "act": "submit"})
    assert answer["Location"] == draft
    case.refresh_from_db()
    page = client.get(draft).content.decode()
    assert case.number in page
    assert query_code(case.number) in page


def test_nobody_applies_for_a_stranger(gov: Cast) -> None:
    with pytest.raises(Refused):
        begin_application(
            actor=gov.actor("parent"), item="gov.transfer", matter=self_matter(gov, "far_pupil"), data={}, now=gov.now
        )


def test_where_it_is_handled_is_asked_only_where_nobody_knows(gov: Cast) -> None:
    matter = self_matter(gov, "parent")
    with pytest.raises(Invalid):
        begin_application(actor=gov.actor("parent"), item="gov.enrolment", matter=matter, data={}, now=gov.now)
    client = gov.client("parent")
    url = "/hall/items/gov.enrolment/apply/"
    county, school = gov.orgs["other_county"], gov.orgs["west_school"]
    offered = client.post(url, {"matter": matter, "office": county.public_id}).content.decode()
    assert school.name in offered
    assert gov.orgs["school"].name not in offered
    client.post(url, {"matter": matter, "office": county.public_id, "school": school.public_id})
    assert Case.objects.get().org_id == school.id


def test_a_school_applies_with_its_own_facts(gov: Cast) -> None:
    school = gov.orgs["school"]
    case = begin_application(
        actor=gov.actor("school_admin"), item="gov.school_bus", matter=f"org-{school.public_id}", data={}, now=gov.now
    )
    assert case.org_id == school.id
    assert case.data["school_name"] == school.name
    with pytest.raises(Refused):
        begin_application(
            actor=gov.actor("teacher"), item="gov.school_bus", matter=f"org-{school.public_id}", data={}, now=gov.now
        )


def test_materials_that_the_region_holds_are_not_asked(gov: Cast) -> None:
    case = begin_application(
        actor=gov.actor("school_admin"),
        item="gov.school_bus",
        matter=f"org-{gov.orgs['school'].public_id}",
        data={},
        now=gov.now,
    )
    assert case.item is not None
    shown = materials_shown(spec_of(case.item), form_of(case.form_version_id), person_id=None, org_id=case.org_id, now=gov.now)
    states = {one.material.key: (one.is_held, one.is_asked) for one in shown}
    assert states == {"vehicle": (False, False), "driver": (False, False), "safety": (False, True)}


def test_anybody_with_number_and_proof_sees_steps_and_no_name(gov: Cast) -> None:
    case = proof_given(gov)
    client = Client()
    for proof in ("8010", query_code(case.number), query_code(case.number).lower()):
        page = client.post("/hall/progress/", {"number": case.number, "proof": proof}).content.decode()
        assert "学校核发" in page
        assert "已出具" in page
        assert "张三" not in page
        assert "张父" not in page
        assert "13800138010" not in page
    for proof in ("8011", "ABCDEFGH", "0"):
        assert "对不上" in client.post("/hall/progress/", {"number": case.number, "proof": proof}).content.decode()


def test_a_number_bears_few_wrong_tries_from_wherever(gov: Cast) -> None:
    case = proof_given(gov)
    answers = [
        Client(REMOTE_ADDR=f"10.0.0.{turn}").post("/hall/progress/", {"number": case.number, "proof": f"000{turn}"}).status_code
        for turn in range(7)
    ]
    assert answers == [200] * 5 + [429] * 2
    assert Client(REMOTE_ADDR="10.0.1.1").post("/hall/progress/", {"number": case.number, "proof": "8010"}).status_code == 429


def test_drafts_are_nobodys_to_follow(gov: Cast) -> None:
    case = begin_application(
        actor=gov.actor("parent"), item="gov.enrolment_proof", matter=self_matter(gov, "pupil"), data=PROOF, now=gov.now
    )
    page = Client().post("/hall/progress/", {"number": case.number, "proof": query_code(case.number)}).content.decode()
    assert "对不上" in page


def test_the_promise_clock_runs_on_working_days(gov: Cast) -> None:
    case = applied(gov, "gov.enrolment_proof", PROOF)
    assert case.due_at is not None
    assert case.due_at > gov.now
    client, url = gov.client("parent"), f"/hall/cases/{ids.encode('case', case.pk)}/"
    assert "在承诺时限内" in client.get(url).content.decode()
    for left, light in ((timedelta(hours=1), "快到承诺时限"), (timedelta(hours=-1), "超过承诺时限")):
        Case.objects.filter(pk=case.pk).update(due_at=gov.now + left)
        assert light in client.get(url).content.decode()


def test_the_applicant_withdraws(gov: Cast) -> None:
    case = applied(gov, "gov.transfer", {
        "to_school": "西山区育才小学", "reason": "home", "from_date": "2027-02-22", "new_address": "梅园路 5 号",
        "contact_name": "张父", "phone": "13800138010",
    })  # fmt: skip
    answer = gov.client("parent").post(f"/hall/cases/{ids.encode('case', case.pk)}/withdraw/", {"reason": "不转了"})
    assert answer.status_code == 302
    case.refresh_from_db()
    assert case.state == CaseState.WITHDRAWN.value


def test_others_do_not_see_a_case_in_the_hall(gov: Cast) -> None:
    case = applied(gov, "gov.enrolment_proof", PROOF)
    url = f"/hall/cases/{ids.encode('case', case.pk)}/"
    assert gov.client("parent").get(url).status_code == 200
    assert gov.client("far_parent").get(url).status_code == 404
    assert gov.client("school_admin").get(url).status_code == 404


def test_the_result_is_delivered_once(gov: Cast) -> None:
    case = applied(gov, "gov.enrolment_proof", PROOF)
    with pytest.raises(Conflict):
        deliver_result(case.pk, number="ABCDE", name="学籍证明", url="/verify/ABCDE/", now=gov.now)
    decided(gov, case, "school_admin", "grant")
    told = {"number": "ABCDE", "name": "学籍证明", "url": "/verify/ABCDE/", "now": gov.now}
    assert deliver_result(case.pk, **told) is True
    assert deliver_result(case.pk, **told) is False
    page = Client().post("/hall/progress/", {"number": case.number, "proof": "8010"}).content.decode()
    assert 'href="/verify/ABCDE/"' in page


def test_an_answer_is_published_with_consent_after_review_without_names(gov: Cast) -> None:
    county = gov.orgs["county"]
    case = applied(gov, "gov.consultation", QUESTION, matter=self_matter(gov, "parent"), org="county")
    assert case.org_id == county.id
    decided(
        gov, case, "county_officer", "answer", answer="张父您好：可以，按第三类报名。", is_public=True, public_title="租房报名"
    )
    follow_closed(case_id=case.pk, now=gov.now)
    assert "租房报名" not in Client().get("/hall/open/").content.decode()
    decided(gov, case, "city_officer", "agree")
    assert follow_closed(case_id=case.pk, now=gov.now)["published"] == 1
    follow_closed(case_id=case.pk, now=gov.now)
    page = Client().get("/hall/open/").content.decode()
    assert page.count("租房报名") == 1
    found = Entry.objects.get(data__case_number=case.number)
    answer = Client().get(f"/hall/open/answers/{ids.encode('entry', found.pk)}/").content.decode()
    assert "张**" in answer
    assert "按第三类报名" in answer
    assert "张父" not in answer
    assert "13800138010" not in answer


def test_an_answer_stays_private_without_consent(gov: Cast) -> None:
    told = QUESTION | {"may_publish": False}
    case = applied(gov, "gov.consultation", told, matter=self_matter(gov, "parent"), org="county")
    decided(gov, case, "county_officer", "answer", answer="可以。", is_public=True)
    decided(gov, case, "city_officer", "agree")
    assert follow_closed(case_id=case.pk, now=gov.now)["published"] == 0


def test_a_consultation_takes_one_comment_of_everybody_while_it_is_open(gov: Cast) -> None:
    told = {"title": "学区划分方案", "body": "征求意见。", "opens": "2026-01-01", "closes": "2099-01-01", "kind": "plan"}
    county = gov.orgs["county"].id
    plan = add_entry(actor=SYSTEM, register="gov.consultations", org_id=county, data=told, state="open", now=gov.now)
    url = f"/hall/open/consultations/{ids.encode('entry', plan.pk)}/"
    assert "发表意见" in Client().get(url).content.decode()
    origin = f"entry:{plan.pk}"
    said = {"actor": gov.actor("parent"), "item": "gov.opinion", "matter": self_matter(gov, "parent"), "org_id": county}
    case = begin_application(origin=origin, data={}, now=gov.now, **said)  # type: ignore[arg-type]
    opinion = {
        "subject": "学区划分方案",
        "stance": "mend",
        "question": "建议划入。",
        "contact_name": "张父",
        "phone": "13800138010",
    }
    save_draft(actor=gov.actor("parent"), case_id=case.pk, data=opinion, base_revision=case.revision, now=gov.now)
    submit_case(actor=gov.actor("parent"), case_id=case.pk, now=gov.now)
    page = Client().get(url).content.decode()
    assert "1 条" in page
    assert "张父" not in page
    with pytest.raises(Conflict):
        begin_application(origin=origin, data={}, now=gov.now, **said)  # type: ignore[arg-type]
    Entry.objects.filter(pk=plan.pk).update(data=told | {"closes": "2026-02-01", "conclusion": "采纳一条。"})
    page = Client().get(url).content.decode()
    assert "发表意见" not in page
    assert "采纳一条" in page
    late = said | {"actor": gov.actor("far_parent"), "matter": self_matter(gov, "far_parent")}
    with pytest.raises(Conflict):
        begin_application(origin=origin, data={}, now=gov.now, **late)  # type: ignore[arg-type]
