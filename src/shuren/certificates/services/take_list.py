"""A list of people from a file, checked whole before one certificate is given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.certificates.data import Recipient
from shuren.certificates.models import Batch, Template
from shuren.certificates.rules.wording import checked_values
from shuren.certificates.selectors.templates import current_of, usable_templates
from shuren.certificates.services.give_batch import (
    drop_batches,
    drop_unstarted,
    keep_items,
    open_batch,
    start_batch,
    unstarted_of,
)
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.intake import api as intake
from shuren.intake.data import Finding, ImportState, ImportStatus, Row, Table, TemplateColumn
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound
from shuren.work.data import JobContext

TEMPLATE, NUMBER, NAME, ORG = "证书", "人员编号", "姓名", "颁发机构代码"
REQUIRED = (TEMPLATE, NUMBER, NAME)
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class _Line:
    row: Row
    org: OrgData
    template: Template
    person_id: int
    values: dict[str, str]


@dataclass(slots=True)
class _Reader:
    """Rows of the file as certificates to give; what is wrong goes to `findings`."""

    actor: Actor
    now: datetime
    table: Table
    findings: list[Finding] = field(default_factory=list)
    orgs: dict[str, OrgData | None] = field(default_factory=dict)
    templates: dict[int, dict[str, Template]] = field(default_factory=dict)
    seen: set[tuple[int, int, int]] = field(default_factory=set)

    def lines(self) -> Iterator[_Line]:
        waiting: list[Row] = []
        for row in self.table.rows:
            self.findings += row.findings
            if any(row.values):
                waiting.append(row)
            if len(waiting) >= _AT_ONCE:
                yield from self._checked(waiting)
                waiting = []
        yield from self._checked(waiting)

    def missing_columns(self) -> list[str]:
        return [name for name in REQUIRED if name not in self.table.header]

    def _value(self, row: Row, column: str) -> str:
        if column not in self.table.header:
            return ""
        return row.values[self.table.header.index(column)].strip()

    def _checked(self, rows: Sequence[Row]) -> Iterator[_Line]:
        numbers = {self._value(row, NUMBER) for row in rows} - {""}
        found = directory.person_ids_by_number(numbers)
        within = directory.people_within(
            actor=self.actor, person_ids=list(found.values()), permission=Permission.ISSUE_CERTIFICATES, now=self.now
        )
        names = {id: one.name for id, one in directory.people_by_ids(within).items()}
        for row in rows:
            line = self._line(row, found.get(self._value(row, NUMBER)), names)
            if line is not None:
                yield line

    def _line(self, row: Row, person_id: int | None, names: Mapping[int, str]) -> _Line | None:
        org = self._org(self._value(row, ORG))
        if org is None:
            return self._refused(row, ORG, _("您不能以这个机构的名义发证"), _("请核对机构代码；留空则用您所在的机构。"))
        template = self._templates(org).get(self._value(row, TEMPLATE))
        if template is None:
            return self._refused(row, TEMPLATE, _("没有这个证书模板"), _("请填写模板的名称，一字不差。"))
        if person_id is None or person_id not in names:
            return self._refused(row, NUMBER, _("没有找到这个人，或不归您管理"), _("请核对人员编号。"))
        if names[person_id] != self._value(row, NAME):
            return self._refused(row, NAME, _("姓名与人员编号对不上"), _("请核对姓名和编号。"))
        key = (org.id, template.pk, person_id)
        if key in self.seen:
            return self._refused(row, NUMBER, _("同一个人重复出现"), _("每种证书每人只能一行，请删去多余的行。"))
        self.seen.add(key)
        fields = current_of(template).fields
        try:
            values = checked_values({name: self._value(row, name) for name in fields}, fields)
        except Invalid as error:
            return self._refused(row, TEMPLATE, error.message, error.remedy)
        return _Line(row, org, template, person_id, values)

    def _refused(self, row: Row, column: str, reason: str, remedy: str) -> _Line | None:
        value = self._value(row, column)
        self.findings.append(Finding(self.table.file, self.table.sheet, row.number, column, value, reason, remedy))
        return None

    def _org(self, code: str) -> OrgData | None:
        if code not in self.orgs:
            self.orgs[code] = self._org_found(code)
        return self.orgs[code]

    def _org_found(self, code: str) -> OrgData | None:
        scope = directory.scope_of(actor=self.actor, permission=Permission.ISSUE_CERTIFICATES, now=self.now)
        if code:
            ids = directory.org_ids_by_code([code])
            found = directory.orgs_by_ids(ids.values())
        else:
            found = directory.orgs_by_ids([int(path.rstrip("/").rsplit("/", 1)[-1]) for path in scope.paths[:1]])
        return next((org for org in found.values() if scope.covers(org.path)), None)

    def _templates(self, org: OrgData) -> dict[str, Template]:
        if org.id not in self.templates:
            self.templates[org.id] = {template.name: template for template in usable_templates(org)}
        return self.templates[org.id]


def check_list(job: JobContext, import_id: int) -> Mapping[str, Any]:
    """Check every row of the list; nothing is given before all are right."""
    state = intake.import_state(import_id)
    groups: dict[tuple[int, int], int] = {}
    try:
        table = _opened(state)
        reader = _Reader(state.owner, clock.now(), table, findings=list(table.findings))
        missing = reader.missing_columns()
        if missing:
            remedy = _("请按模板加上这一列。")
            reader.findings += [
                Finding(table.file, table.sheet, table.header_row, name, "", _("缺少这一列"), remedy) for name in missing
            ]
        else:
            for done, line in enumerate(reader.lines(), 1):
                key = (line.org.id, line.template.pk)
                groups[key] = groups.get(key, 0) + 1
                job.progress(done)
        findings = reader.findings
    except intake.UnreadableFile as error:
        findings = [error.finding]
    total = sum(groups.values())
    if not total and not any(finding.is_error for finding in findings):
        findings.append(Finding(state.file_name, "", 0, "", "", _("名单里没有人"), _("请按模板填写后再上传。")))
    errors = intake.record_findings(import_id, findings)
    change = {"added": total, "changed": 0, "ended": 0, "unchanged": 0}
    plans = [[org_id, template_id, count] for (org_id, template_id), count in groups.items()]
    intake.record_checked(
        import_id, counts={"certificate": total}, difference={"certificate": change, "plans": plans}, is_acceptable=not errors
    )
    return {"rows": total, "errors": errors}


def apply_list(job: JobContext, import_id: int) -> Mapping[str, Any]:
    """Start one batch per template and org, all or none; the batches' own jobs give the certificates.

    Batches are filled a thousand lines at a time, so that nobody else waits long to write, and started together at the
    end. What a killed run had filled is dropped and filled anew.
    """
    state = intake.import_state(import_id)
    if state.status == ImportStatus.APPLIED:
        return dict(state.counts)
    now = clock.now()
    drop_unstarted(import_id)
    try:
        batches = _filled_batches(job, state, now)
    except (Invalid, NotFound):
        drop_unstarted(import_id)
        raise
    counts = {"certificate": state.counts["certificate"]}
    with transaction.atomic():
        for batch in batches:
            start_batch(batch, actor=state.owner, now=now)
        intake.record_applied(import_id, counts, now=now)
    return {**counts, "batches": [batch.pk for batch in batches]}


def forget_failed(import_id: int) -> int:
    """Drop what a list that failed had filled; returns how many batches. Applied again meanwhile, it is left alone."""
    filled = unstarted_of(import_id)
    # Looked at after the batches: whatever was opened before was opened by a run that has failed.
    if intake.import_state(import_id).status is not ImportStatus.FAILED:
        return 0
    drop_batches(filled)
    return len(filled)


def _filled_batches(job: JobContext, state: ImportState, now: datetime) -> list[Batch]:
    """A batch per plan of the check, with its people in it; raises `Invalid` where the list says something else now."""
    actor, plans = state.owner, {(org_id, template_id): count for org_id, template_id, count in state.difference["plans"]}
    with transaction.atomic():
        batches = {
            (org_id, template_id): open_batch(actor=actor, org_id=org_id, template_id=template_id, import_id=state.id, now=now)
            for org_id, template_id in plans
        }
    reader, kept = _Reader(actor, now, _opened(state)), dict.fromkeys(plans, 0)
    lines, done = reader.lines(), 0
    while some := list(islice(lines, _AT_ONCE)):
        with transaction.atomic():
            for key, people in _by_plan(some).items():
                if key not in batches:
                    raise _changed()
                keep_items(batches[key], people)
                kept[key] += len(people)
        done += len(some)
        job.progress(done, state.counts["certificate"])
    if kept != plans or any(finding.is_error for finding in reader.findings):
        raise _changed()
    return list(batches.values())


def _by_plan(lines: Sequence[_Line]) -> dict[tuple[int, int], list[Recipient]]:
    found: dict[tuple[int, int], list[Recipient]] = {}
    for line in lines:
        found.setdefault((line.org.id, line.template.pk), []).append(Recipient(line.person_id, line.values))
    return found


def _changed() -> Invalid:
    return Invalid(_("检查之后，名单里的人或模板又有变化。"), remedy=_("请重新检查这个文件，再导入。"))


def list_template() -> bytes:
    """The workbook to fill in: a line per person, and a column of its name for every field of one's own."""
    names = {TEMPLATE: 24, NUMBER: 18, NAME: 14, ORG: 18, _("自填项的名称"): 20}
    columns = [TemplateColumn(name, width, is_required=name in REQUIRED) for name, width in names.items()]
    return intake.table_template(title=_("发证名单"), columns=columns)


def _opened(state: ImportState) -> Table:
    return intake.open_table(intake.import_file(state.id), expected=REQUIRED, file_name=state.file_name)
