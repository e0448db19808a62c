"""Rosters of which the good rows are taken: whatever leans on a bad row goes with it, nothing ends, nothing is lost."""

import io
from pathlib import Path

import openpyxl
import pytest

from shuren.directory.data import RosterForm
from shuren.directory.models import Affiliation, Enrollment, GuardianLink, Org, Person
from shuren.directory.services.apply_roster import service
from shuren.directory.services.check_roster import service as checking
from shuren.directory.services.check_roster.remember import remember_roster
from shuren.directory.services.check_roster.service import check_roster
from shuren.directory.services.export_roster.service import export_roster
from shuren.directory.services.undo_roster import undo_roster
from shuren.directory.tests.roster.conftest import NOW, Roster, apply, check, quiet, take_in
from shuren.intake import api as intake
from shuren.intake.data import ImportState, ImportStatus, QuarantinedRowData, QuarantineQuery, QuarantineReach
from shuren.kernel.data import SYSTEM

pytestmark = pytest.mark.django_db


def reach() -> QuarantineReach:
    return QuarantineReach(None, frozenset(), {}, frozenset({("roster", "")}))


def waiting() -> list[QuarantinedRowData]:
    return list(intake.quarantined_rows(QuarantineQuery(), reach=reach(), size=100).rows)


def places() -> set[tuple[str, int]]:
    return {(row.place.sheet or row.place.file, row.place.row) for row in waiting()}


def cells(row: QuarantinedRowData) -> dict[str, str]:
    _row, content = intake.read_row(actor=SYSTEM, reach=reach(), id=row.public_id, now=NOW)
    assert content is not None
    return dict(zip(content.header, content.cells, strict=True))


def sent(import_ids: list[int]) -> ImportState:
    (import_id,) = import_ids
    intake.record_checking(import_id)
    check_roster(import_id=import_id, now=NOW, on_progress=quiet)
    return intake.import_state(import_id)


def test_a_bad_pupil_takes_what_refers_to_them_and_comes_in_later(roster: Roster, tmp_path: Path) -> None:
    roster.row("users", "P1")["enabledUser"] = "perhaps"
    state = take_in(roster.write(tmp_path / "roster.zip"), quarantine=True)
    assert state.counts["quarantined"] == 4
    assert places() == {
        ("users.csv", roster.line_of("users", "P1")),
        ("roles.csv", roster.line_of("roles", "RP1")),
        ("enrollments.csv", roster.line_of("enrollments", "EP1")),
        ("demographics.csv", roster.line_of("demographics", "P1")),
    }
    reasons = {row.place.file: row.reason for row in waiting()}
    assert reasons["roles.csv"] == reasons["demographics.csv"] == "它引用的行没有写入，在隔离区。"
    assert sorted(Person.objects.values_list("sourced_id", flat=True)) == ["H", "M", "P2", "P3", "P4", "T1", "T2"]
    assert GuardianLink.objects.count() == 1
    (pupil,) = [row for row in waiting() if row.place.file == "users.csv"]
    place = list(cells(pupil)).index("enabledUser")
    intake.correct_row(actor=SYSTEM, reach=reach(), id=pupil.public_id, told={place: "true"}, now=NOW)
    again = apply(sent(intake.send_import_again(actor=SYSTEM, reach=reach(), import_id=state.id, now=NOW)))
    assert (again.status, waiting()) == (ImportStatus.APPLIED, [])
    child = Person.objects.get(sourced_id="P1")
    assert (str(child.birth_date), child.is_active) == ("2017-01-10", True)
    assert Enrollment.objects.filter(person=child).exists()
    assert GuardianLink.objects.count() == 2


def test_a_bad_school_takes_everything_below_it(roster: Roster, tmp_path: Path) -> None:
    roster.row("orgs", "S2")["type"] = "palace"
    take_in(roster.write(tmp_path / "roster.zip"), quarantine=True)
    assert {("orgs.csv", roster.line_of("orgs", "S2")), ("classes.csv", roster.line_of("classes", "K3"))} <= places()
    assert not Org.objects.filter(sourced_id__in=["S2", "K3"]).exists()
    assert not Affiliation.objects.filter(sourced_id__in=["RT2", "RP4"]).exists()
    assert Org.objects.filter(sourced_id="K2").exists()


def test_what_a_full_file_leaves_out_does_not_end_while_rows_wait(roster: Roster, tmp_path: Path) -> None:
    take_in(roster.write(tmp_path / "first.zip"))
    roster.row("users", "P2")["enabledUser"] = "perhaps"
    roster.row("users", "P4")["givenName"] = "大乐"
    roster.drop("roles", "RT2")
    state = take_in(roster.write(tmp_path / "second.zip"), quarantine=True)
    assert state.difference["person"]["ended"] == state.difference["affiliation"]["ended"] == 0
    assert Affiliation.objects.get(sourced_id="RT2").end_date is None
    assert Person.objects.get(sourced_id="P4").name == "张大乐"
    # The person stands already: roles and places in classes are no worse for the row that waits.
    assert places() == {(f"{name}.csv", roster.line_of(name, "P2")) for name in ("users", "demographics")}
    row = next(row for row in waiting() if row.place.file == "users.csv")
    assert row.org_path == Org.objects.get(sourced_id="S1").path
    assert remember_roster(state.id) == 0


def test_without_bad_rows_a_full_file_is_a_full_file(roster: Roster, tmp_path: Path) -> None:
    take_in(roster.write(tmp_path / "first.zip"))
    roster.drop("roles", "RT2")
    state = check(roster.write(tmp_path / "second.zip"), quarantine=True)
    assert (state.difference["affiliation"]["ended"], state.counts.get("quarantined")) == (1, None)


def test_what_concerns_the_whole_file_is_refused(roster: Roster, tmp_path: Path) -> None:
    roster.row("users", "P1")["enabledUser"] = "perhaps"
    del roster.rows["courses"][0]["orgSourcedId"]
    path = roster.write(tmp_path / "roster.zip")
    assert check(path).status is ImportStatus.REJECTED
    roster.states["users"] = "everything"
    assert check(roster.write(path), quarantine=True).status is ImportStatus.REJECTED
    assert waiting() == []


def test_a_workbook_parts_the_same_way_and_undoing_gives_the_rows_up(roster: Roster, tmp_path: Path) -> None:
    take_in(roster.write(tmp_path / "first.zip"))
    path = tmp_path / "roster.xlsx"
    export_roster(actor=SYSTEM, org_id=Org.objects.get(sourced_id="D").pk, form=RosterForm.EXCEL, path=path, now=NOW)
    book = openpyxl.load_workbook(path)
    sheet = book["学生"]
    heading = {cell.value: cell.column for cell in sheet[1]}
    pupils = {sheet.cell(row, heading["姓名"]).value: row for row in range(2, sheet.max_row + 1)}
    sheet.cell(pupils["张安"], heading["出生日期"]).value = "2031-02-30"
    sheet.cell(pupils["张宁"], heading["姓名"]).value = "张小宁"
    book.save(path)
    state = take_in(path, quarantine=True)
    assert places() == {("学生", pupils["张安"])}
    assert cells(waiting()[0])["姓名"] == "张安"
    assert Person.objects.get(sourced_id="P2").name == "张小宁"
    target = tmp_path / "rows"
    assert intake.hand_out_rows(actor=SYSTEM, reach=reach(), import_id=state.id, path=target, now=NOW).endswith(".xlsx")
    handed = openpyxl.load_workbook(io.BytesIO(target.read_bytes()))
    lines = list(handed["学生"].iter_rows(values_only=True))
    assert (len(lines), lines[0][-2:]) == (2, ("隔离编号", "隔离原因"))
    assert "有效日期" in str(lines[1][-1])
    undo_roster(actor=SYSTEM, import_id=state.id, now=NOW)
    assert (waiting(), Person.objects.get(sourced_id="P2").name) == ([], "张宁")


def checked_and_applied(import_id: int) -> None:
    check_roster(import_id=import_id, now=NOW, on_progress=quiet)
    apply(intake.import_state(import_id))


@pytest.mark.parametrize("step", ["set_aside", "record_checked", "batch_in", "keep_before", "record_applied"])
def test_whatever_breaks_off_no_row_is_lost(roster: Roster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def power_cut(*_words: object, **_more: object) -> None:
        raise ConnectionError

    roster.row("users", "P1")["enabledUser"] = "perhaps"
    path = roster.write(tmp_path / "roster.zip")
    options = {"quarantine": True}
    import_id = intake.start_import(actor=SYSTEM, kind="roster", file_name=path.name, content=path, options=options, now=NOW)
    intake.record_checking(import_id)
    is_check = step in ("set_aside", "record_checked")
    with monkeypatch.context() as patch:
        patch.setattr(
            checking if is_check else service, "copy_in" if step == "batch_in" and service.is_postgresql() else step, power_cut
        )
        with pytest.raises(ConnectionError):
            checked_and_applied(import_id)
    assert (Person.objects.count(), waiting()) == (0, [])
    if is_check:
        check_roster(import_id=import_id, now=NOW, on_progress=quiet)
        intake.request_apply(actor=SYSTEM, import_id=import_id, now=NOW)
    service.apply_roster(import_id=import_id, now=NOW, on_progress=quiet)
    assert (Person.objects.count(), len(waiting())) == (7, 4)
