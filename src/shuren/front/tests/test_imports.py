"""The import wizard from the file to the undo, as an officer walks it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.cast import Cast

from shuren.assessment.api import SimulatedTest, simulate_results
from shuren.directory import api as directory
from shuren.directory.data import RosterForm
from shuren.intake import api as intake
from shuren.intake.data import ImportStatus
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.models import AuditEntry
from shuren.messaging import api as messaging
from shuren.work import api as work

Change = Callable[[openpyxl.Workbook], None]


@pytest.fixture
def roster(cast: Cast, tmp_path: Path) -> Callable[[Change], SimpleUploadedFile]:
    """Return a function: the roster of the cast's county as a workbook, changed by hand."""

    def changed(change: Change) -> SimpleUploadedFile:
        path = tmp_path / "roster.xlsx"
        directory.export_roster(
            actor=cast.actor("county_officer"), org_id=cast.orgs["county"].id, form=RosterForm.EXCEL, path=path, now=cast.now
        )
        book = openpyxl.load_workbook(path)
        change(book)
        kept = io.BytesIO()
        book.save(kept)
        return SimpleUploadedFile("东湖区名册.xlsx", kept.getvalue())

    return changed


def column(book: openpyxl.Workbook, sheet: str, heading: str) -> int:
    return [cell.value for cell in book[sheet][1]].index(heading) + 1


def rename_pupil(book: openpyxl.Workbook) -> None:
    place = column(book, "学生", "姓名")
    for row in book["学生"].iter_rows(min_row=2):
        if row[place - 1].value == "张小雨":
            row[place - 1].value = "张晓雨"


def spoil_dates(book: openpyxl.Workbook) -> None:
    place = column(book, "学生", "出生日期")
    for row in book["学生"].iter_rows(min_row=2):
        row[place - 1].value = "2031-02-30"


def nothing(book: openpyxl.Workbook) -> None:
    """The roster as it stands."""


def send(client: Client, file: SimpleUploadedFile, kind: str = "roster") -> str:
    answer = client.post(f"/imports/new/{kind}/", {"file": file})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.headers["Location"])


def test_a_mended_roster_goes_in_and_comes_out_again(cast: Cast, roster: Callable[[Change], SimpleUploadedFile]) -> None:
    client = cast.client("county_officer")
    address = send(client, roster(rename_pupil))
    waiting = client.get(address)
    assert waiting.context["step"] == 2
    assert "HX-Refresh" not in client.get(f"{address}progress/").headers
    work.run_pending()
    assert client.get(f"{address}progress/").headers["HX-Refresh"] == "true"
    review = client.get(address)
    assert review.context["step"] == 3, review.context.get("groups")
    people = next(row for row in review.context["difference"] if row["label"] == "人员")
    assert (people["changed"], people["added"], people["ended"]) == (1, 0, 0)
    assert "张晓雨" in review.content.decode()
    assert client.post(f"{address}apply/").headers["Location"] == address
    assert client.get(address).context["step"] == 4
    work.run_pending()
    done = client.get(address)
    assert (done.context["step"], done.context["state"].status) == (5, ImportStatus.APPLIED)
    assert directory.people_by_ids([cast.people["classmate"].id])[cast.people["classmate"].id].name == "张晓雨"
    assert done.context["undo_url"]
    work.run_pending()
    assert (
        apps.get_model("trust.LogEntry").objects.filter(business="enrolment", subject__startswith="roster_import:").count() == 1
    )
    client.post(f"{address}undo/")
    assert directory.people_by_ids([cast.people["classmate"].id])[cast.people["classmate"].id].name == "张小雨"
    assert client.get(address).context["state"].status is ImportStatus.UNDONE


def test_planted_errors_are_explained_and_nothing_is_written(cast: Cast, roster: Callable[[Change], SimpleUploadedFile]) -> None:
    client = cast.client("county_officer")
    address = send(client, roster(spoil_dates))
    work.run_pending()
    page = client.get(address)
    assert page.context["state"].status is ImportStatus.REJECTED
    assert "没有写入任何数据" in page.content.decode()
    assert "apply_url" not in page.context
    first = page.context["groups"][0]
    assert first["group"].column == "出生日期"
    assert first["examples"][0].value == "2031-02-30"
    findings = client.get(f"{address}findings/?group={first['group'].number}")
    assert len(findings.context["list"].rows) == first["group"].count
    assert client.post(f"{address}apply/").status_code == 409
    book = openpyxl.load_workbook(io.BytesIO(b"".join(client.get(f"{address}workbook/").streaming_content)))  # type: ignore[attr-defined]
    assert "问题清单" in book.sheetnames
    assert {"front.workbook_downloaded"} <= set(AuditEntry.objects.values_list("action", flat=True))


def test_the_same_roster_again_changes_nothing(cast: Cast, roster: Callable[[Change], SimpleUploadedFile]) -> None:
    client = cast.client("county_officer")
    address = send(client, roster(nothing))
    work.run_pending()
    page = client.get(address)
    assert {(row["added"], row["changed"], row["ended"]) for row in page.context["difference"]} == {(0, 0, 0)}
    assert page.context["apply_label"] == "没有变化，直接完成"


def test_whoever_started_it_is_told(cast: Cast, roster: Callable[[Change], SimpleUploadedFile]) -> None:
    client = cast.client("county_officer")
    address = send(client, roster(nothing))
    work.run_pending()
    told = messaging.notices_of(cast.people["county_officer"].id).rows
    assert [(notice.title, notice.url) for notice in told] == [("东湖区名册.xlsx 检查通过，等您写入", address)]
    due = client.get("/").context["due"]
    assert [(item.title, item.url) for item in due] == [("东湖区名册.xlsx 检查通过，等您写入", address)]


def test_ending_many_rows_must_be_confirmed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = cast.client("county_officer")
    import_id = intake.start_import(
        actor=cast.actor("county_officer"), kind="roster", file_name="名册.csv", content=io.BytesIO(b"a"), now=cast.now
    )
    intake.record_checking(import_id)
    numbers = {"added": 0, "changed": 0, "ended": 900, "unchanged": 100}
    guards = [{"kind": "person", "ended": 900, "held": 1000}]
    difference = {"person": numbers, "guards": guards, "needs_confirmation": True}
    intake.record_checked(import_id, counts={"person": 1000}, difference=difference, is_acceptable=True, now=cast.now)
    address = f"/imports/{ids.encode('import', import_id)}/"
    page = client.get(address).content.decode()
    assert "我已核对：这次会结束 人员 900 条（现有 1,000 条）。" in page
    client.post(f"{address}apply/")
    assert intake.import_state(import_id).status is ImportStatus.READY
    client.post(f"{address}apply/", {"confirm": "1"})
    assert intake.import_state(import_id).status is ImportStatus.APPLYING
    assert AuditEntry.objects.filter(action="directory.roster_confirmed").exists()


def test_only_files_that_can_be_read_are_taken(cast: Cast) -> None:
    client = cast.client("county_officer")
    for file, words in (
        (SimpleUploadedFile("名册.exe", b"MZ"), "请上传 Excel"),
        (SimpleUploadedFile("名册.xlsx", b""), "这个文件是空的"),
        (None, "请选择文件"),
    ):
        answer = client.post("/imports/new/roster/", {"file": file} if file else {})
        assert (answer.status_code, words in answer.content.decode()) == (400, True)


def test_a_broken_file_is_explained(cast: Cast) -> None:
    client = cast.client("county_officer")
    address = send(client, SimpleUploadedFile("名册.xlsx", b"not a workbook"))
    work.run_pending()
    page = client.get(address)
    assert page.context["state"].status in (ImportStatus.REJECTED, ImportStatus.FAILED)
    assert "没有写入任何数据" in page.content.decode()


@pytest.mark.parametrize("kind", ["roster", "results"])
def test_templates_open_in_excel(cast: Cast, kind: str) -> None:
    answer = cast.client("county_officer").get(f"/imports/new/{kind}/template/")
    assert openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames
    assert "attachment" in answer.headers["Content-Disposition"]


def test_a_class_teacher_takes_in_papers_and_nothing_else(cast: Cast) -> None:
    client = cast.client("class_teacher")
    assert [kind["url"] for kind in client.get("/imports/").context["kinds"]] == ["/imports/new/consents/"]
    assert openpyxl.load_workbook(io.BytesIO(client.get("/imports/new/consents/template/").content)).sheetnames == ["同意书"]
    assert client.get("/imports/new/roster/").status_code == 403


def test_kinds_that_do_not_exist(cast: Cast) -> None:
    client = cast.client("county_officer")
    assert client.get("/imports/new/nothing/").status_code == 404
    assert client.get("/imports/0000000000000/").status_code == 404


def test_what_a_list_costs(cast: Cast, django_assert_max_num_queries: Any) -> None:
    actor = cast.actor("county_officer")
    for number in range(30):
        intake.start_import(
            actor=actor, kind="roster", file_name=f"{number}.csv", content=io.BytesIO(b"a,b\n1,2\n"), now=cast.now
        )
    client = cast.client("county_officer")
    client.get("/imports/")
    with django_assert_max_num_queries(24):
        page = client.get("/imports/")
    assert len(page.context["list"].rows) == 25
    assert [kind["title"] for kind in page.context["kinds"]] == ["名册", "测验成绩", "发证名单", "台账", "名册来源"]


def test_a_test_described_anew_is_a_change_even_with_the_same_responses(cast: Cast, tmp_path: Path) -> None:
    client = cast.client("city_officer")
    pupils = [cast.people[key].sourced_id for key in ("pupil", "classmate", "other_pupil", "west_pupil")]
    seen = []
    for name in ("单元测验", "单元测验", "第三单元测验"):
        test = SimulatedTest(
            code="unit-3",
            name=name,
            org=cast.orgs["city"].sourced_id,
            held_date=day_of(cast.now),
            seed=5,
            items=6,
            grade="四年级",
        )
        path = tmp_path / "unit-3.zip"
        simulate_results(path, test, pupils=pupils)
        address = send(client, SimpleUploadedFile(path.name, path.read_bytes()), kind="results")
        work.run_pending()
        page = client.get(address)
        assert page.context["state"].status is ImportStatus.READY, page.context.get("groups")
        rows = {row["label"]: (row["added"], row["changed"], row["unchanged"]) for row in page.context["difference"]}
        seen.append((rows["测验说明和题目"], rows["学生作答"], page.context["apply_label"]))
        client.post(f"{address}apply/")
        work.run_pending()
    assert seen == [
        ((1, 0, 0), (4, 0, 0), "写入 5 处变化"),
        ((0, 0, 1), (0, 0, 4), "没有变化，直接完成"),
        ((0, 1, 0), (0, 0, 4), "写入 1 处变化"),
    ]
