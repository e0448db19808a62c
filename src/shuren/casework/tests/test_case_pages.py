"""Pages of cases, work and flows, as people see them."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.cast import Cast

from shuren.casework.models import Case, CaseEvent, WorkItem
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.cases.share import add_signer, set_delegation
from shuren.casework.services.cases.turn_back import return_case
from shuren.casework.services.tally_cases import tally_cases
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.flows import AGREE, LEAVE_FORM, REFUSE, filed, flow, open_item, stage, submitted
from shuren.kernel import ids
from shuren.kernel.models import AuditEntry


@pytest.fixture
def leave(define: Define) -> None:
    define("form", LEAVE_FORM)
    define("flow", flow(stage(due={"working_days": 2}), promise={"working_days": 5}))


def page_of(case: Case, page: str = "") -> str:
    return f"/cases/{ids.encode('case', case.pk)}/{page}"


def item_page(case: Case, page: str = "") -> str:
    return f"/work/{ids.encode('work', open_item(case).pk)}/{page}"


def text_of(answer: HttpResponse) -> str:
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.content.decode()


def count_queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


@pytest.mark.usefixtures("leave")
def test_a_teacher_files_fills_in_and_hands_in(cast: Cast) -> None:
    client = cast.client("class_teacher")
    assert "教师请假" in text_of(client.get("/cases/new/"))
    chosen = text_of(client.get("/cases/new/?flow=office.leave"))
    assert "四年级1班" in chosen
    answer = client.post("/cases/new/?flow=office.leave", {"org": cast.orgs["class"].public_id})
    case = Case.objects.get()
    assert answer.url == page_of(case, "fill/")
    assert "data-sheet-form" in text_of(client.get(answer.url))
    patch = client.patch(
        page_of(case, "fill/"), json.dumps({"revision": 1, "data": {"reason": "看病"}}), content_type="application/json"
    )
    assert (patch.status_code, patch.json()["revision"]) == (200, 2)
    late = client.patch(
        page_of(case, "fill/"), json.dumps({"revision": 1, "data": {"reason": "别的"}}), content_type="application/json"
    )
    assert late.status_code == 409
    assert late.json() == {"data": {"reason": "看病"}, "revision": 2}
    faulty = client.post(page_of(case, "fill/"), {"reason": "看病", "days": "99", "act": "submit"})
    assert faulty.status_code == 400
    assert "天数" in faulty.content.decode()
    done = client.post(page_of(case, "fill/"), {"reason": "看病", "days": "3", "act": "submit"})
    assert done.url == page_of(case)
    shown = text_of(client.get(page_of(case)))
    for text in ("校长审批", "看病", "东湖区实验小学 校长", "催办", "撤回", "提交"):
        assert text in shown
    assert client.get(page_of(case, "fill/")).url == page_of(case)


@pytest.mark.usefixtures("leave")
def test_a_head_finds_it_decides_it_and_finds_it_again(cast: Cast) -> None:
    case = submitted(cast)
    client = cast.client("head")
    listed = text_of(client.get("/work/"))
    assert case.title in listed
    shown = text_of(client.get(item_page(case)))
    for text in ("看病", "同意", "不同意", "转办", "加签", "退回"):
        assert text in shown
    url = item_page(case)
    refused = client.post(url, {"outcome": "refuse", "comment": ""})
    assert refused.status_code == 400
    assert "要写明理由" in refused.content.decode()
    assert client.post(url, {"outcome": "agree", "comment": "好的"}).url == "/work/"
    assert "没有待办" in text_of(client.get("/work/"))
    assert case.title in text_of(client.get("/work/done/"))
    closed = text_of(cast.client("class_teacher").get(page_of(case)))
    for text in ("准予", "好的", "陈立新"):
        assert text in closed
    assert client.get(url).url == page_of(case)


@pytest.mark.usefixtures("leave")
def test_moves_have_pages_of_their_own(cast: Cast) -> None:
    case, client = submitted(cast), cast.client("head")
    handed = client.get(item_page(case, "hand-over/"))
    assert "赵文博" in text_of(handed)
    admin = cast.people["school_admin"].public_id
    assert client.post(item_page(case, "signers/"), {"people": [admin], "question": "课怎么办"}).url == "/work/"
    added = WorkItem.objects.get(kind="added")
    signer = cast.client("school_admin")
    assert "课怎么办" in text_of(signer.get(f"/work/{ids.encode('work', added.pk)}/"))
    signer.post(f"/work/{ids.encode('work', added.pk)}/", {"outcome": "heard", "comment": "有人代课"})
    item = WorkItem.objects.get(kind="decide")
    returned = client.post(f"/work/{ids.encode('work', item.pk)}/return/", {"to": "filer", "reason": "写清楚日期"})
    assert returned.url == "/work/"
    teacher = cast.client("class_teacher")
    assert "补正后重新提交" in text_of(teacher.get(page_of(case)))
    assert "写清楚日期" in text_of(teacher.get(page_of(case, "fill/")))
    teacher.post(page_of(case, "fill/"), {"reason": "9 月 1 日看病", "days": "1", "act": "submit"})
    assert "有人代课" in text_of(teacher.get(page_of(case)))
    assert teacher.post(page_of(case, "urge/")).status_code == 302
    assert CaseEvent.objects.filter(act="urged").count() == 1
    assert client.post(item_page(case, "hand-over/"), {"person": admin, "reason": ""}).url == "/work/"
    assert teacher.post(page_of(case, "withdraw/"), {"reason": ""}).status_code == 302
    assert Case.objects.get().state == "withdrawn"


@pytest.mark.usefixtures("leave")
def test_an_office_above_calls_a_case_off_on_its_page(cast: Cast) -> None:
    case = submitted(cast)
    assert cast.client("head").post(page_of(case, "cancel/"), {"reason": "x"}).status_code == 404
    client = cast.client("county_officer")
    assert "取消办件" in text_of(client.get(page_of(case)))
    assert client.post(page_of(case, "cancel/"), {"reason": "重复"}).url == page_of(case)
    assert Case.objects.get().state == "cancelled"


@pytest.mark.usefixtures("leave")
def test_lists_are_filtered_and_cost_the_same_however_long(cast: Cast) -> None:
    case, draft = submitted(cast), filed(cast)
    client = cast.client("county_officer")
    listed = text_of(client.get("/cases/"))
    assert case.number in listed
    assert draft.number not in listed
    assert case.number in text_of(client.get("/cases/?flow=office.leave&state=running"))
    assert case.number not in text_of(client.get("/cases/?state=closed"))
    school, other = (cast.orgs[key].public_id for key in ("school", "other_school"))
    assert case.number in text_of(client.get(f"/cases/?org={school}"))
    assert case.number not in text_of(client.get(f"/cases/?org={other}"))
    assert case.number in text_of(client.get(f"/cases/?q={case.number}"))
    assert case.number not in text_of(cast.client("far_head").get("/cases/"))
    own = text_of(cast.client("class_teacher").get("/cases/mine/"))
    assert case.number in own
    assert draft.number in own
    head = cast.client("head")
    head.get("/work/")
    few = count_queries(client, "/cases/"), count_queries(head, "/work/"), count_queries(client, page_of(case))
    for _ in range(5):
        submitted(cast)
    assert (count_queries(client, "/cases/"), count_queries(head, "/work/"), count_queries(client, page_of(case))) == few
    assert few[0] <= 15
    assert few[1] <= 14
    assert few[2] <= 17


@pytest.mark.usefixtures("leave")
def test_many_are_approved_from_the_list_with_a_result_each(cast: Cast) -> None:
    cases = [submitted(cast) for _ in range(3)]
    public = [ids.encode("work", open_item(case).pk) for case in cases]
    client = cast.client("head")
    assert "批量同意" in text_of(client.get("/work/"))
    assert client.post("/work/approve/", {"ids": public[:2]}).url == "/work/"
    told = text_of(client.post("/work/approve/", {"ids": public}))
    assert "办成 1 件，没有办成 2 件" in told
    assert Case.objects.filter(state="closed").count() == 3
    assert client.post("/work/approve/", {"ids": ["nothing"]}).url == "/work/"


@pytest.mark.usefixtures("leave")
def test_leave_is_set_and_ended_on_its_page(cast: Cast) -> None:
    case, client = submitted(cast), cast.client("head")
    today = f"{cast.now:%Y-%m-%d}"
    until = f"{cast.now + timedelta(days=3):%Y-%m-%d}"
    told = {"person": cast.people["school_admin"].public_id, "begin": today, "end": until, "flow": ""}
    assert client.post("/leave/", told).url == "/leave/"
    assert "生效中" in text_of(client.get("/leave/"))
    delegate = cast.client("school_admin")
    assert "您正在代 陈立新 办理" in text_of(delegate.get("/leave/"))
    assert "代 陈立新" in text_of(delegate.get("/work/"))
    delegate.post(item_page(case), {"outcome": "agree"})
    assert "赵文博（代 陈立新）" in text_of(client.get(page_of(case)))
    assert client.post("/leave/", told | {"end": "2020-01-01"}).status_code == 400
    (ending,) = {part.split('"')[0] for part in client.get("/leave/").content.decode().split('action="/leave/')[1:]}
    assert delegate.post(f"/leave/{ending}").status_code == 404
    client.post(f"/leave/{ending}")
    assert "已结束" in text_of(client.get("/leave/"))


def test_what_is_written_down_and_changed_at_a_stage(cast: Cast, define: Define) -> None:
    define("form", LEAVE_FORM)
    fields = [{"key": "substitute", "title": "谁代课", "type": "text", "required": True}]
    define("flow", flow(stage(fields=fields, edits=["days"])))
    case, client = submitted(cast), cast.client("head")
    shown = text_of(client.get(item_page(case)))
    assert "谁代课" in shown
    missing = client.post(item_page(case), {"outcome": "agree", "substitute": "", "days": "2"})
    assert missing.status_code == 400
    told = {"outcome": "agree", "substitute": "李晓敏", "days": "1", "revision": str(case.revision)}
    assert client.post(item_page(case), told).url == "/work/"
    case.refresh_from_db()
    assert (case.written, case.data["days"], case.state) == ({"review": {"substitute": "李晓敏"}}, 1, "closed")
    assert "李晓敏" in text_of(client.get(page_of(case)))


def test_who_judges_apart_is_not_told_to_the_filer(cast: Cast, define: Define) -> None:
    define("form", LEAVE_FORM)
    fields = [{"key": "points", "title": "分数", "type": "integer", "required": True}]
    blind = {"decide": "blind", "score": "points", "tolerance": 5, "arbiter": {"role": "head", "at": "school"}, "fields": fields}
    define("flow", flow(stage(who={"named_in": "judges.person"}, **blind)))
    people = [cast.people[key] for key in ("staff", "school_admin")]
    judges = [{"person": {"id": person.public_id, "name": person.name}} for person in people]
    case = submitted(cast, data={"judges": judges})
    judge, other, filer = cast.client("staff"), cast.client("school_admin"), cast.client("class_teacher")
    items = {item.assignee_id: f"/work/{ids.encode('work', item.pk)}/" for item in WorkItem.objects.all()}
    judge.post(items[people[0].id], {"outcome": "agree", "points": "80", "comment": "很好很好"})
    assert "很好很好" not in text_of(other.get(items[people[1].id]))
    assert "现在由" not in text_of(filer.get(page_of(case)))
    other.post(items[people[1].id], {"outcome": "agree", "points": "82"})
    told = text_of(filer.get(page_of(case)))
    assert "很好很好" in told
    assert told.count("评审人") >= 2


def test_reading_sensitive_values_is_written_down(cast: Cast, define: Define) -> None:
    define("form", LEAVE_FORM)
    define("flow", flow())
    case = submitted(cast, data={"secret": "B-1024"})
    reads = AuditEntry.objects.filter(action="casework.sensitive_read", target=f"case:{case.pk}")
    cast.client("class_teacher").get(page_of(case))
    assert reads.count() == 0
    cast.client("county_officer").get(page_of(case))
    cast.client("head").get(item_page(case))
    assert [row.details["fields"] for row in reads] == [["secret"], ["secret"]]


def test_a_flow_is_drawn_with_its_figures(cast: Cast, define: Define) -> None:
    define("form", LEAVE_FORM)
    county = stage("county", title="区里审批", who={"role": "county_officer", "at": "above"})
    define("flow", flow(stage(outcomes=[{**AGREE, "to": "county"}, REFUSE]), county))
    first, second = submitted(cast), submitted(cast)
    decide_work(actor=cast.actor("head"), work_id=open_item(first).pk, outcome="agree", now=cast.now + timedelta(hours=3))
    item = open_item(first)
    decide_work(actor=cast.actor("county_officer"), work_id=item.pk, outcome="agree", now=cast.now + timedelta(days=2, hours=3))
    tally_cases()
    officer, teacher = cast.client("county_officer"), cast.client("class_teacher")
    assert "教师请假" in text_of(officer.get("/flows/"))
    shown = text_of(officer.get("/flows/office.leave/"))
    for text in ("<svg", "最慢的一步是“区里审批”", "在办 1", "中位 3 小时", "2 天", "同意 1"):
        assert text in shown
    plain = text_of(teacher.get("/flows/office.leave/"))
    assert "<svg" in plain
    assert "在办 1" not in plain
    assert cast.client("pupil").get("/flows/office.leave/").status_code == 404
    document = teacher.get("/flows/office.leave/bpmn/")
    assert document.headers["Content-Disposition"] == 'attachment; filename="office.leave.bpmn"'
    assert b"bpmndi:BPMNShape" in document.content
    assert second.state == "running"


@pytest.mark.usefixtures("leave")
def test_what_lies_outside_is_not_found(cast: Cast) -> None:
    case = submitted(cast)
    add_signer(actor=cast.actor("head"), work_id=open_item(case).pk, person_ids=[cast.people["staff"].id], now=cast.now)
    item = WorkItem.objects.get(kind="decide")
    work = f"/work/{ids.encode('work', item.pk)}/"
    client = cast.client("far_head")
    for url in (page_of(case), page_of(case, "fill/"), page_of(case, "withdraw/"), work, f"{work}return/", f"{work}hand-over/"):
        assert client.get(url).status_code == 404
    assert client.post(work, {"outcome": "agree"}).status_code == 404
    assert client.post(page_of(case, "urge/")).status_code == 404


@pytest.mark.usefixtures("leave")
def test_files_are_added_to_drafts_only_by_who_fills_in(cast: Cast) -> None:
    case = filed(cast)
    assert cast.client("head").post(page_of(case, "files/")).status_code == 404
    answer = cast.client("class_teacher").post(page_of(case, "files/"))
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "没有收到文件。")


@pytest.mark.usefixtures("leave")
def test_delegates_of_a_returned_case_see_its_way(cast: Cast) -> None:
    case = submitted(cast)
    set_delegation(
        actor=cast.actor("head"),
        delegate_id=cast.people["staff"].id,
        begin_at=cast.now,
        end_at=cast.now + timedelta(days=1),
        now=cast.now,
    )
    return_case(actor=cast.actor("staff"), work_id=open_item(case).pk, to="filer", reason="补", now=cast.now)
    assert "退回申请人" in text_of(cast.client("staff").get(page_of(case)))
