"""Answers given on paper, taken in from a file: every line is checked before one is written.

A paper stands for the person who signed it; who entered it is kept beside. What somebody has decided on the page
themselves is never overruled by a paper.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import ConsentDecision, ConsentTextData, ConsentWay, DecidedAs, Permission
from shuren.directory.models import Consent, ConsentText, GuardianLink, Person
from shuren.directory.rules.consent import day_written, deciders, may_answer
from shuren.directory.selectors.consents import Subject, asked_texts, subjects_of
from shuren.directory.selectors.people import people_within, person_ids_by_number
from shuren.directory.selectors.scope import current_q, scope_of
from shuren.directory.services.consents.decide import write_answer
from shuren.intake import api as intake
from shuren.intake.data import Finding, ImportState, ImportStatus, Row, Table, TemplateColumn
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid
from shuren.messaging.api import notify

NOTICE, NUMBER, NAME, SIGNER, DECISION, SIGNED_ON = "告知书", "人员编号", "姓名", "签字人", "决定", "签字日期"
COLUMNS = (NOTICE, NUMBER, NAME, SIGNER, DECISION, SIGNED_ON)
DECISIONS = {"同意": ConsentDecision.GIVEN, "不同意": ConsentDecision.REFUSED}
# A school's worth of papers; every answer is anchored and audited on its own.
MOST_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class _Paper:
    person_id: int
    person_name: str
    text: ConsentTextData
    side: DecidedAs
    signer_id: int
    decision: ConsentDecision
    signed_on: date | None
    change: str


@dataclass(slots=True)
class _Known:
    """What the rows are held against, asked for all of them at once."""

    ids: Mapping[str, int]
    within: set[int]
    subjects: Mapping[int, Subject]
    texts: Mapping[int, list[ConsentTextData]]
    guardians: Mapping[int, dict[int, str]]
    answers: Mapping[tuple[int, int, str], Consent]


@dataclass(slots=True)
class _Reader:
    """Rows of the file as papers; what is wrong goes to `findings`."""

    table: Table
    day: date
    findings: list[Finding] = field(default_factory=list)
    seen: set[tuple[int, int, DecidedAs]] = field(default_factory=set)

    def papers(self, *, actor: Actor, now: datetime) -> list[_Paper]:
        missing = [name for name in COLUMNS if name not in self.table.header]
        for name in missing:
            self._add(self.table.header_row, name, "", _("缺少这一列"), _("请按模板加上这一列。"))
        rows = [] if missing else self._rows()
        known = _known({self._value(row, NUMBER) for row in rows} - {""}, actor=actor, now=now)
        return [paper for row in rows if (paper := self._paper(row, known)) is not None]

    def _rows(self) -> list[Row]:
        rows: list[Row] = []
        for row in self.table.rows:
            self.findings += row.findings
            rows += [row] if any(row.values) else []
            if len(rows) > MOST_ROWS:
                self._add(row.number, "", "", _("一次最多 5,000 行"), _("请分成几个文件导入。"))
                return []
        return rows

    def _paper(self, row: Row, known: _Known) -> _Paper | None:
        person_id = known.ids.get(self._value(row, NUMBER))
        subject = known.subjects.get(person_id) if person_id in known.within and person_id is not None else None
        if subject is None:
            return self._refuse(row, NUMBER, _("没有找到这个人，或不归您管理"), _("请核对人员编号或学籍号。"))
        person = subject.person
        if person.name != self._value(row, NAME):
            return self._refuse(row, NAME, _("姓名与人员编号对不上"), _("请核对姓名和编号。"))
        texts = [text for text in known.texts.get(person.pk, ()) if text.title_zh == self._value(row, NOTICE)]
        if len(texts) != 1:
            reason = _("有几份告知书都叫这个名称") if texts else _("没有向这个人发布过这份告知书，或它已经停用")
            return self._refuse(row, NOTICE, reason, _("请照“告知书”页面上的标题填写，一字不差。"))
        decision = DECISIONS.get(self._value(row, DECISION))
        if decision is None:
            return self._refuse(row, DECISION, _("只能写“同意”或“不同意”"), _("请照纸上的选择填写。"))
        signed_on = day_written(self._value(row, SIGNED_ON))
        if signed_on is None and self._value(row, SIGNED_ON):
            return self._refuse(row, SIGNED_ON, _("不是日期"), _("请写成 2026-09-01 的样子；纸上没有日期的留空。"))
        if signed_on is not None and signed_on > self.day:
            return self._refuse(row, SIGNED_ON, _("签字日期在今天以后"), _("请照纸上的日期填写。"))
        signer = self._signer(row, subject, texts[0], known.guardians.get(person.pk, {}))
        if signer is None:
            return None
        return self._settled(row, subject, texts[0], signer, (decision, signed_on), known)

    def _signer(
        self, row: Row, subject: Subject, text: ConsentTextData, guardians: Mapping[int, str]
    ) -> tuple[int, DecidedAs] | None:
        person, name = subject.person, self._value(row, SIGNER)
        named = [id for id, said in guardians.items() if said == name] + ([person.pk] if person.name == name else [])
        if not named:
            self._refuse(row, SIGNER, _("签字人不是本人，也不是登记的监护人"), _("请核对姓名；新的监护人请先登记。"))
            return None
        needed = deciders(purpose=text.purpose, birth_date=person.birth_date, is_pupil=subject.is_pupil, day=self.day)
        for id in named:
            side = may_answer(actor_id=id, person_id=person.pk, guardian_ids=list(guardians), needed=needed)
            if side is not None:
                return id, side
        self._refuse(row, SIGNER, _("这一项不由签字人决定"), _("满 14 岁由本人决定，未满 14 岁由监护人决定。"))
        return None

    def _settled(
        self,
        row: Row,
        subject: Subject,
        text: ConsentTextData,
        signer: tuple[int, DecidedAs],
        answer: tuple[ConsentDecision, date | None],
        known: _Known,
    ) -> _Paper | None:
        person, (signer_id, side), (decision, signed_on) = subject.person, signer, answer
        if (person.pk, text.id, side) in self.seen:
            return self._refuse(row, NUMBER, _("同一个人的同一份告知书重复出现"), _("请删去多余的行。"))
        self.seen.add((person.pk, text.id, side))
        before = known.answers.get((person.pk, text.base_id, side.value))
        is_same = before is not None and before.decision == decision.value and before.text_id == text.id
        if before is not None and before.way == ConsentWay.PAGE.value and before.decision != decision.value:
            return self._refuse(row, DECISION, _("家长或本人已经在网上作出别的决定"), _("以网上的决定为准，请删去这一行。"))
        if before is not None and not is_same and signed_on and before.signed_on and signed_on < before.signed_on:
            return self._refuse(row, SIGNED_ON, _("已经录入过签字日期更晚的同意书"), _("以后签的为准，请删去这一行。"))
        change = "unchanged" if is_same else "changed" if before is not None else "added"
        return _Paper(person.pk, person.name, text, side, signer_id, decision, signed_on, change)

    def _value(self, row: Row, column: str) -> str:
        return row.values[self.table.header.index(column)].strip()

    def _refuse(self, row: Row, column: str, reason: str, remedy: str) -> _Paper | None:
        self._add(row.number, column, self._value(row, column), reason, remedy)
        return None

    def _add(self, number: int, column: str, value: str, reason: str, remedy: str) -> None:
        self.findings.append(Finding(self.table.file, self.table.sheet, number, column, value, reason, remedy))


def _known(numbers: set[str], *, actor: Actor, now: datetime) -> _Known:
    day = day_of(now)
    ids = person_ids_by_number(numbers)
    within = people_within(scope_of(actor=actor, permission=Permission.INVITE_GUARDIANS, now=now), set(ids.values()), day=day)
    guardians: defaultdict[int, dict[int, str]] = defaultdict(dict)
    links = GuardianLink.objects.visible().filter(current_q(day), ward_id__in=within).order_by("pk")
    for ward_id, guardian_id, name in links.values_list("ward_id", "guardian_id", "guardian__name"):
        guardians[ward_id][guardian_id] = name
    answers = {
        (row.person_id, row.base_id, row.decided_as): row for row in Consent.objects.filter(person_id__in=within, is_current=True)
    }
    return _Known(ids, within, subjects_of(within, day=day), asked_texts(within, now=now), guardians, answers)


def check_papers(*, import_id: int, now: datetime) -> Mapping[str, Any]:
    """Check every line of the file; nothing is written before all are right."""
    state = intake.import_state(import_id)
    papers: Sequence[_Paper] = ()
    try:
        reader = _reader(state, now)
        papers = reader.papers(actor=state.owner, now=now)
        findings = reader.findings
    except intake.UnreadableFile as error:
        findings = [error.finding]
    if not papers and not any(finding.is_error for finding in findings):
        findings.append(Finding(state.file_name, "", 0, "", "", _("文件里没有同意书"), _("请按模板填写后再上传。")))
    errors = intake.record_findings(import_id, findings)
    change = {name: sum(paper.change == name for paper in papers) for name in ("added", "changed", "unchanged")}
    intake.record_checked(
        import_id,
        counts={"consent": len(papers)},
        difference={"consent": {**change, "ended": 0}},
        is_acceptable=not errors,
    )
    return {"rows": len(papers), "errors": errors}


@transaction.atomic
def apply_papers(*, import_id: int, now: datetime) -> Mapping[str, Any]:
    """Write every answer or none, as the signers' own; who signed is told, and may take it back on the page.

    Refused when anything changed since the check, such as an answer given on the page meanwhile.
    """
    state = intake.import_state(import_id)
    if state.status == ImportStatus.APPLIED:
        return dict(state.counts)
    actor = state.owner
    people = {paper.person_id for paper in _reader(state, now).papers(actor=actor, now=now)}
    # An answer on the page waits for this lock too; only what is read behind it holds.
    list(Person.objects.select_for_update().filter(pk__in=people).order_by("pk").values_list("pk"))
    reader = _reader(state, now)
    papers = reader.papers(actor=actor, now=now)
    if any(finding.is_error for finding in reader.findings):
        raise Invalid(_("检查之后，有人作出了决定，或名册又有变化。"), remedy=_("请重新检查这个文件，再导入。"))
    texts = ConsentText.objects.in_bulk({paper.text.id for paper in papers})
    for paper in _fresh(papers):
        write_answer(
            actor=actor,
            row=texts[paper.text.id],
            person_id=paper.person_id,
            side=paper.side,
            decision=paper.decision,
            decided_by_id=paper.signer_id,
            now=now,
            way=ConsentWay.PAPER,
            signed_on=paper.signed_on,
        )
        _tell(paper, actor, now)
    counts = {"consent": len(papers)}
    intake.record_applied(import_id, counts, now=now)
    return counts


def _fresh(papers: Sequence[_Paper]) -> Iterator[_Paper]:
    return (paper for paper in papers if paper.change != "unchanged")


def _tell(paper: _Paper, actor: Actor, now: datetime) -> None:
    word = next(word for word, decision in DECISIONS.items() if decision is paper.decision)
    body = _("%(actor)s录入：%(name)s，“%(title)s”，%(word)s。如果和您签的不一样，请在“个人信息同意”里修改；同意随时可以撤回。")
    said = {"actor": actor.name, "name": paper.person_name, "title": paper.text.title_zh, "word": word}
    notify(person_ids=[paper.signer_id], title=_("学校录入了您签字的纸质同意书"), body=body % said, url="/consents/", now=now)


def papers_template() -> bytes:
    """The workbook to fill in: a line per paper."""
    widths = {NOTICE: 30, NUMBER: 20, NAME: 14, SIGNER: 14, DECISION: 10, SIGNED_ON: 14}
    columns = [
        TemplateColumn(name, widths[name], name != SIGNED_ON, tuple(DECISIONS) if name == DECISION else ()) for name in COLUMNS
    ]
    return intake.table_template(title="同意书", columns=columns, rows=MOST_ROWS)


def _reader(state: ImportState, now: datetime) -> _Reader:
    table = intake.open_table(intake.import_file(state.id), expected=COLUMNS, file_name=state.file_name)
    return _Reader(table, day_of(now), findings=list(table.findings))
