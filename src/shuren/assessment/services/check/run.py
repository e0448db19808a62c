"""The check of a results file from its first table to the staged outcome."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from shuren.assessment.data import ContextColumn
from shuren.assessment.models import Assessment
from shuren.assessment.rules.scoring import clashing_codes
from shuren.assessment.rules.tables import Grid, info_problem, read_codebook, read_info, read_items, row_of_setting
from shuren.assessment.rules.words import INFO_WORDS, ItemSpec, TableKind, TestInfo
from shuren.assessment.selectors.files import SourceTable
from shuren.assessment.selectors.packages import tables_of
from shuren.assessment.selectors.pupils import may_import_into, org_of_text, seating_of
from shuren.assessment.services.check.answers import AnswerCheck
from shuren.assessment.services.check.beside import TAKERS
from shuren.assessment.services.check.problems import Problems
from shuren.assessment.services.check.stage import Checked, change_against, stage, stage_folder
from shuren.directory.api import orgs_by_ids
from shuren.directory.data import OrgData
from shuren.intake.api import UnreadableFile, import_file, import_state, record_checked, record_findings
from shuren.intake.data import Finding
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.work.data import JobContext

Tables = Mapping[TableKind, SourceTable]


def check_results(job: JobContext, import_id: int) -> Mapping[str, Any]:
    """Check the whole file; stage it when nothing is wrong, and record what applying it would change."""
    state = import_state(import_id)
    path = import_file(import_id)
    problems = Problems()
    checked: Checked | None = None
    try:
        with tables_of(path, file_name=state.file_name) as (tables, findings):
            problems.extend(findings)
            checked = _Check(job, state.owner, tables, problems).run()
    except UnreadableFile as error:
        problems.add(error.finding._replace(file=error.finding.file if error.finding.file != path.name else state.file_name))
    _record(import_id, problems, state.file_name)
    if checked is None or problems.has_errors:
        counts: dict[str, Any] = {"pupils": checked.found.pupils if checked else 0, "items": len(checked.items) if checked else 0}
        record_checked(import_id, counts=counts, difference={}, is_acceptable=False)
        return counts
    job.progress(checked.found.pupils, checked.found.pupils, _("正在比较与现有数据的差异"))
    existing = Assessment.objects.filter(code=checked.info.code).first()
    change = change_against(existing, checked)
    outcome = stage(checked, change, existing.snapshot_id if existing else None, stage_folder(path))
    levels = [level for _org, _path, level, _pupils in outcome["participation"]]
    counts = {
        "assessment": checked.info.name,
        "items": len(checked.items),
        "pupils": checked.found.pupils,
        "classes": levels.count("class"),
        "schools": levels.count("school"),
    }
    record_checked(import_id, counts=counts, difference=asdict(change), is_acceptable=True)
    return counts


def _record(import_id: int, problems: Problems, file_name: str) -> None:
    record_findings(import_id, problems.found)
    if problems.more:
        reason = _("另有 %(more)d 处问题没有逐条列出") % {"more": problems.more}
        record_findings(
            import_id, [Finding(file_name, "", 0, "", "", reason, _("请先修改已列出的问题，再次上传。"))], is_more=True
        )


class _Check:
    """One pass through the tables, in the order in which one needs the other."""

    def __init__(self, job: JobContext, actor: Actor, tables: Tables, problems: Problems) -> None:
        self.job = job
        self.actor = actor
        self.tables = tables
        self.problems = problems
        self.info_grid = Grid("", "", [], [])

    def run(self) -> Checked | None:
        info = self._info()
        items = self._items(by_options=info.by_options if info else False)
        labels = self._labels()
        org = self._org(info) if info else None
        if info is not None:
            self._refuse_clashes(info, items)
        if info is None or org is None or not items or TableKind.RESPONSES not in self.tables:
            return None
        table = self.tables[TableKind.RESPONSES]
        seating = seating_of(org, date.fromisoformat(info.held_date))
        check = AnswerCheck(table, info, items, seating, self.problems)
        for rows in check.read():
            self.job.progress(rows, None, _("正在核对作答"))
        found = check.result
        if found is None:
            return None
        for kind, take in TAKERS.items():
            if kind in self.tables:
                self.job.progress(
                    found.pupils, None, _("正在核对%(table)s") % {"table": self.tables[kind].sheet or self.tables[kind].name}
                )
                take(self.tables[kind], found, self.problems)
        context = tuple(labels.get(name, ContextColumn(name)) for name in found.context)
        return Checked(info, items, org, seating, found, context)

    def _info(self) -> TestInfo | None:
        table = self.tables.get(TableKind.INFO)
        if table is None:
            return None
        self.info_grid = self._grid(table)
        info, findings = read_info(self.info_grid)
        self.problems.extend(findings)
        return info

    def _grid(self, table: SourceTable) -> Grid:
        grid, findings = table.grid()
        self.problems.extend(findings)
        return grid

    def _refuse_setting(self, key: str, value: str, reason: str, remedy: str) -> None:
        row = row_of_setting(self.info_grid, key)
        self.problems.add(info_problem(self.info_grid, row, INFO_WORDS[key].title, value, reason, remedy))

    def _refuse_clashes(self, info: TestInfo, items: tuple[ItemSpec, ...]) -> None:
        for code, item in clashing_codes(info.missing, items, by_options=info.by_options).items():
            key = next(key for key in ("omitted", "not_reached", "not_administered") if code in getattr(info.missing, key))
            remedy = _("题目 %(item)s 的作答中也会出现这个代码，请改用别的代码，如 99。") % {"item": item}
            self._refuse_setting(key, code, _("缺失代码与可能的作答相同"), remedy)

    def _items(self, *, by_options: bool) -> tuple[ItemSpec, ...]:
        table = self.tables.get(TableKind.ITEMS)
        if table is None:
            return ()
        items, findings = read_items(self._grid(table), by_options=by_options)
        self.problems.extend(findings)
        return () if findings else items

    def _labels(self) -> dict[str, ContextColumn]:
        table = self.tables.get(TableKind.CODEBOOK)
        if table is None:
            return {}
        labels, findings = read_codebook(self._grid(table))
        self.problems.extend(findings)
        return labels

    def _org(self, info: TestInfo) -> OrgData | None:
        now = clock.now()
        org = org_of_text(info.org)
        if org is None or not may_import_into(org, actor=self.actor, now=now):
            # Outside the actor's scope an org does not exist: one answer for both.
            remedy = _("请填写您有权导入成绩的机构的 sourcedId 或机构代码。")
            self._refuse_setting("org", info.org, _("没有找到这个机构"), remedy)
            return None
        existing = Assessment.objects.filter(code=info.code).values_list("org_id", flat=True).first()
        if existing is not None and not may_import_into(orgs_by_ids([existing])[existing], actor=self.actor, now=now):
            self._refuse_setting("code", info.code, _("测验代码已被使用"), _("请换一个测验代码。"))
            return None
        return org
