"""Answers given on paper: a file is taken in whole or not at all, for whoever signed, by whoever looks after the pupils."""

import io
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.apps import apps

from shuren.directory import api
from shuren.directory.data import ConsentDecision, ConsentState, NewConsentText
from shuren.directory.models import Consent, Person
from shuren.directory.selectors.consents import askings_of
from shuren.directory.services.consents.take_papers import COLUMNS, MOST_ROWS, apply_papers, check_papers
from shuren.directory.tests.conftest import NOW, Region
from shuren.intake import api as intake
from shuren.intake.data import ImportState, ImportStatus
from shuren.kernel.errors import Invalid
from shuren.kernel.models import AuditEntry, Event

TITLE = "使用作业盒"


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Any, settings: Any) -> None:
    settings.DATA_DIR = tmp_path / "data"


@pytest.fixture
def notice(region: Region) -> int:
    text = NewConsentText(
        org_id=region.org_ids["school"],
        purpose="teaching",
        recipient="app:7",
        recipient_name="作业盒",
        elements=("person.name", "person.birth_date"),
        title_zh=TITLE,
        body_zh="老师用它布置作业。",
    )
    return api.publish_consent_text(actor=region.actor("head"), text=text, now=NOW)


def row(region: Region, key: str = "pupil", **changes: str) -> list[str]:
    person = Person.objects.get(pk=region.person[key])
    said = {"告知书": TITLE, "人员编号": person.number, "姓名": person.name, "签字人": "王大明", "决定": "同意", "签字日期": ""}
    return list((said | changes).values())


def workbook(*rows: list[str], header: tuple[str, ...] = COLUMNS) -> bytes:
    book = openpyxl.Workbook()
    for line in (list(header), *rows):
        book.worksheets[0].append(line)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def checked(region: Region, *rows: list[str], by: str = "class_teacher", content: bytes | None = None) -> ImportState:
    made = intake.start_import(
        actor=region.actor(by), kind="consents", file_name="同意书.xlsx", content=io.BytesIO(content or workbook(*rows)), now=NOW
    )
    intake.record_checking(made)
    check_papers(import_id=made, now=NOW)
    return intake.import_state(made)


def applied(region: Region, state: ImportState, by: str = "class_teacher") -> None:
    intake.request_apply(actor=region.actor(by), import_id=state.id, now=NOW)
    apply_papers(import_id=state.id, now=NOW)


def state_of(region: Region, key: str = "pupil") -> ConsentState:
    return api.consent_of(person_id=region.person[key], purpose="teaching", recipient="app:7", now=NOW).state


def notices_of(region: Region, key: str) -> list[Any]:
    return list(apps.get_model("messaging.Notice").objects.filter(person_id=region.person[key]))


def test_a_class_teacher_takes_in_a_paper_and_the_signer_may_withdraw(region: Region, notice: int) -> None:
    state = checked(region, row(region))
    assert (state.status, state.difference["consent"]["added"]) == (ImportStatus.READY, 1)
    assert not Consent.objects.exists()
    applied(region, state)
    consent = Consent.objects.get()
    assert (consent.way, consent.decided_by_id, consent.entered_by_id) == (
        "paper",
        region.person["parent"],
        region.person["class_teacher"],
    )
    assert state_of(region) is ConsentState.GIVEN
    entry = AuditEntry.objects.get(action="directory.consent_given")
    assert (entry.actor_person_id, entry.details["way"]) == (region.person["class_teacher"], "paper")
    assert Event.objects.filter(name="directory.consent_given").count() == 1
    told = notices_of(region, "parent")
    assert [(one.url, TITLE in one.body) for one in told] == [("/consents/", True)]
    after = api.decide_consent(
        actor=region.actor("parent"),
        person_id=region.person["pupil"],
        text_id=notice,
        decision=ConsentDecision.WITHDRAWN,
        now=NOW + timedelta(minutes=1),
    )
    assert after is ConsentState.WITHDRAWN


BROKEN = {
    "没有找到这个人": ("人员编号", {"人员编号": "99999999"}),
    "姓名与人员编号对不上": ("姓名", {"姓名": "李四"}),
    "没有向这个人发布过": ("告知书", {"告知书": "别的"}),
    "只能写": ("决定", {"决定": "也许"}),
    "签字人不是本人": ("签字人", {"签字人": "何校长"}),
    "这一项不由签字人决定": ("签字人", {"签字人": "王小明"}),
    "不是日期": ("签字日期", {"签字日期": "开学那天"}),
    "签字日期在今天以后": ("签字日期", {"签字日期": "2036-02-29"}),
}


@pytest.mark.parametrize("reason", BROKEN)
def test_every_fault_is_told_by_row_and_column_and_nothing_is_written(region: Region, notice: int, reason: str) -> None:
    column, changes = BROKEN[reason]
    state = checked(region, row(region), row(region, **changes))
    assert state.status is ImportStatus.REJECTED
    found = intake.findings(state.id).rows
    told = [one for one in found if reason in one.reason]
    assert [(one.row, one.column, one.value) for one in told] == [(3, column, changes[column])]
    assert told[0].remedy
    assert (told[0].file, bool(told[0].sheet)) == ("同意书.xlsx", True)
    assert not Consent.objects.exists()


def test_other_faults_of_a_file(region: Region, notice: int) -> None:
    def reasons(state: ImportState) -> set[str]:
        return {one.reason for one in intake.findings(state.id).rows}

    assert reasons(checked(region, row(region), row(region))) == {"同一个人的同一份告知书重复出现"}
    assert reasons(checked(region, content=workbook(row(region)[:4], header=COLUMNS[:4]))) == {"缺少这一列"}
    assert reasons(checked(region, content=workbook())) == {"文件里没有同意书"}
    many = workbook(*([row(region)] * (MOST_ROWS + 1)))
    assert reasons(checked(region, content=many)) == {"一次最多 5,000 行"}
    assert checked(region, content=b"no workbook").status is ImportStatus.REJECTED


def test_only_whoever_looks_after_the_pupil_takes_papers_in(region: Region, notice: int) -> None:
    for by, key in (("class_teacher", "pupil2"), ("teacher", "pupil"), ("class_teacher", "far_pupil"), ("parent", "pupil")):
        state = checked(region, row(region, key), by=by)
        assert [one.column for one in intake.findings(state.id).rows] == ["人员编号"], (by, key)
    assert checked(region, row(region), by="head").status is ImportStatus.READY


def test_what_was_decided_on_the_page_stands(region: Region, notice: int) -> None:
    def decide(decision: ConsentDecision) -> None:
        api.decide_consent(
            actor=region.actor("parent"), person_id=region.person["pupil"], text_id=notice, decision=decision, now=NOW
        )

    ready = checked(region, row(region))
    decide(ConsentDecision.REFUSED)
    intake.request_apply(actor=region.actor("class_teacher"), import_id=ready.id, now=NOW)
    with pytest.raises(Invalid, match="有人作出了决定"):
        apply_papers(import_id=ready.id, now=NOW)
    assert state_of(region) is ConsentState.REFUSED
    state = checked(region, row(region))
    assert {one.reason for one in intake.findings(state.id).rows} == {"家长或本人已经在网上作出别的决定"}


def test_one_bad_answer_of_many_writes_none(region: Region, notice: int, monkeypatch: pytest.MonkeyPatch) -> None:
    api.link_guardian(
        actor=region.actor("city_officer"), guardian_id=region.person["parent"], ward_id=region.person["pupil2"], now=NOW
    )
    state = checked(region, row(region), row(region, "pupil2"), by="head")
    assert state.difference["consent"]["added"] == 2
    written: list[object] = []

    def broken(**said: object) -> None:
        written.append(said)
        if len(written) == 2:
            raise OSError("the machine stops here")
        Consent.objects.create(
            person_id=said["person_id"],
            text=said["row"],
            base=said["row"],
            decision="given",
            decided_as="guardian",
            decided_by_id=said["decided_by_id"],
            way="paper",
            at=NOW,
            digest="",
        )

    monkeypatch.setattr("shuren.directory.services.consents.take_papers.write_answer", broken)
    intake.request_apply(actor=region.actor("head"), import_id=state.id, now=NOW)
    with pytest.raises(OSError, match="stops here"):
        apply_papers(import_id=state.id, now=NOW)
    assert not Consent.objects.exists()
    monkeypatch.undo()
    apply_papers(import_id=state.id, now=NOW)
    assert Consent.objects.count() == 2


def test_a_paper_may_change_a_paper_and_the_same_one_changes_nothing(region: Region, notice: int) -> None:
    applied(region, checked(region, row(region)))
    again = checked(region, row(region))
    assert again.difference["consent"] == {"added": 0, "changed": 0, "unchanged": 1, "ended": 0}
    applied(region, again)
    assert (Consent.objects.count(), len(notices_of(region, "parent"))) == (1, 1)
    other = checked(region, row(region, 决定="不同意"))
    assert other.difference["consent"]["changed"] == 1
    applied(region, other)
    assert state_of(region) is ConsentState.REFUSED


def test_the_date_on_the_paper_is_kept_and_an_older_paper_never_overrules(region: Region, notice: int) -> None:
    day = NOW.date()
    applied(region, checked(region, row(region, 签字日期=f"{day.year}年{day.month}月{day.day}日")))
    assert Consent.objects.get().signed_on == day
    (asking,) = [one for one in askings_of(actor=region.actor("parent"), now=NOW) if not one.is_self]
    assert [line.signed_on for line in asking.asked] == [day]
    older = checked(region, row(region, 决定="不同意", 签字日期=(day - timedelta(days=1)).isoformat()))
    assert {one.reason for one in intake.findings(older.id).rows} == {"已经录入过签字日期更晚的同意书"}
    later = checked(region, row(region, 决定="不同意", 签字日期=f"{day.year}/{day.month}/{day.day}"))
    assert later.status is ImportStatus.READY


def test_the_template_has_the_columns() -> None:
    page = openpyxl.load_workbook(io.BytesIO(api.papers_template())).worksheets[0]
    assert tuple(cell.value for cell in page[1]) == COLUMNS
