import hashlib
import io
import os
import time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.apps import apps

from shuren.intake import api
from shuren.intake.data import Finding, ImportStatus
from shuren.intake.models import ImportRun
from shuren.intake.rules import kinds, limits
from shuren.intake.services import record, start, workbook
from shuren.intake.services.sweep import sweep_strays
from shuren.intake.tests import sample_kind
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.kernel.models import AuditEntry, Event
from shuren.work import api as work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample", "data_dir")]
OWNER = Actor(person_id=1, account_id=11, name="王干事")
STRANGER = Actor(person_id=2, account_id=22, name="李干事")
GOOD = "姓名,好\n甲,是\n".encode()
BAD = "姓名,好\n甲,是\n乙,否\n丙,否\n".encode()


def send(body: bytes, name: str = "样例.csv", *, actor: Actor = OWNER, runs: bool = True) -> int:
    import_id = api.start_import(
        actor=actor, kind="sample", file_name=name, content=io.BytesIO(body), options={"org": 7}, now=clock.now()
    )
    if runs:
        work.run_pending()
    return import_id


def status(import_id: int) -> ImportStatus:
    return api.import_state(import_id).status


def finding(row: int, *, reason: str = "不对", column: str = "好", value: str = "x", is_error: bool = True) -> Finding:
    return Finding("样例.csv", "", row, column, value, reason, "请改正", is_error)


class TestStart:
    def test_the_file_is_kept_as_it_came_and_the_upload_is_told(self) -> None:
        import_id = send(GOOD, "C:\\文档\\名单.csv", runs=False)
        state = api.import_state(import_id)
        assert api.import_file(import_id).read_bytes() == GOOD
        assert (state.file_name, state.size, state.sha256) == ("名单.csv", len(GOOD), hashlib.sha256(GOOD).hexdigest())
        assert (state.status, state.options, state.title, state.is_busy) == (ImportStatus.UPLOADED, {"org": 7}, "样例", True)
        assert AuditEntry.objects.get(action="intake.uploaded").target == f"import:{import_id}"
        assert Event.objects.get(name="intake.uploaded").payload == {"import_id": import_id, "kind": "sample"}

    def test_a_path_is_copied_not_moved(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(GOOD)
        import_id = api.start_import(actor=OWNER, kind="sample", file_name="a.csv", content=path, now=clock.now())
        assert path.exists()
        assert api.import_file(import_id).read_bytes() == GOOD

    @pytest.mark.parametrize("name", ["../../x.csv", "a.c/../sv", "无后缀", "x." + "y" * 300, ""])
    def test_a_strange_name_never_becomes_a_path(self, name: str) -> None:
        import_id = send(GOOD, name, runs=False)
        assert api.import_file(import_id).parent == api.import_dir(import_id)

    def test_an_empty_file_and_an_unknown_kind_are_refused_and_leave_nothing(self, data_dir: Path) -> None:
        with pytest.raises(Invalid, match="空"):
            send(b"")
        with pytest.raises(Invalid, match="没有"):
            api.start_import(actor=OWNER, kind="nothing", file_name="a", content=io.BytesIO(b"x"), now=clock.now())
        assert list((data_dir / "imports").iterdir()) == []
        assert ImportRun.objects.count() == 0

    def test_a_file_over_the_limit_is_refused_while_it_streams(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(start, "MAX_FILE_BYTES", 10)
        with pytest.raises(Invalid, match="2 GB"):
            send(GOOD)
        assert list((data_dir / "imports").iterdir()) == []


class TestSteps:
    def test_a_good_file_becomes_ready_and_is_applied_once(self) -> None:
        import_id = send(GOOD)
        assert status(import_id) == ImportStatus.READY
        assert api.import_state(import_id).difference == {"added": 1}
        api.request_apply(actor=OWNER, import_id=import_id, now=clock.now())
        with pytest.raises(Conflict):
            api.request_apply(actor=OWNER, import_id=import_id, now=clock.now())
        work.run_pending()
        state = api.import_state(import_id)
        assert (state.status, state.counts) == (ImportStatus.APPLIED, {"rows": 1, "applied": 1})
        assert sample_kind.applied == [import_id]
        api.record_undone(import_id, actor=OWNER)
        assert status(import_id) == ImportStatus.UNDONE
        names = list(Event.objects.filter(name__startswith="intake.").order_by("id").values_list("name", flat=True))
        steps = ["uploaded", "checked", "apply_requested", "applied", "undone"]
        assert names == [f"intake.{step}" for step in steps]
        actions = AuditEntry.objects.filter(action__startswith="intake.").order_by("id")
        assert list(actions.values_list("action", flat=True)) == names

    def test_a_bad_file_is_rejected_and_cannot_be_applied(self) -> None:
        import_id = send(BAD)
        assert status(import_id) == ImportStatus.REJECTED
        with pytest.raises(Conflict):
            api.request_apply(actor=OWNER, import_id=import_id, now=clock.now())

    def test_checking_again_finds_the_same(self) -> None:
        import_id = send(BAD)
        api.request_check(actor=OWNER, import_id=import_id, now=clock.now())
        with pytest.raises(Conflict):
            api.request_check(actor=OWNER, import_id=import_id, now=clock.now())
        work.run_pending()
        assert (status(import_id), api.import_state(import_id).error_count) == (ImportStatus.REJECTED, 2)

    @pytest.mark.parametrize(("function", "told"), [("refuse", "没有导入到该学校的权限"), ("say_nothing", "没有报告结果")])
    def test_a_check_that_cannot_go_on_fails_the_import(self, function: str, told: str) -> None:
        kinds.register_kind("sample", title="样例", check=f"shuren.intake.tests.sample_kind.{function}", apply="")
        import_id = send(GOOD)
        assert status(import_id) == ImportStatus.FAILED
        assert told in api.import_state(import_id).error

    def test_an_unreadable_file_fails_with_its_remedy(self) -> None:
        import_id = send(b"%PDF-1.4 something")
        assert status(import_id) == ImportStatus.FAILED
        assert "另存为" in api.import_state(import_id).error

    def test_a_check_that_keeps_crashing_fails_when_the_queue_gives_up(self) -> None:
        kinds.register_kind("sample", title="样例", check="shuren.intake.tests.sample_kind.crash", apply="")
        import_id = send(GOOD)
        assert status(import_id) == ImportStatus.CHECKING
        for _ in range(6):
            apps.get_model("work", "Job").objects.filter(status="queued").update(run_after=clock.now())
            work.run_pending()
        assert status(import_id) == ImportStatus.FAILED
        assert "RuntimeError" in api.import_state(import_id).error

    def test_a_check_killed_after_its_last_word_does_not_disturb_the_apply_that_followed(self) -> None:
        import_id = send(GOOD)
        check = api.import_state(import_id).job_id
        api.request_apply(actor=OWNER, import_id=import_id, now=clock.now())
        jobs = apps.get_model("work", "Job").objects
        jobs.filter(pk=check).update(status="running", lease_until=clock.now())
        work.run_pending()
        assert status(import_id) == ImportStatus.APPLIED
        assert set(jobs.values_list("status", flat=True)) == {"done"}

    def test_a_cancelled_check_fails_the_import(self) -> None:
        import_id = send(GOOD, runs=False)
        work.cancel_job(actor=OWNER, job_id=api.import_state(import_id).job_id or 0, now=clock.now())
        work.run_pending()
        assert status(import_id) == ImportStatus.FAILED

    def test_a_job_of_another_app_that_fails_changes_nothing_here(self) -> None:
        import_id = send(GOOD, runs=False)
        work.enqueue("shuren.work.tests.sample_jobs.refuse", {})
        work.run_pending()
        assert status(import_id) == ImportStatus.READY


class TestFindings:
    def test_findings_are_kept_counted_and_paged(self) -> None:
        import_id = send(GOOD)
        errors = api.record_findings(
            import_id, [*(finding(row) for row in range(2, 122)), finding(5, reason="再看", is_error=False)]
        )
        assert errors == 120
        state = api.import_state(import_id)
        assert (state.error_count, state.warning_count) == (120, 1)
        groups = api.finding_groups(import_id)
        assert [(group.reason, group.count, group.is_error) for group in groups] == [("不对", 120, True), ("再看", 1, False)]
        page = api.findings(import_id, 3, size=50)
        assert ([found.row for found in page.rows][:2], page.total, len(page.rows)) == ([102, 103], 121, 21)
        only = api.findings(import_id, group=groups[1].number)
        assert (only.rows, only.total) == ([finding(5, reason="再看", is_error=False)], 1)

    def test_a_check_run_again_replaces_and_more_adds(self) -> None:
        import_id = send(GOOD)
        api.record_findings(import_id, [finding(2), finding(3)])
        api.record_findings(import_id, [finding(4)])
        api.record_findings(import_id, [finding(5), finding(6, column="别的")], is_more=True)
        assert [found.row for found in api.findings(import_id).rows] == [4, 5, 6]
        assert [group.count for group in api.finding_groups(import_id)] == [2, 1]

    def test_beyond_the_cap_only_the_counts_go_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(record, "FINDINGS_KEPT", 100)
        import_id = send(GOOD)
        assert api.record_findings(import_id, (finding(row) for row in range(250))) == 250
        page = api.findings(import_id, 2, size=80)
        assert (page.total, len(page.rows)) == (100, 20)
        assert api.finding_groups(import_id)[0].count == 250

    def test_endless_kinds_of_reasons_end_in_one_group(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(record, "GROUPS_KEPT", 5)
        import_id = send(GOOD)
        api.record_findings(import_id, (finding(row, reason=f"原因{row}") for row in range(20)))
        assert len(api.finding_groups(import_id)) == 6
        assert sum(group.count for group in api.finding_groups(import_id)) == 20

    def test_values_are_shortened_and_freed_of_what_nothing_can_hold(self) -> None:
        import_id = send(GOOD)
        api.record_findings(import_id, [finding(2, value="\x00" + "x" * 5000), finding(3, value="\ud800")])
        rows = api.findings(import_id).rows
        assert (len(rows[0].value), rows[0].value[0], rows[1].value) == (200, "␀", "?")

    def test_a_file_is_named_as_its_sender_knows_it(self) -> None:
        import_id = send(GOOD, "名单.csv")
        with pytest.raises(api.UnreadableFile) as refused:
            api.open_package(api.import_file(import_id), into=api.import_dir(import_id) / "out")
        assert refused.value.finding.file == api.import_file(import_id).name
        api.record_findings(import_id, [refused.value.finding])
        assert api.findings(import_id).rows[0].file == "名单.csv"

    def test_an_import_without_findings_has_an_empty_page(self) -> None:
        page = api.findings(send(GOOD))
        assert (page.rows, page.total) == ([], 0)


class TestWorkbook:
    def test_wrong_cells_are_coloured_and_explained(self) -> None:
        import_id = send(BAD)
        assert api.has_error_workbook(import_id)
        book = openpyxl.load_workbook(api.error_workbook(import_id))
        assert book.sheetnames == ["问题清单", "原表"]
        listed = [[cell.value for cell in row] for row in book["问题清单"].iter_rows()]
        assert listed[0] == ["文件", "工作表", "行", "列", "填写内容", "问题", "修改办法", "程度"]
        assert listed[1] == ["样例.csv", None, 3, "好", "否", "不是“是”", "请改为“是”。", "错误"]
        sheet = book["原表"]
        assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
            ["姓名", "好"],
            ["甲", "是"],
            ["乙", "否"],
            ["丙", "否"],
        ]
        assert sheet["B3"].fill.start_color.rgb.endswith("FFC7CE")
        assert "请改为“是”" in sheet["B3"].comment.text
        assert sheet["B2"].fill.fill_type is None
        assert sheet["B2"].comment is None

    def test_what_was_uploaded_never_runs_as_a_formula(self) -> None:
        import_id = send('姓名,好\n"=HYPERLINK(""http://x"")",否\n+1,=1+1\n@a,-2\n'.encode())
        book = openpyxl.load_workbook(api.error_workbook(import_id))
        types = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
        assert "f" not in types
        assert book["原表"]["A2"].value == '=HYPERLINK("http://x")'
        assert book["原表"]["B3"].value == "=1+1"

    def test_a_workbook_keeps_its_sheets_numbers_and_dates(self, workbook_bytes: Any) -> None:
        body = workbook_bytes([["说明"], [None], ["好", "数"], ["是", 3], ["否", 4.5]], 别的=[["x"]])
        book = openpyxl.load_workbook(api.error_workbook(send(body, "a.xlsx")))
        assert book.sheetnames == ["问题清单", "学生", "别的"]
        sheet = book["学生"]
        assert [sheet["A1"].value, sheet["A3"].value, sheet["B4"].value, sheet["B5"].value] == ["说明", "好", 3, 4.5]
        assert sheet["A5"].fill.start_color.rgb.endswith("FFC7CE")

    def test_every_table_of_a_package_gets_its_sheet(self, package_bytes: Any) -> None:
        body = package_bytes({"甲.csv": "好\n否\n", "乙.csv": "好\n是\n", "2026/丙.csv": "好,x\n否,1\n"})
        book = openpyxl.load_workbook(api.error_workbook(send(body, "a.zip")))
        assert book.sheetnames == ["问题清单", "甲.csv", "乙.csv", "丙.csv"]
        coloured = [book[name]["A2"].fill.fill_type for name in book.sheetnames[1:]]
        assert coloured == ["solid", None, "solid"]

    def test_of_a_big_file_only_rows_with_findings_are_copied(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workbook, "WORKBOOK_ROWS", 50)
        body = "姓名,好\n" + "".join(f"人{row},{'否' if row == 80 else '是'}\n" for row in range(2, 102))
        book = openpyxl.load_workbook(api.error_workbook(send(body.encode())))
        rows = [[cell.value for cell in row] for row in book["原表"].iter_rows()]
        assert rows == [["原行号", "姓名", "好"], [80, "人80", "否"]]
        assert book["原表"]["C2"].fill.fill_type == "solid"

    def test_warnings_are_yellow(self) -> None:
        import_id = send("姓名,好\n甲,提醒\n".encode())
        assert status(import_id) == ImportStatus.READY
        book = openpyxl.load_workbook(api.error_workbook(import_id))
        assert book["原表"]["B2"].fill.start_color.rgb.endswith("FFEB9C")

    def test_a_check_run_again_makes_a_new_workbook(self) -> None:
        import_id = send(BAD)
        api.record_findings(import_id, [finding(2, reason="新的")])
        assert not api.has_error_workbook(import_id)
        assert openpyxl.load_workbook(api.error_workbook(import_id))["问题清单"]["F2"].value == "新的"

    def test_what_cannot_be_read_still_gets_its_list(self) -> None:
        import_id = send(b"%PDF-1.4")
        api.record_findings(import_id, [finding(0, column="")])
        assert openpyxl.load_workbook(api.error_workbook(import_id)).sheetnames == ["问题清单"]

    def test_control_characters_and_odd_names_do_not_break_it(self, package_bytes: Any) -> None:
        body = package_bytes({"a[1]?.csv": "好\n\x07否\x01\n", "x" * 60 + ".csv": "好\n否\n", "x" * 61 + ".csv": "好\n否\n"})
        titles = openpyxl.load_workbook(api.error_workbook(send(body, "a.zip"))).sheetnames
        assert len(set(titles)) == 4
        assert all(len(title) <= 31 for title in titles)


class TestReads:
    def test_strangers_do_not_find_an_import(self) -> None:
        import_id = send(GOOD)
        assert api.access_import(actor=OWNER, id=import_id).id == import_id
        assert api.access_import(actor=STRANGER, id=import_id, may_see_all=True).id == import_id
        assert api.access_import(actor=SYSTEM, id=import_id).id == import_id
        with pytest.raises(NotFound):
            api.access_import(actor=STRANGER, id=import_id)
        with pytest.raises(NotFound):
            api.access_import(actor=Actor(None, None, "anonymous"), id=send(GOOD, actor=SYSTEM))

    def test_imports_are_listed_newest_first_by_kind_and_owner(self) -> None:
        mine, other = send(GOOD), send(GOOD, actor=STRANGER)
        assert [state.id for state in api.imports().rows] == [other, mine]
        assert [state.id for state in api.imports("sample", OWNER).rows] == [mine]
        assert api.imports("nothing").rows == []
        assert api.imports(actor=SYSTEM).rows == []
        assert len(api.imports(status=ImportStatus.READY).rows) == 2

    def test_a_missing_import_is_not_found(self) -> None:
        with pytest.raises(NotFound):
            api.import_state(10**9)


def test_files_without_an_import_are_swept_after_a_day(data_dir: Path) -> None:
    kept = send(GOOD)
    folder = data_dir / "imports"
    old, young = folder / "999999", folder / ".incoming-1-ab"
    old.mkdir()
    (old / "x").write_text("x")
    young.write_text("x")
    yesterday = time.time() - 2 * 24 * 3600
    for path in (old, folder / str(kept)):
        os.utime(path, (yesterday, yesterday))
    assert sweep_strays(now=clock.now()) == 1
    assert sorted(path.name for path in folder.iterdir()) == sorted([str(kept), young.name])


def test_the_limits_agree_with_what_the_messages_say() -> None:
    assert limits.MAX_FILE_BYTES == 2 * 1024**3
    assert limits.MAX_CELL_CHARS == 32_767
