"""Files of entries: checked by the register's rules, shown as a difference, written, and taken back."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Q
from openpyxl import Workbook, load_workbook
from tests.cast import Cast

from shuren.casework.models import Entry
from shuren.casework.selectors.definitions import spec_of
from shuren.casework.selectors.entries import access_register, counted, entry_history, near_duplicates
from shuren.casework.selectors.entry_lists import EntryQuery, entries_page, entries_stream
from shuren.casework.services.registers import take_in
from shuren.casework.services.registers.bulk import edit_entries, preview_edit, read_edit
from shuren.casework.services.registers.take_back import undo_import
from shuren.casework.services.registers.workbook import register_workbook, seen_whole
from shuren.casework.services.registers.write import add_entry, change_entry
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.register_bodies import ROOMS, room
from shuren.intake import api as intake
from shuren.intake.data import Finding, ImportState, ImportStatus
from shuren.kernel.errors import Conflict, Invalid
from shuren.kernel.models import AuditEntry
from shuren.kernel.scope import Scope
from shuren.search import api as search_index
from shuren.work import api as work

HEAD = ["状态", "名称", "编号", "用途", "座位数", "建成日期"]
Send = Callable[..., ImportState]


@pytest.fixture(autouse=True)
def rooms(cast: Cast, define: Define, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    define("register", ROOMS)


@pytest.fixture
def send(cast: Cast) -> Send:
    def put(
        *rows: list[Any] | Workbook, who: str = "school_admin", head: list[str] = HEAD, register: str = "demo.rooms"
    ) -> ImportState:
        content = io.BytesIO()
        if isinstance(rows[0], Workbook):
            rows[0].save(content)
        else:
            text = io.StringIO()
            csv.writer(text).writerows([head, *rows])
            content.write(text.getvalue().encode())
        content.seek(0)
        import_id = intake.start_import(
            actor=cast.actor(who),
            kind="register",
            file_name="教室.csv",
            content=content,
            options={"register": register},
            now=cast.now,
        )
        work.run_pending()
        return intake.import_state(import_id)

    return put


def applied(cast: Cast, state: ImportState) -> ImportState:
    assert state.status is ImportStatus.READY, state
    intake.request_apply(actor=state.owner, import_id=state.id, now=cast.now)
    work.run_pending()
    return intake.import_state(state.id)


def findings(state: ImportState) -> list[Finding]:
    return list(intake.findings(state.id, 1, size=50).rows)


def test_rows_are_added_by_the_names_of_codes_and_states(cast: Cast, send: Send) -> None:
    state = send(["在用", "物理实验室", "B1", "实验室", "48", "2010/9/1"], ["", "教室", "A1", "class", "45", ""])
    assert state.difference["entry"]["added"] == 2
    assert Entry.objects.count() == 0
    done = applied(cast, state)
    assert (done.status, done.counts) == (ImportStatus.APPLIED, {"entry": 2})
    lab = Entry.objects.get(label="物理实验室")
    assert (lab.state, lab.data["kind"], lab.data["built"], lab.org_id) == ("in_use", "lab", "2010-09-01", cast.orgs["school"].id)
    assert Entry.objects.get(label="教室").state == "planned"
    assert AuditEntry.objects.filter(action="casework.register_imported").exists()


def test_every_fault_is_told_by_row_and_column_and_nothing_is_written(cast: Cast, send: Send) -> None:
    state = send(["在用", "实验室", "B1", "厨房", "0", ""], ["拆了", "教室", "A1", "", "", ""], ["", "又一间", "Ｂ2", "", "", ""])
    assert state.status is ImportStatus.REJECTED
    assert {(one.row, one.column) for one in findings(state)} == {(2, "用途"), (2, "座位数"), (3, "状态")}
    assert all(one.remedy for one in findings(state))
    assert Entry.objects.count() == 0


def test_two_rows_of_one_thing_are_told(cast: Cast, send: Send) -> None:
    state = send(["", "甲", "A1", "", "", ""], ["", "乙", "a1", "", "", ""])
    assert [(one.row, one.column, one.reason) for one in findings(state)] == [(3, "编号", "与第 2 行相同")]


def test_a_missing_column_is_told_once(cast: Cast, send: Send) -> None:
    state = send(["甲"], ["乙"], head=["名称"])
    assert [(one.column, one.reason) for one in findings(state)] == [("编号", "缺少这一列")]


def test_what_stands_already_is_changed_and_the_same_is_left(cast: Cast, send: Send) -> None:
    admin, school = cast.actor("school_admin"), cast.orgs["school"].id
    kept = room(keeper_phone="13800000000")
    one = add_entry(actor=admin, register="demo.rooms", org_id=school, data=kept, now=cast.now)
    add_entry(actor=admin, register="demo.rooms", org_id=school, data=room(number="A102"), now=cast.now)
    state = send(
        ["在用", "一年级1班教室", "A101", "class", "50", ""],
        ["", "一年级1班教室", "A102", "class", "45", ""],
        ["", "新的", "A103", "", "", ""],
    )
    numbers = {key: state.difference["entry"][key] for key in ("added", "changed", "unchanged")}
    assert numbers == {"added": 1, "changed": 1, "unchanged": 1}
    cells = state.difference["entry"]["samples"]["changed"][0]["cells"]
    assert {"cell": "座位数", "before": "45", "after": "50"} in cells
    applied(cast, state)
    one.refresh_from_db()
    assert (one.revision, one.state, one.data["seats"], one.data["keeper_phone"]) == (2, "in_use", 50, "13800000000")


def test_a_file_for_another_school_is_refused(cast: Cast, send: Send) -> None:
    state = send(["", "甲", "A1", "", "", ""], who="county_officer")
    assert [one.column for one in findings(state)] == ["机构代码"]
    assert send(["", "甲", "A1", "", "", ""], who="teacher").status is ImportStatus.FAILED


def test_an_import_is_taken_back_but_for_what_was_changed_since(cast: Cast, send: Send) -> None:
    admin = cast.actor("school_admin")
    old = add_entry(actor=admin, register="demo.rooms", org_id=cast.orgs["school"].id, data=room(), now=cast.now)
    rows = [["", "改名", "A101", "class", "45", ""], ["", "新甲", "A102", "", "", ""], ["", "新乙", "A103", "", "", ""]]
    state = applied(cast, send(*rows))
    touched = Entry.objects.get(label="新乙")
    change_entry(actor=admin, entry_id=touched.pk, data={"seats": 9}, base_revision=1, now=cast.now)
    assert undo_import(actor=admin, import_id=state.id, now=cast.now) == 2
    old.refresh_from_db()
    assert (old.label, old.revision) == ("一年级1班教室", 3)
    assert {entry.label for entry in Entry.objects.filter(removed_at__isnull=True)} == {"一年级1班教室", "新乙"}
    with pytest.raises(Conflict):
        undo_import(actor=admin, import_id=state.id, now=cast.now)


def test_applying_a_second_time_writes_nothing_twice(cast: Cast, send: Send, define: Define) -> None:
    define("register", ROOMS | {"identity": []})
    state = send(["", "甲", "A1", "", "", ""], ["", "甲", "A1", "", "", ""])
    applied(cast, state)
    assert Entry.objects.count() == 2
    from_anew = send(["", "甲", "A1", "", "", ""])
    assert from_anew.difference["entry"]["added"] == 1


def test_the_template_names_every_column_and_its_choices(cast: Cast, define: Define) -> None:
    spec = spec_of(define("register", ROOMS))
    sheet = load_workbook(register_workbook(spec)).worksheets[0]
    assert [cell.value for cell in sheet[1]][:4] == ["机构代码", "状态", "名称", "编号"]
    assert {rule.formula1 for rule in sheet.data_validations.dataValidation} == {'"筹建,在用,停用"', '"普通教室,实验室"'}


def test_an_import_that_breaks_off_shows_nothing_and_then_all_at_once(cast: Cast, send: Send, monkeypatch: Any) -> None:
    admin = cast.actor("school_admin")
    old = add_entry(actor=admin, register="demo.rooms", org_id=cast.orgs["school"].id, data=room(), now=cast.now)
    state = send(["", "一年级1班教室", "A101", "class", "50", ""], ["", "新教室", "A102", "class", "45", ""])
    put_down, register = take_in.show_staged, access_register(actor=admin, key="demo.rooms", now=cast.now)

    def power_cut(*_words: object) -> None:
        raise ConnectionError

    def seen() -> list[tuple[str, int]]:
        found = entries_page(register, EntryQuery(sort="label", filters={"kind": "class"})).rows
        return [(row.entry.label, row.data["seats"]) for row in found]

    monkeypatch.setattr(take_in, "show_staged", power_cut)
    intake.request_apply(actor=state.owner, import_id=state.id, now=cast.now)
    with pytest.raises(ConnectionError):
        take_in.apply_register(_Job(), state.id)
    assert Entry.objects.filter(pending_import_id=state.id).count() == 2
    assert seen() == [("一年级1班教室", 45)]
    assert near_duplicates(register=register, label="新教室") == []
    assert [row.number for row in entry_history(old, register.spec)] == [1]
    assert counted([register])[0].count == 1
    monkeypatch.setattr(take_in, "show_staged", put_down)
    take_in.apply_register(_Job(), state.id)
    assert seen() == [("一年级1班教室", 50), ("新教室", 45)]
    assert [row.number for row in entry_history(old, register.spec)] == [2, 1]
    work.run_pending()
    assert not Entry.objects.filter(Q(pending_import_id__isnull=False) | Q(revision=0)).exists()
    scope = Scope((cast.orgs["school"].path,))
    assert [hit.title for hit in search_index.find("新教室", scope=scope, kinds=("entry",)).rows] == ["新教室"]


@pytest.mark.parametrize("moved", ["changed", "added"])
def test_an_import_that_others_overtake_writes_nothing(cast: Cast, send: Send, monkeypatch: Any, moved: str) -> None:
    admin, school = cast.actor("school_admin"), cast.orgs["school"].id
    old = add_entry(actor=admin, register="demo.rooms", org_id=school, data=room(), now=cast.now)
    state = send(["", "一年级1班教室", "A101", "class", "50", ""], ["", "新教室", "A102", "class", "45", ""])
    show = take_in.show_staged

    def late(import_id: int, register: Any, why: Any) -> None:
        if moved == "changed":
            change_entry(actor=admin, entry_id=old.pk, data={"seats": 9}, base_revision=1, now=cast.now)
        else:
            add_entry(actor=admin, register="demo.rooms", org_id=school, data=room(number="A102"), now=cast.now)
        show(import_id, register, why)

    monkeypatch.setattr(take_in, "show_staged", late)
    done = applied(cast, state)
    assert done.status is ImportStatus.FAILED
    assert "重新检查" in done.error
    assert [(one.label, one.data["seats"]) for one in Entry.objects.all()] == [("一年级1班教室", 45)]


class _Job:
    def progress(self, done: int, total: int | None = None) -> None:
        """Nobody watches."""

    def is_cancelled(self) -> bool:
        return False


BENCHES = {
    "key": "benches",
    "title": "课桌",
    "type": "table",
    "columns": [
        {"key": "kind", "title": "类型", "type": "text", "required": True},
        {"key": "count", "title": "数量", "type": "integer", "minimum": 1},
    ],
}
PHOTO = {"key": "photo", "title": "照片", "type": "file", "required": True}


def with_tables(define: Define) -> None:
    (section,) = ROOMS["sections"]
    define("register", ROOMS | {"sections": [section | {"fields": [*section["fields"], BENCHES, PHOTO]}]})


def test_tables_go_out_and_come_in_on_sheets_of_their_own(cast: Cast, define: Define, send: Send) -> None:
    with_tables(define)
    admin, school = cast.actor("school_admin"), cast.orgs["school"].id
    one, two = (
        add_entry(
            actor=admin,
            register="demo.rooms",
            org_id=school,
            data=room(number=number, benches=[{"kind": "单人桌", "count": 40}], keeper_phone="13800000000"),
            now=cast.now,
        )
        for number in ("A101", "A102")
    )
    Entry.objects.filter(pk=one.pk).update(data=one.data | {"photo": [{"id": "x", "name": "a.jpg", "size": 1, "sha256": "0"}]})
    register = access_register(actor=cast.actor("head"), key="demo.rooms", now=cast.now)
    book = load_workbook(register_workbook(seen_whole(register), entries_stream(register, EntryQuery())))
    assert [sheet.title for sheet in book][:2] == ["教室台账", "课桌"]
    main, benches = book.worksheets[:2]
    assert [cell.value for cell in benches[1]] == ["机构代码", "编号", "类型", "数量"]
    assert {row[1] for row in benches.iter_rows(min_row=2, values_only=True)} == {"A101", "A102"}
    assert "保管人证件号" not in [cell.value for cell in main[1]]
    code = benches["A2"].value
    benches.append([code, "A101", "双人桌", 5])
    benches.delete_rows(next(row for row in (2, 3) if benches.cell(row, 2).value == "A102"))
    main.append([code, "在用", "新教室", "A103", "普通教室", 30])
    benches.append([code, "A103", "讲台", 1])
    state = send(book)
    assert {key: state.difference["entry"][key] for key in ("added", "changed", "unchanged")} == {
        "added": 1,
        "changed": 1,
        "unchanged": 1,
    }
    applied(cast, state)
    one.refresh_from_db()
    two.refresh_from_db()
    assert [line["kind"] for line in one.data["benches"]] == ["单人桌", "双人桌"]
    assert (one.data["photo"][0]["name"], one.data["keeper_phone"]) == ("a.jpg", "13800000000")
    assert [line["kind"] for line in two.data["benches"]] == ["单人桌"]
    assert Entry.objects.get(label="新教室").data["benches"] == [{"kind": "讲台", "count": 1}]


def test_what_is_wrong_in_a_table_is_told_on_its_sheet_and_files_are_left_out(cast: Cast, define: Define, send: Send) -> None:
    with_tables(define)
    book = load_workbook(register_workbook(access_register(actor=cast.actor("head"), key="demo.rooms", now=cast.now).spec))
    main, benches = book.worksheets[:2]
    main.append(["", "", "甲", "A101"])
    main["Z1"] = "照片"
    benches.append(["", "A101", "单人桌", "几张"])
    assert {(one.sheet, one.row, one.column, one.is_error) for one in findings(send(book))} == {
        ("课桌", 2, "数量", True),
        ("教室台账", 1, "照片", False),
    }
    benches["D2"] = 3
    benches.append(["", "A999", "双人桌", 1])
    assert [(one.sheet, one.row, one.value) for one in findings(send(book)) if one.is_error] == [("课桌", 3, "A999")]


def test_many_entries_are_changed_at_once_and_refusals_told(cast: Cast) -> None:
    admin, school = cast.actor("school_admin"), cast.orgs["school"].id
    entries = [
        add_entry(actor=admin, register="demo.rooms", org_id=school, data=room(number=f"A{number}"), state=state, now=cast.now)
        for number, state in enumerate(["planned", "in_use", "closed"])
    ]
    far = add_entry(
        actor=cast.actor("province_officer"), register="demo.rooms", org_id=cast.orgs["far_school"].id, data=room(), now=cast.now
    )
    register = access_register(actor=admin, key="demo.rooms", now=cast.now)
    wanted = [*(entry.pk for entry in entries), far.pk]
    edit = read_edit(register.spec, "state", "in_use")
    preview = preview_edit(register, wanted, edit)
    assert (preview.changed, preview.unchanged, preview.refused_count) == (1, 1, 1)
    done = edit_entries(actor=admin, register=register, entry_ids=wanted, edit=edit, reason="开学", now=cast.now)
    assert done == preview
    far.refresh_from_db()
    assert far.state == "planned"
    edit = read_edit(register.spec, "field:seats", "60")
    assert edit_entries(actor=admin, register=register, entry_ids=wanted, edit=edit, reason="", now=cast.now).changed == 3
    assert preview_edit(register, wanted, edit).unchanged == 3
    with pytest.raises(Invalid):
        read_edit(register.spec, "field:number", "X")
    with pytest.raises(Invalid):
        read_edit(register.spec, "field:seats", "0")
