"""Certificates for a list of people from a file: checked whole, told row by row, given all or none."""

import io
from typing import Any

import openpyxl
import pytest
from tests.cast import Cast

from shuren.certificates.data import Recipient
from shuren.certificates.models import Batch, BatchItem, Certificate
from shuren.certificates.services import give_batch as giving
from shuren.certificates.services import take_list
from shuren.certificates.services.write_template import add_template, retire_template
from shuren.certificates.tests.conftest import new_template
from shuren.intake import api as intake
from shuren.intake.data import ImportState, ImportStatus
from shuren.kernel import audit, events
from shuren.kernel.models import Event
from shuren.work import api as work

HEADER = ["证书", "人员编号", "姓名", "颁发机构代码", "等级"]
PUPILS = ("pupil", "classmate", "other_pupil")


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Any, settings: Any) -> None:
    settings.DATA_DIR = tmp_path / "data"


def row(cast: Cast, key: str, **changes: str) -> list[str]:
    person = cast.people[key]
    said = {"证书": "三好学生", "人员编号": person.number, "姓名": person.name, "颁发机构代码": "", "等级": "一等奖"}
    return [str(value) for value in (said | changes).values()]


def workbook(*rows: list[str], header: list[str] = HEADER) -> bytes:
    book = openpyxl.Workbook()
    for line in (header, *rows):
        book.worksheets[0].append(line)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def sent(cast: Cast, content: bytes, *, name: str = "名单.xlsx", by: str = "school_admin") -> ImportState:
    made = intake.start_import(
        actor=cast.actor(by), kind="certificates", file_name=name, content=io.BytesIO(content), now=cast.now
    )
    work.run_pending()
    return intake.import_state(made)


def applied(cast: Cast, state: ImportState) -> ImportState:
    intake.request_apply(actor=cast.actor("school_admin"), import_id=state.id, now=cast.now)
    work.run_pending()
    return intake.import_state(state.id)


def test_a_good_list_is_given_by_a_batch(cast: Cast, template_id: int) -> None:
    state = sent(cast, workbook(*(row(cast, key) for key in PUPILS)))
    assert (state.status, state.error, Certificate.objects.count()) == (ImportStatus.READY, "", 0)
    assert state.difference["certificate"]["added"] == 3
    after = applied(cast, state)
    assert (after.status, after.counts) == (ImportStatus.APPLIED, {"certificate": 3})
    holders = set(Certificate.objects.values_list("holder_id", flat=True))
    assert holders == {cast.people[key].id for key in PUPILS}
    batch = Batch.objects.get()
    assert (batch.total, batch.missed, batch.done_at is not None) == (3, 0, True)
    given = Certificate.objects.get(holder_id=cast.people["pupil"].id)
    assert (given.issuer_name, "获得一等奖" in given.narrative, given.given_by_name) == ("东湖区实验小学", True, "赵文博")


def test_the_same_list_as_csv(cast: Cast, template_id: int) -> None:
    lines = [",".join(line) for line in (HEADER, row(cast, "pupil"), row(cast, "classmate"))]
    state = sent(cast, "\n".join(lines).encode(), name="名单.csv")
    assert state.status is ImportStatus.READY
    applied(cast, state)
    assert Certificate.objects.count() == 2


def broken(cast: Cast) -> dict[str, bytes]:
    good = row(cast, "pupil")
    return {
        "没有这个证书模板": workbook(row(cast, "pupil", 证书="四好学生")),
        "没有找到这个人": workbook(row(cast, "pupil", 人员编号="99999999")),
        "不归您管理": workbook(row(cast, "far_pupil")),
        "姓名与人员编号对不上": workbook(row(cast, "pupil", 姓名="李四")),
        "同一个人重复出现": workbook(good, row(cast, "classmate"), good),
        "不能以这个机构的名义发证": workbook(row(cast, "pupil", 颁发机构代码="NOWHERE")),
        "等级": workbook(row(cast, "pupil", 等级="")),
        "缺少这一列": workbook(good[:2], header=HEADER[:2]),
        "名单里没有人": workbook(),
        "无法": b"PK\x03\x04 not a workbook at all",
    }


@pytest.mark.parametrize("place", range(10))
def test_a_wrong_list_gives_nothing_and_says_where(cast: Cast, template_id: int, place: int) -> None:
    reason, content = list(broken(cast).items())[place]
    state = sent(cast, content)
    assert state.status is not ImportStatus.READY, reason
    kept = intake.kept_findings(state.id) if state.status is not ImportStatus.FAILED else []
    told = " ".join(finding.reason + finding.remedy for finding in kept) + state.error
    assert reason in told or (place == 9 and told.strip()), told
    assert not Batch.objects.exists()


def test_every_wrong_row_is_told_in_one_go_and_in_the_workbook(cast: Cast, template_id: int) -> None:
    state = sent(
        cast,
        workbook(
            row(cast, "pupil", 证书="四好学生"),
            row(cast, "classmate"),
            row(cast, "other_pupil", 姓名="某某"),
            row(cast, "far_pupil"),
        ),
    )
    assert sorted(finding.row for finding in intake.kept_findings(state.id)) == [2, 4, 5]
    sheets = openpyxl.load_workbook(intake.error_workbook(state.id)).worksheets
    text = " ".join(str(cell) for sheet in sheets for line in sheet.iter_rows(values_only=True) for cell in line if cell)
    for words in ("没有这个证书模板", "姓名与人员编号对不上", "不归您管理"):
        assert words in text


def test_what_changed_after_the_check_gives_nothing(cast: Cast, template_id: int) -> None:
    state = sent(cast, workbook(row(cast, "pupil")))
    retire_template(actor=cast.actor("school_admin"), template_id=template_id, now=cast.now)
    after = applied(cast, state)
    assert after.status is not ImportStatus.APPLIED
    assert not Batch.objects.exists()


class Killed(BaseException):
    """What a kill looks like from inside."""


class Job:
    job_id, attempt = 1, 1
    state: dict[str, Any] = {}  # nothing is kept in it

    def progress(self, *_: object) -> None: ...
    def checkpoint(self, **_: object) -> None: ...
    def is_cancelled(self) -> bool:
        return False


def test_a_kill_while_batches_start_starts_none_and_once_again_each_one(
    cast: Cast, template_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = sent(cast, workbook(*(row(cast, key) for key in PUPILS)))
    record = intake.record_applied

    def dying(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(intake, "record_applied", dying)
    with pytest.raises(Killed):
        take_list.apply_list(Job(), state.id)
    assert not Batch.objects.filter(job_id__isnull=False).exists()
    assert not audit.entries(action="certificates.batch_started").exists()
    monkeypatch.setattr(intake, "record_applied", record)
    applied(cast, state)
    assert take_list.apply_list(Job(), state.id) == {"certificate": 3}
    assert (Batch.objects.count(), BatchItem.objects.count(), Certificate.objects.count()) == (1, 0, 3)


def test_what_a_list_filled_that_failed_for_good_is_dropped(
    cast: Cast, template_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = sent(cast, workbook(*(row(cast, key) for key in PUPILS)))
    actor = cast.actor("school_admin")

    def dying(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(intake, "record_applied", dying)
        with pytest.raises(Killed):
            take_list.apply_list(Job(), state.id)
    intake.request_apply(actor=actor, import_id=state.id, now=cast.now)
    assert (take_list.forget_failed(state.id), BatchItem.objects.count()) == (0, 3)  # it is being applied again
    intake.record_failed(state.id, "the disk is full", now=cast.now)
    assert take_list.forget_failed(state.id) == 1
    assert (Batch.objects.count(), BatchItem.objects.count()) == (0, 0)
    assert "shuren.certificates.jobs.forget_failed" in events.subscribers("intake.failed")


def test_a_list_of_many_schools_is_read_once(cast: Cast, template_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("二号", "三号"):
        made = new_template(name=name)
        add_template(actor=cast.actor("school_admin"), org_id=cast.orgs["school"].id, template=made, now=cast.now)
    lines = [row(cast, key, 证书=name) for name in ("三好学生", "二号", "三号") for key in PUPILS]
    state = sent(cast, workbook(*lines))
    opened, reading = [], take_list.intake.open_table
    monkeypatch.setattr(take_list.intake, "open_table", lambda *args, **facts: opened.append(1) or reading(*args, **facts))
    assert applied(cast, state).counts == {"certificate": 9}
    assert (len(opened), Batch.objects.count(), Certificate.objects.count()) == (1, 3, 9)


def test_a_batch_counts_those_who_were_gone(cast: Cast, template_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    recipients = [Recipient(cast.people[key].id, {"等级": "一等奖"}) for key in PUPILS]
    giving.give_batch(
        actor=cast.actor("school_admin"),
        org_id=cast.orgs["school"].id,
        template_id=template_id,
        recipients=recipients,
        now=cast.now,
    )
    gone = cast.people["classmate"].id
    people_by_ids = giving.directory.people_by_ids
    monkeypatch.setattr(
        giving.directory, "people_by_ids", lambda ids: {id: one for id, one in people_by_ids(ids).items() if id != gone}
    )
    work.run_pending()
    batch = Batch.objects.get()
    assert (batch.total, batch.missed, Certificate.objects.filter(batch=batch).count()) == (3, 1, 2)
    payload = Event.objects.get(name="certificates.batch_given").payload
    assert (payload["count"], payload["missed"]) == (2, 1)
