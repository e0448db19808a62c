"""Files of entries of which the good rows are taken: the others wait in quarantine, are mended, and come in as any file does."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from openpyxl import load_workbook
from tests.cast import Cast

from shuren.casework.models import Entry
from shuren.casework.selectors.entries import access_register
from shuren.casework.services.registers import take_in
from shuren.casework.services.registers.take_back import undo_import
from shuren.casework.services.registers.workbook import register_workbook
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.register_bodies import ROOMS
from shuren.casework.tests.test_register_files import HEAD, _Job, with_tables
from shuren.intake import api as intake
from shuren.intake.data import ImportState, ImportStatus, QuarantinedRowData, QuarantineQuery, QuarantineReach, QuarantineState
from shuren.kernel.errors import NotFound
from shuren.work import api as work

GOOD, BAD = ["", "教室", "A1", "class", "45", ""], ["在用", "厨房", "A2", "厨房", "0", ""]
Bring = Callable[..., ImportState]


@pytest.fixture(autouse=True)
def rooms(cast: Cast, define: Define, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    define("register", ROOMS)


@pytest.fixture
def bring(cast: Cast) -> Bring:
    """Bring lines in, the bad ones into quarantine; checked, not yet applied."""

    def put(*rows: list[str], content: bytes = b"", who: str = "school_admin") -> ImportState:
        if rows:
            text = io.StringIO()
            csv.writer(text).writerows([HEAD, *rows])
            content = text.getvalue().encode()
        import_id = intake.start_import(
            actor=cast.actor(who),
            kind="register",
            file_name="教室.csv",
            content=io.BytesIO(content),
            options={"register": "demo.rooms", "quarantine": True},
            now=cast.now,
        )
        work.run_pending()
        return intake.import_state(import_id)

    return put


def applied(cast: Cast, state: ImportState) -> ImportState:
    assert state.status is ImportStatus.READY, [one.reason for one in intake.kept_findings(state.id)]
    intake.request_apply(actor=state.owner, import_id=state.id, now=cast.now)
    work.run_pending()
    return intake.import_state(state.id)


def reach(cast: Cast, who: str = "school_admin", org: str = "school") -> QuarantineReach:
    paths = (cast.orgs[org].path,)
    return QuarantineReach(cast.actor(who).account_id, frozenset({"register"}), {("register", "demo.rooms"): paths})


def waiting(cast: Cast, **more: Any) -> list[QuarantinedRowData]:
    return list(intake.quarantined_rows(QuarantineQuery(), reach=reach(cast, **more)).rows)


def names() -> list[str]:
    return sorted(Entry.objects.filter(removed_at__isnull=True, revision__gt=0).values_list("label", flat=True))


def test_the_good_rows_go_in_and_the_others_wait_sealed_for_their_unit(cast: Cast, bring: Bring) -> None:
    state = bring(GOOD, BAD, ["", "礼堂", "A3", "", "", ""])
    assert (state.counts, state.error_count) == ({"entry": 2, "quarantined": 1}, 2)
    assert waiting(cast) == []
    applied(cast, state)
    assert names() == ["教室", "礼堂"]
    (row,) = waiting(cast, who="head")
    assert (row.place.row, row.org_path, row.fault_count) == (3, cast.orgs["school"].path, 2)
    assert waiting(cast, who="head", org="other_school") == []
    sealed = bytes(apps.get_model("intake.QuarantinedRow").objects.get().sealed or b"")
    assert "厨房".encode() not in sealed
    assert intake.waiting_by_org([cast.orgs["county"].path, cast.orgs["far_school"].path]) == {cast.orgs["county"].path: 1}
    with pytest.raises(NotFound):
        intake.read_row(actor=cast.actor("head"), reach=reach(cast, "head", "far_school"), id=row.public_id, now=cast.now)


def test_a_row_corrected_in_place_comes_in_through_the_same_checks(cast: Cast, bring: Bring) -> None:
    applied(cast, bring(GOOD, BAD, ["", "礼堂", "A4", "", "0", ""]))
    first, second = waiting(cast)
    admin, mine = cast.actor("school_admin"), reach(cast)
    intake.correct_row(actor=admin, reach=mine, id=first.public_id, told={3: "lab", 4: "30"}, now=cast.now)
    intake.correct_row(actor=admin, reach=mine, id=second.public_id, told={4: "很多"}, now=cast.now)
    (sent,) = intake.send_rows_again(actor=admin, reach=mine, ids=[first.public_id, second.public_id], now=cast.now)
    work.run_pending()
    again = applied(cast, intake.import_state(sent))
    assert again.counts == {"entry": 1, "quarantined": 1}
    assert names() == ["厨房", "教室"]
    (left,) = waiting(cast)
    assert left.import_id == sent
    _row, content = intake.read_row(actor=admin, reach=mine, id=left.public_id, now=cast.now)
    assert content is not None
    assert content.cells == ("", "礼堂", "A4", "", "很多", "")
    assert intake.states_of_import(first.import_id) == {QuarantineState.SETTLED: 2}


def test_rows_still_wrong_stay_where_they_are(cast: Cast, bring: Bring) -> None:
    applied(cast, bring(GOOD, BAD))
    (row,) = waiting(cast)
    (sent,) = intake.send_rows_again(actor=cast.actor("school_admin"), reach=reach(cast), ids=[row.public_id], now=cast.now)
    work.run_pending()
    assert intake.import_state(sent).status is ImportStatus.REJECTED
    (still,) = waiting(cast)
    assert (still.id, still.sent_import_id) == (row.id, sent)


def test_a_mended_file_with_its_reasons_settles_the_rows_it_brings(cast: Cast, bring: Bring, tmp_path: Path) -> None:
    state = applied(cast, bring(GOOD, BAD, ["", "礼堂", "A4", "", "0", ""]))
    path = tmp_path / "rows.csv"
    name = intake.hand_out_rows(actor=cast.actor("school_admin"), reach=reach(cast), import_id=state.id, path=path, now=cast.now)
    assert name == "教室-待改的行.csv"
    lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert lines[0] == [*HEAD, "隔离编号", "隔离原因"]
    assert lines[1][-1].startswith("用途：")
    mended = io.StringIO()
    csv.writer(mended).writerows(
        [lines[0], [cell.replace("厨房", "lab").replace("0", "9") for cell in lines[1][:6]] + lines[1][6:]]
    )
    sent = intake.send_file(
        actor=cast.actor("school_admin"),
        import_id=state.id,
        file_name="改好.csv",
        content=io.BytesIO(mended.getvalue().encode()),
        now=cast.now,
    )
    work.run_pending()
    applied(cast, intake.import_state(sent))
    assert names() == ["lab", "教室"]
    assert [row.place.row for row in waiting(cast)] == [4]
    undo_import(actor=cast.actor("school_admin"), import_id=sent, now=cast.now)
    assert [row.place.row for row in waiting(cast)] == [3, 4]


def test_what_belongs_to_a_bad_row_goes_with_it(cast: Cast, define: Define, bring: Bring) -> None:
    with_tables(define)
    book = load_workbook(register_workbook(access_register(actor=cast.actor("head"), key="demo.rooms", now=cast.now).spec))
    main, benches = book.worksheets[:2]
    for line in (["", "", "甲", "A1"], ["", "拆了", "乙", "A2"], ["", "", "丙", "A3"]):
        main.append(line)
    for line in (["", "A1", "单人桌", "几张"], ["", "A2", "双人桌", 2], ["", "A3", "双人桌", 3], ["", "A9", "讲台", 1]):
        benches.append(line)
    content = io.BytesIO()
    book.save(content)
    applied(cast, bring(content=content.getvalue()))
    assert names() == ["丙"]
    assert Entry.objects.get(label="丙").data["benches"] == [{"kind": "双人桌", "count": 3}]
    reasons = {(row.place.sheet, row.place.row): row.reason for row in waiting(cast)}
    assert set(reasons) == {("教室台账", 2), ("教室台账", 3), ("课桌", 2), ("课桌", 3), ("课桌", 5)}
    assert reasons["教室台账", 2] == "它的明细行有错误"
    assert reasons["课桌", 3] == reasons["课桌", 5] == "它所属的记录没有写入"
    ids = [row.public_id for row in waiting(cast)]
    told = {row.place: row.public_id for row in waiting(cast)}
    for place, id in told.items():
        if place[1:] == ("课桌", 2):
            intake.correct_row(actor=cast.actor("school_admin"), reach=reach(cast), id=id, told={3: "7"}, now=cast.now)
    (sent,) = intake.send_rows_again(actor=cast.actor("school_admin"), reach=reach(cast), ids=ids, now=cast.now)
    work.run_pending()
    applied(cast, intake.import_state(sent))
    assert names() == ["丙", "甲"]
    assert Entry.objects.get(label="甲").data["benches"] == [{"kind": "单人桌", "count": 7}]


@pytest.mark.parametrize("step", ["put down", "switch", "applied"])
def test_whatever_breaks_off_no_row_is_lost(cast: Cast, bring: Bring, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def power_cut(*_words: object, **_more: object) -> None:
        raise ConnectionError

    state = bring(GOOD, BAD)
    place = {
        "put down": (take_in, "stage_added"),
        "switch": (take_in, "show_staged"),
        "applied": (take_in.intake, "record_applied"),
    }
    intake.request_apply(actor=state.owner, import_id=state.id, now=cast.now)
    with monkeypatch.context() as patch:
        patch.setattr(*place[step], power_cut)
        with pytest.raises(ConnectionError):
            take_in.apply_register(_Job(), state.id)  # type: ignore[arg-type]
    assert (names(), waiting(cast)) == ([], [])
    assert intake.places_set_aside(state.id)
    take_in.apply_register(_Job(), state.id)  # type: ignore[arg-type]
    assert (names(), [row.place.row for row in waiting(cast)]) == (["教室"], [3])


def test_a_check_that_breaks_off_begins_anew(cast: Cast, bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    state = bring(GOOD, BAD)
    intake.request_check(actor=state.owner, import_id=state.id, now=cast.now)
    intake.record_checking(state.id)

    def power_cut(*_words: object, **_more: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(take_in.intake, "record_checked", power_cut)
        with pytest.raises(ConnectionError):
            take_in.check_register(_Job(), state.id)  # type: ignore[arg-type]
    take_in.check_register(_Job(), state.id)  # type: ignore[arg-type]
    applied(cast, intake.import_state(state.id))
    assert (names(), [row.place.row for row in waiting(cast)]) == (["教室"], [3])


def test_what_cannot_be_parted_is_refused_whole(cast: Cast, bring: Bring) -> None:
    assert bring(BAD).status is ImportStatus.REJECTED
    text = "名称\n甲\n".encode()
    assert bring(content=text).status is ImportStatus.REJECTED
    assert not apps.get_model("intake.QuarantinedRow").objects.exists()
