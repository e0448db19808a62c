"""New editions of code sets from files: read whole, held against what is in force and in use, taken by one switch."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from shuren.front import selectors
from shuren.intake import api as intake
from shuren.intake.data import FileForm, Finding, ImportStatus, Row, Table, TemplateColumn
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.standards import api as standards
from shuren.standards.data import Authority, Break, BreakKind, CodeSetData, EditionRow, SetDraft
from shuren.work.data import JobContext

TABLE, TABLE_NAME, CODE, NAME, NAME_EN = "代码表", "代码表名称", "代码", "名称", "英文名称"
FORMER, BEGIN, END, REPLACED_BY, AUTHORITY, REFERENCE = "原名称", "开始日期", "结束日期", "被取代为", "性质", "依据"
_ENGLISH = {
    TABLE: "table",
    TABLE_NAME: "table_name",
    CODE: "code",
    NAME: "name",
    NAME_EN: "name_en",
    FORMER: "former_name",
    BEGIN: "begin",
    END: "end",
    REPLACED_BY: "replaced_by",
    AUTHORITY: "authority",
    REFERENCE: "reference",
}
COLUMNS = tuple(_ENGLISH)
_AUTHORITIES = {"国家": Authority.NATIONAL, "行业": Authority.INDUSTRY, "地方": Authority.LOCAL}
_TABLE_FORM = re.compile(r"[a-z][a-z0-9_]{0,29}(\.[a-z][a-z0-9_]{0,29})?")
_CODE_FORM = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.\-]{0,39}")
_DATE_FORM = re.compile(r"([0-9]{4})[-/.]?([0-9]{1,2})[-/.]?([0-9]{1,2})")
MAX_ROWS = 200_000
BODY = "edition.json"


@dataclass(slots=True)
class EditionReader:
    """A file read row by row into drafts of code sets; what is wrong goes to `findings`."""

    known: Mapping[str, CodeSetData]
    file_name: str
    findings: list[Finding] = field(default_factory=list)
    drafts: dict[str, SetDraft] = field(default_factory=dict)
    rows: int = 0

    def read(self, table: Table) -> None:
        places = _places(table.header)
        self.findings += table.findings
        for name in (TABLE, CODE, NAME):
            if name not in places:
                remedy = _("请按模板加上这一列。")
                self.findings.append(Finding(self.file_name, table.sheet, table.header_row, name, "", _("缺少这一列"), remedy))
        if any(name not in places for name in (TABLE, CODE, NAME)):
            return
        for row in table.rows:
            self.findings += row.findings
            if any(row.values):
                self.rows += 1
                if self.rows > MAX_ROWS:
                    raise Invalid(_("文件超过 20 万行。"), remedy=_("请分成几个版本，分别导入。"))
                _Line(self, table, row, places).take()

    def refuse(self, sheet: str, row: int, column: str, value: str, reason: str, remedy: str) -> None:
        self.findings.append(Finding(self.file_name, sheet, row, column, value, reason, remedy))


@dataclass(slots=True)
class _Line:
    reader: EditionReader
    table: Table
    row: Row
    places: Mapping[str, int]

    def take(self) -> None:
        draft = self._draft()
        if draft is None:
            return
        code, name = self._text(CODE), self._text(NAME)
        begin, end = self._day(BEGIN), self._day(END)
        if not code:
            self._end_set(draft, end)
        elif not _CODE_FORM.fullmatch(code):
            self._refuse(CODE, _("代码只能用字母、数字、点、横线和下划线，至多 40 位"), _("请核对标准原文。"))
        elif not name:
            self._refuse(NAME, _("必填，没有值"), _("请填写代码的名称。"))
        elif len(name) > 120:
            self._refuse(NAME, _("超过 120 个字"), _("请用标准中的名称。"))
        elif code in draft.rows:
            self._refuse(CODE, _("同一个代码表里重复出现"), _("每个代码只能一行，请删去多余的行。"))
        elif begin and end and end <= begin:
            self._refuse(END, _("结束日期不晚于开始日期"), _("结束日期是不再有效的第一天。"))
        else:
            draft.rows[code] = EditionRow(
                sheet=self.table.sheet,
                row=self.row.number,
                code=code,
                name_zh=name,
                name_en=self._text(NAME_EN)[:120],
                former_name=self._text(FORMER),
                begin=begin,
                end=end,
                replaced_by=self._text(REPLACED_BY),
            )

    def _draft(self) -> SetDraft | None:
        """The draft of the set that the row belongs to; a set may be called as the standard calls it, without `jyt.`."""
        told = self._text(TABLE).lower()
        if not _TABLE_FORM.fullmatch(told):
            self._refuse(TABLE, _("没有代码表，或写法不对"), _("请写代码表的代号，如 jyt.xl；在“数据标准”页上可以查到。"))
            return None
        known = told if told in self.reader.known else f"jyt.{told}"
        code = standards.same_as(known)
        if code not in self.reader.known:
            code = told
        draft = self.reader.drafts.get(code)
        if draft is None:
            draft = self.reader.drafts[code] = SetDraft(code, self.table.sheet, self.row.number)
        draft.name_zh = draft.name_zh or self._text(TABLE_NAME)[:120]
        draft.reference = draft.reference or self._text(REFERENCE)[:200]
        authority = self._text(AUTHORITY)
        if authority and draft.authority is None:
            draft.authority = _AUTHORITIES.get(authority) or next((one for one in Authority if one.value == authority), None)
            if draft.authority is None:
                self._refuse(AUTHORITY, _("不在可用的值之中"), _("请写国家、行业或地方。"))
        if code not in self.reader.known and not draft.name_zh:
            self._refuse(
                TABLE_NAME, _("没有这个代码表；新的代码表要有名称"), _("请核对代号；确是新表的，请在第一行填写代码表名称。")
            )
        return draft

    def _end_set(self, draft: SetDraft, end: date | None) -> None:
        if end is None:
            self._refuse(CODE, _("必填，没有值"), _("请填写代码；要停用整个代码表的，代码留空并填写结束日期。"))
        else:
            draft.ends_on = end

    def _day(self, column: str) -> date | None:
        text = self._text(column)
        if not text:
            return None
        found = _DATE_FORM.fullmatch(text.split(" ")[0].split("T")[0])
        if found:
            try:
                return date(*(int(part) for part in found.groups()))
            except ValueError:
                pass
        self._refuse(column, _("应为 2026-09-01 这样的日期"), _("请改成年-月-日。"))
        return None

    def _text(self, column: str) -> str:
        place = self.places.get(column)
        return self.row.values[place].strip() if place is not None and place < len(self.row.values) else ""

    def _refuse(self, column: str, reason: str, remedy: str) -> None:
        self.reader.refuse(self.table.sheet, self.row.number, column, self._text(column), reason, remedy)


def edition_template() -> bytes:
    widths = {TABLE: 16, TABLE_NAME: 20, NAME: 28, NAME_EN: 28, FORMER: 20, REFERENCE: 24}
    required = {TABLE, CODE, NAME}
    columns = [
        TemplateColumn(name, widths.get(name, 12), name in required, tuple(_AUTHORITIES) if name == AUTHORITY else ())
        for name in COLUMNS
    ]
    return intake.table_template(title=_("代码集新版本"), columns=columns)


def check_edition(job: JobContext, import_id: int) -> Mapping[str, Any]:
    """Read the file whole and hold it against what is in force and in use; nothing changes yet."""
    state, now = intake.import_state(import_id), clock.now()
    base = standards.editions_base()
    try:
        reader = read_edition(intake.import_file(import_id), state.file_name)
        findings = reader.findings
        after = examined(reader, on=clock.day_of(now)) if not _has_errors(findings) else Examined()
    except intake.UnreadableFile as error:
        findings, after = [error.finding], Examined()
    errors = intake.record_findings(import_id, findings)
    (intake.import_dir(import_id) / BODY).write_text(standards.body_of(after.code_sets), encoding="utf-8")
    intake.record_checked(
        import_id,
        counts={"code_set": len(after.code_sets), "code": after.codes},
        difference={**after.difference, "base": base, "breaks": after.breaks},
        is_acceptable=not errors,
    )
    return {"code_sets": len(after.code_sets), "errors": errors}


def apply_edition(job: JobContext, import_id: int) -> Mapping[str, Any]:
    """Take the checked edition; a killed run completes its switch when it runs again."""
    state, now = intake.import_state(import_id), clock.now()
    if state.status is ImportStatus.APPLIED:
        return dict(state.counts)
    refuse_others(state.owner, now)
    try:
        number = standards.take_edition(
            actor=state.owner,
            title=state.file_name,
            code_sets=standards.sets_in(intake.import_dir(import_id) / BODY),
            base=state.difference["base"],
            counts={name: state.counts[name] for name in ("code_set", "code")},
            breaks=state.difference["breaks"],
            import_id=import_id,
            now=now,
        )
    except Conflict as error:
        raise Invalid(error.message, remedy=error.remedy) from error
    counts = {"code_set": state.counts["code_set"], "code": state.counts["code"], "edition": number}
    intake.record_applied(import_id, counts, now=now)
    return counts


def undo_edition(*, actor: Actor, number: int, now: datetime) -> None:
    """Take an edition out of force, and with it the import that brought it."""
    refuse_others(actor, now)
    taken = standards.edition(number)
    standards.undo_edition(actor=actor, number=number, now=now)
    if taken.import_id is not None and intake.import_state(taken.import_id).status is ImportStatus.APPLIED:
        intake.record_undone(taken.import_id, actor=actor, now=now)


def undo_edition_import(*, actor: Actor, import_id: int, now: datetime) -> None:
    taken = standards.edition_of_import(import_id)
    if taken is None:
        raise NotFound(_("没有这个版本。"))
    undo_edition(actor=actor, number=taken.number, now=now)


def refuse_others(actor: Actor, now: datetime) -> None:
    if not actor.is_system and not selectors.may_take_editions(actor, now=now):
        raise Refused(_("您当前的身份不能导入这类数据。"))


@dataclass(slots=True)
class Examined:
    """What an edition that was read comes to."""

    code_sets: list[CodeSetData] = field(default_factory=list)
    difference: dict[str, Any] = field(default_factory=dict)
    breaks: dict[str, int] = field(default_factory=dict)
    codes: int = 0


def read_edition(path: Path, file_name: str) -> EditionReader:
    """Every sheet of the file that has rows."""
    reader = EditionReader(standards.known_code_sets(), file_name)
    expected = [*COLUMNS, *_ENGLISH.values()]
    sheets: list[str | None] = [None] if intake.form_of(path) is FileForm.TEXT else [*intake.sheet_names(path)]
    for sheet in sheets:
        table = intake.open_table(path, sheet=sheet, expected=expected, file_name=file_name, is_optional=len(sheets) > 1)
        if table.header:
            reader.read(table)
    if not reader.rows and not reader.findings:
        reader.refuse("", 0, "", "", _("文件里没有代码"), _("请按模板填写后再上传。"))
    return reader


def examined(reader: EditionReader, *, on: date) -> Examined:
    """What the edition breaks, as findings, and the sets once it is taken."""
    found = Examined()
    own, hidden = standards.sets_of_platform(), standards.sets_of_region()
    total = {"code_set": _nothing(), "code": _nothing()}
    held = 0
    for code, draft in reader.drafts.items():
        current = reader.known.get(code)
        users = [use.element for use in standards.uses_of_code_set(code) if use.kind == "element"]
        for one in standards.breaks_of(
            draft,
            current,
            on=on,
            is_own=code in own,
            is_hidden=code in hidden,
            used_by=users,
            counted=standards.counted_uses,
        ):
            found.breaks[one.kind.value] = found.breaks.get(one.kind.value, 0) + 1
            reader.findings.append(_finding(one, reader.file_name))
        after = standards.set_after(draft, current, on=on)
        changed = standards.changes(after, current)
        for name, count in changed.items():
            total["code"][name] += count
        is_same = current is not None and not (changed["added"] or changed["changed"] or changed["ended"])
        total["code_set"]["unchanged" if is_same else "changed" if current else "added"] += 1
        held += len(current.codes) if current else 0
        found.codes += len(after.codes)
        if not is_same:
            found.code_sets.append(after)
    found.difference = {**total}
    if total["code"]["ended"]:
        found.difference |= {
            "guards": [{"kind": "code", "ended": total["code"]["ended"], "held": held}],
            "needs_confirmation": True,
        }
    return found


def _finding(one: Break, file_name: str) -> Finding:
    reason, remedy, column = {
        BreakKind.CODE_GONE: (
            _("新版本里没有这个代码，还在有效期内"),
            _("采用后它到今天为止，以前的数据仍读得出它的名称。"),
            CODE,
        ),
        BreakKind.CODE_ENDS: (
            _("代码要结束，还有数据在用，又没有接替的代码"),
            _("请写明被取代为哪个代码，或先改数据。"),
            END,
        ),
        BreakKind.RENAMED: (_("代码改了名称"), _("意思不变才可以改名；意思变了要用新的代码。"), NAME),
        BreakKind.REUSED: (
            _("代码换了意思"),
            _("代码的意思永远不变：请用新的代码；只是改名的，请写明原名称。"),
            NAME,
        ),
        BreakKind.NO_SUCCESSOR: (_("接替的代码不在这个表里"), _("请核对“被取代为”。"), REPLACED_BY),
        BreakKind.CIRCLE: (_("代码互相接替，成了圈"), _("请核对“被取代为”。"), REPLACED_BY),
        BreakKind.SET_GONE: (_("代码表要停用，还有数据项在用"), _("请先给这些数据项换代码表。"), TABLE),
        BreakKind.OWN_SET: (_("这是平台自己的代码集，不能由标准版本改变"), _("请去掉这个代码表。"), TABLE),
        BreakKind.HIDDEN: (
            _("本地区的文件里有这个代码集，以它为准"),
            _("采用后看不到变化；要用新版本，请去掉本地区的文件。"),
            TABLE,
        ),
    }[one.kind]
    return Finding(file_name, one.sheet if one.row else "", one.row, column, one.value, reason, remedy, one.is_error)


def _places(header: list[str]) -> Mapping[str, int]:
    lowered = [name.strip().lower() for name in header]
    found = {}
    for name, english in _ENGLISH.items():
        place = next((place for place, one in enumerate(lowered) if one in (name, english)), None)
        if place is not None:
            found[name] = place
    return found


def _nothing() -> dict[str, int]:
    return {"added": 0, "changed": 0, "ended": 0, "unchanged": 0}


def _has_errors(findings: list[Finding]) -> bool:
    return any(finding.is_error for finding in findings)
