"""Check a roster from end to end, and leave the stage ready for `apply_roster`."""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from shuren.directory.data import RosterForm
from shuren.directory.models import PendingRoster
from shuren.directory.rules.roster import checks
from shuren.directory.rules.roster.kinds import AFFILIATION, COURSE, ENROLLMENT, KINDS, LINK, ORG, PERSON, SESSION, STAGED
from shuren.directory.rules.roster.workbook import Sheet
from shuren.directory.selectors.roster import unmapped
from shuren.directory.services.check_roster import derive, difference
from shuren.directory.services.check_roster.hands import check_exclusions, check_own_roles, part_offices
from shuren.directory.services.check_roster.held import make_known_views, pull_held, pull_numbers
from shuren.directory.services.check_roster.messages import Problem, finding_of, finding_of_file
from shuren.directory.services.check_roster.one_source import check_one_source
from shuren.directory.services.check_roster.package import load_package
from shuren.directory.services.check_roster.quarantine import LeftOut, demographics_check
from shuren.directory.services.check_roster.recall import Remembered, find_remembered
from shuren.directory.services.check_roster.scope import check_people, check_scope, reach_of
from shuren.directory.services.check_roster.staging import FINDINGS_PER_RULE, Source, Stage, remove_stage
from shuren.directory.services.check_roster.workbook import is_complete, load_workbook
from shuren.directory.services.warn_codes import org_faults
from shuren.intake.api import (
    import_file,
    import_state,
    record_checked,
    record_findings,
    set_aside,
    too_many_to_quarantine,
)
from shuren.intake.data import Finding, ImportState
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict
from shuren.kernel.scope import outermost
from shuren.standards import api as standards

STEPS = 8
_ZIP_MAGIC = b"PK"
_CODES = ("code", "division_code", "credit_code")


@dataclass(slots=True)
class Checking:
    """What one check has come to so far; `known` when lines that an earlier package said were passed over.

    `left_out` is what the rounds before set aside, None where a file is taken whole or not at all.
    """

    stage: Stage
    form: RosterForm
    left_out: LeftOut | None = None
    file_problems: list[Problem] = field(default_factory=list)
    known: Remembered | None = None
    errors: int = 0


def check_roster(*, import_id: int, now: datetime, on_progress: Callable[[int, int], None]) -> dict[str, Any]:
    """Stage and check the file of an import, record findings and difference; the stage stays if it may be applied.

    Where that is wanted, rows with errors and what leans on them are set aside, and the rest may be applied without them.
    """
    if PendingRoster.objects.exclude(import_id=import_id).exists():
        raise Conflict(_("另一份名册正在导入，请稍后再试。"))
    path = import_file(import_id)
    folder = path.parent
    state = import_state(import_id)
    left_out = LeftOut(reach_of(state.owner, now)) if state.quarantines else None
    try:
        told = _check_rounds(path, state, left_out, now, on_progress)
        if told is not None and left_out is not None and left_out.found:
            kept = set_aside(import_id, left_out.rows(path, state.file_name, folder / "unpacked"), now=now)
            told = ({**told[0], "quarantined": kept}, told[1])
    except BaseException:
        remove_stage(folder)
        raise
    finally:
        shutil.rmtree(folder / "unpacked", ignore_errors=True)
    if told is None:
        remove_stage(folder)
    counts, changes = told or ({}, {})
    is_acceptable = told is not None
    standards.keep_refusals(now=now)
    record_checked(import_id, counts=counts, difference=changes, is_acceptable=is_acceptable, now=now)
    on_progress(STEPS, STEPS)
    return {"is_acceptable": is_acceptable, "counts": counts}


def _check_rounds(
    path: Path, state: ImportState, left_out: LeftOut | None, now: datetime, on_progress: Callable[[int, int], None]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Check until nothing more is to be set aside; counts and difference, or None for what may not be applied."""
    while True:
        with unmapped(), Stage.open(path.parent, is_new=True) as stage:
            result = _check(Checking(stage, _form_of(path), left_out), path, state, now, on_progress)
            if left_out is not None and not left_out.is_too_much and left_out.take(stage, result.file_problems):
                continue
            record_findings(state.id, _findings(result))
            if result.errors or any(problem.is_error for problem in result.file_problems):
                return None
            counts, changes = difference.summary(stage)
            if left_out is not None and left_out.found and (left_out.is_too_much or not any(counts.values())):
                return None
            derive.seal_national_ids(stage)
            stage.duck.execute("CHECKPOINT")
            return counts, changes


def _check(result: Checking, path: Path, state: ImportState, now: datetime, on_progress: Callable[[int, int], None]) -> Checking:
    stage, actor = result.stage, state.owner
    _load(result, path, state, now)
    problems = result.file_problems
    on_progress(1, STEPS)
    _check_cells(result)
    on_progress(2, STEPS)
    _derive(result)
    on_progress(3, STEPS)
    if any(problem.is_error for problem in problems):
        return result
    day = day_of(now).isoformat()
    paths = _pull(result, day)
    on_progress(5, STEPS)
    result.errors += stage.run(checks.reference_checks())
    result.errors += check_scope(stage, actor, now=now)
    result.errors += check_exclusions(stage, now=now) + check_own_roles(stage, actor, now=now)
    # Whether a person may be changed is asked of those who are, among all other faults of the file.
    for kind in (PERSON, LINK):
        difference.compare(stage, kind)
    result.errors += check_people(stage, actor, now=now, day=day)
    result.errors += check_one_source(stage, PERSON, actor, now=now)
    on_progress(6, STEPS)
    if not result.errors:
        _differ(result, _full_files(result, path, state), paths, actor, now)
    on_progress(7, STEPS)
    return result


def _load(result: Checking, path: Path, state: ImportState, now: datetime) -> None:
    """Stage the file, but for what an earlier package said word for word, or an earlier round set aside."""
    stage, left_out, shown = result.stage, result.left_out, state.file_name
    if result.form is RosterForm.ONEROSTER:
        known = find_remembered(reach_of(state.owner, now)) if left_out is None else None
        result.file_problems = list(load_package(stage, path, path.parent / "unpacked", shown, known=known))
        if stage.value("SELECT count(*) FROM passed"):
            result.known = known
            pull_numbers(stage)
    else:
        result.file_problems = list(load_workbook(stage, path, shown))
    if left_out is not None:
        left_out.take_out(stage)
        result.file_problems = left_out.without_told(result.file_problems)
        result.errors += stage.run([demographics_check()])


def _differ(result: Checking, bulk: frozenset[str], paths: list[str], actor: Actor, now: datetime) -> None:
    for kind in KINDS:
        if kind not in (PERSON, LINK):
            difference.compare(result.stage, kind)
    result.errors += check_one_source(result.stage, ORG, actor, now=now)
    result.errors += part_offices(result.stage, actor, now=now)
    day = day_of(now).isoformat()
    for kind in KINDS:
        condition = difference.missing_condition(kind, bulk=bulk, paths=paths)
        difference.find_missing(result.stage, kind, condition, paths=paths, day=day)


def _form_of(path: Path) -> RosterForm:
    with path.open("rb") as file:
        start = file.read(4096)
    is_workbook = path.suffix.lower() in {".xlsx", ".xlsm", ".xls", ".ods"} or b"[Content_Types].xml" in start
    is_package = start.startswith(_ZIP_MAGIC) or path.suffix.lower() == ".zip"
    return RosterForm.ONEROSTER if is_package and not is_workbook else RosterForm.EXCEL


def _check_cells(result: Checking) -> None:
    stage = result.stage
    filled = [table for table in STAGED if stage.value(f"SELECT count(*) FROM {table}")]
    found: list[checks.Check] = [*checks.cell_checks(filled), *checks.period_checks(), *checks.number_checks()]
    for table in filled:
        cells = ", ".join(("sid", *STAGED[table]))
        if stage.value(f"SELECT count(*) FROM {table} WHERE regexp_matches(concat_ws('', {cells}), '[\\x00-\\x1f\\x7f]')"):
            found += checks.character_checks(table)
    for src, source in enumerate(stage.sources):
        table = source.spec.table
        if isinstance(source.spec, Sheet):
            for column in source.spec.columns:
                staged = "affiliation" if column.cell.startswith("a_") else table
                if column.is_required:
                    found.append(checks.required(staged, column.cell.removeprefix("a_"), src))
            if source.spec.name == "教职工":
                found += [checks.required("affiliation", cell, src) for cell in ("role", "org")]
        else:
            found += [checks.required(table, "sid", src)]
            found += [
                checks.required(table, _required_cell(source.spec.cells[heading]), src) for heading in _required_headings(source)
            ]
            found += checks.status_checks(table, src, is_delta=source.is_delta)
    result.errors += stage.run(found)
    _check_org_codes(stage)


def _required_headings(source: Source) -> list[str]:
    """Our own export says in an extension column that a person has no user name, and writes the id in the standard one."""
    return [heading for heading in source.spec.required if heading != "username" or "metadata.username" not in source.headings]  # type: ignore[union-attr]  # only of packages


def _required_cell(cell: str) -> str:
    return "role" if cell == "roster_role" else cell


def _check_org_codes(stage: Stage) -> None:
    """Codes that other registers issue are judged by their standards, in Python: orgs with codes are few."""
    found: defaultdict[str, list[tuple[int, int, str, str]]] = defaultdict(list)
    rows = stage.rows(f"SELECT src, row, type, {', '.join(_CODES)} FROM org WHERE concat({', '.join(_CODES)}) <> ''")
    for src, row, kind, *values in rows:
        codes = dict(zip(_CODES, values, strict=True))
        for cell, fault in org_faults(kind=kind, **codes).items():
            found[cell].append((src, row, codes[cell], fault))
    for cell, faulty in found.items():
        stage.keep_findings(checks.Check("org_code", "org", cell, sql="", is_error=False), faulty[:FINDINGS_PER_RULE])


def _derive(result: Checking) -> None:
    stage = result.stage
    if result.form is RosterForm.EXCEL:
        result.errors += stage.run([derive.excel_name_check()])
        derive.keep_first_rows(stage)
    derive.settle_people(stage)
    if result.form is RosterForm.ONEROSTER:
        derive.drop_placeholders(stage)
        derive.link_guardians(stage)
    result.errors += stage.run(checks.duplicate_check(table) for table in ("session", "org", "course", "person"))


def _pull(result: Checking, day: str) -> list[str]:
    """Bring the held rows; returns the branches that the file speaks of."""
    stage = result.stage
    for kind in (SESSION, COURSE, ORG):
        pull_held(stage, kind, paths=(), day=day)
    derive.root_lone_branch(stage)
    paths = difference.branches_of(stage)
    around = difference.named_branches(stage) if result.form is RosterForm.EXCEL else []
    for kind, branches in ((PERSON, paths), *((tie, outermost([*paths, *around])) for tie in (AFFILIATION, ENROLLMENT, LINK))):
        pull_held(stage, kind, paths=branches, day=day, only=result.known.unsaid(kind) if result.known else None)
    for table in ("affiliation", "enrollment"):
        if result.form is RosterForm.EXCEL:
            derive.name_ties(stage, table)
        result.errors += stage.run([checks.duplicate_check(table)])
    make_known_views(stage)
    return paths


def _full_files(result: Checking, path: Path, state: ImportState) -> frozenset[str]:
    """The OneRoster names of what the file lists in full: nothing where rows are missing from it because they were set aside."""
    if state.is_sent_again or (result.left_out is not None and result.left_out.found):
        return frozenset()
    if result.form is RosterForm.ONEROSTER:
        return frozenset(source.file.removesuffix(".csv") for source in result.stage.sources if not source.is_delta)
    if not is_complete(path):
        return frozenset()
    sheets = {source.sheet for source in result.stage.sources}
    full = {"orgs"} if "机构" in sheets else set()
    full |= {"classes"} if "班级" in sheets else set()
    if {"教职工", "学生", "家长"} <= sheets:
        full |= {"users", "roles"}
        full |= {"enrollments"} if "任课" in sheets else set()
    return frozenset(full)


def _findings(result: Checking) -> Iterator[Finding]:
    for problem in result.file_problems:
        yield finding_of_file(problem)
    if result.left_out is not None:
        yield from result.left_out.findings()
        if result.left_out.is_too_much:
            yield too_many_to_quarantine("")
    sources = result.stage.sources
    rows = result.stage.duck.execute(
        "SELECT DISTINCT src, row, staged, cell, value, rule, detail, is_error FROM finding ORDER BY is_error DESC, "
        "src, row, cell"
    )
    while batch := rows.fetchmany(10_000):
        for src, row, table, cell, value, rule, detail, is_error in batch:
            yield finding_of(
                sources[src],
                row=row,
                table=table,
                cell=cell,
                value=value or "",
                rule=rule,
                detail=detail or "",
                is_error=is_error,
            )
