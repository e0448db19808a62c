"""What happens to an import after it came in: every step checked, audited and published."""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.intake.data import Finding, ImportStatus
from shuren.intake.models import ImportRun
from shuren.intake.rules.kinds import kind_named
from shuren.intake.rules.limits import FINDINGS_KEPT, GROUPS_KEPT, MAX_CELL_CHARS
from shuren.intake.rules.status import may_become
from shuren.intake.selectors.findings import error_workbook_file, findings_file
from shuren.intake.selectors.imports import run_of
from shuren.intake.services.set_aside import forget_pending, show_quarantined, take_back_quarantined
from shuren.kernel import audit, clock, events
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict
from shuren.work import api as work

_VALUE_CHARS = 200
_TITLES = {
    "check_import": gettext_lazy("检查%(kind)s：%(file)s"),
    "apply_import": gettext_lazy("导入%(kind)s：%(file)s"),
}


@transaction.atomic
def record_checking(import_id: int) -> None:
    """The check begins, for the first time or again."""
    run = _moved(import_id, ImportStatus.CHECKING)
    run.error = ""
    run.save()


def record_findings(import_id: int, findings: Iterable[Finding], *, is_more: bool = False) -> int:
    """Keep what was found, streamed to a file; replaces what an earlier run found unless `is_more`.

    Returns how many errors there are now. Beyond 100,000 findings only the counts go on.
    """
    run = run_of(import_id)
    path = findings_file(import_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    groups = {(group["column"], group["reason"], group["is_error"]): dict(group) for group in run.groups} if is_more else {}
    numbers = {key: number for number, key in enumerate(groups)}
    kept = sum(group["kept"] for group in groups.values())
    draft = path.with_suffix(".draft")
    draft.write_bytes(path.read_bytes() if is_more and path.exists() else b"")
    with draft.open("a", encoding="utf-8") as lines:
        for finding in findings:
            key = _group_key(finding, groups)
            group = groups.get(key)
            if group is None:
                group = groups[key] = _new_group(key, finding)
                numbers[key] = len(numbers)
            group["count"] += 1
            if kept < FINDINGS_KEPT:
                kept += 1
                group["kept"] += 1
                # Whoever cannot open the file knows it by the name it is kept under only.
                file = run.file_name if finding.file == run.stored_name else finding.file
                short = finding._replace(file=file, value=_clean(finding.value), column=_clean(finding.column))
                lines.write(f"{numbers[key]}\t{json.dumps(short, ensure_ascii=False)}\n")
        lines.flush()
        os.fsync(lines.fileno())
    with transaction.atomic():
        draft.replace(path)
        error_workbook_file(import_id).unlink(missing_ok=True)
        errors: int = sum(group["count"] for group in groups.values() if group["is_error"])
        warnings = sum(group["count"] for group in groups.values() if not group["is_error"])
        ImportRun.objects.filter(pk=import_id).update(groups=list(groups.values()), error_count=errors, warning_count=warnings)
    return errors


@transaction.atomic
def record_checked(
    import_id: int,
    *,
    counts: Mapping[str, Any],
    difference: Mapping[str, Any],
    is_acceptable: bool,
    now: datetime | None = None,
) -> None:
    """The check is over: ready to apply, or rejected; publishes `intake.checked`."""
    now = now or clock.now()
    run = _moved(import_id, ImportStatus.READY if is_acceptable else ImportStatus.REJECTED)
    run.counts, run.difference, run.checked_at, run.error = dict(counts), dict(difference), now, ""
    run.save()
    _tell(run, "intake.checked", SYSTEM, now, {"is_acceptable": is_acceptable, "errors": run.error_count})


@transaction.atomic
def request_check(*, actor: Actor, import_id: int, now: datetime, quarantine: bool | None = None) -> int:
    """Have the same file checked again, against what stands now; returns the job's id.

    With `quarantine` the good rows will be ready to apply and the others kept; None leaves that as it was asked before.
    """
    run = _moved(import_id, ImportStatus.CHECKING, waits=True)
    if quarantine is not None:
        registered = kind_named(run.kind)
        if quarantine and not (registered and registered.quarantines):
            raise Conflict(_("这类文件要么全部写入，要么一条也不写。"))
        run.options = {**run.options, "quarantine": quarantine}
    forget_pending(run)
    run.job_id = enqueue_step("check_import", run, actor)
    run.save()
    _tell(run, "intake.check_requested", actor, now, {})
    return run.job_id


@transaction.atomic
def request_apply(*, actor: Actor, import_id: int, now: datetime) -> int:
    """Apply a ready import; returns the job's id. Asking twice is answered with a conflict."""
    run = _moved(import_id, ImportStatus.APPLYING, waits=True)
    run.job_id = enqueue_step("apply_import", run, actor)
    run.save()
    _tell(run, "intake.apply_requested", actor, now, {})
    return run.job_id


@transaction.atomic
def record_applied(import_id: int, counts: Mapping[str, Any], *, now: datetime | None = None) -> None:
    """The import is in, for everybody to see, and what it left out waits in quarantine; publishes `intake.applied`."""
    now = now or clock.now()
    run = _moved(import_id, ImportStatus.APPLIED)
    run.counts, run.applied_at = {**run.counts, **counts}, now
    run.save()
    show_quarantined(run, now=now)
    _tell(run, "intake.applied", SYSTEM, now, {"counts": dict(counts)})


@transaction.atomic
def record_failed(import_id: int, error: str, *, now: datetime | None = None) -> None:
    """The check or the applying broke off; nothing of it is in. Publishes `intake.failed`."""
    now = now or clock.now()
    run = _moved(import_id, ImportStatus.FAILED)
    run.error = error[:2000]
    run.save()
    _tell(run, "intake.failed", SYSTEM, now, {"error": run.error})


@transaction.atomic
def record_undone(import_id: int, *, actor: Actor = SYSTEM, now: datetime | None = None) -> None:
    """The kind has taken the applied import back; publishes `intake.undone`."""
    now = now or clock.now()
    run = _moved(import_id, ImportStatus.UNDONE)
    run.undone_at = now
    run.save()
    take_back_quarantined(run, actor=actor, now=now)
    _tell(run, "intake.undone", actor, now, {})


def _moved(import_id: int, following: ImportStatus, *, waits: bool = False) -> ImportRun:
    """The locked row in its next state; `waits` means that a person asks and must not ask twice."""
    ImportRun.objects.select_for_update().filter(pk=import_id).first()
    run = run_of(import_id)
    current = ImportStatus(run.status)
    if not may_become(current, following) or (waits and current == following):
        raise Conflict(_("这次导入现在不能做这一步。"), remedy=_("请刷新页面，看看它的最新状态。"))
    run.status = following.value
    return run


def enqueue_step(job: str, run: ImportRun, actor: Actor) -> int:
    """Queue a job of this import; that there is only one is seen to by the state it moved into."""
    registered = kind_named(run.kind)
    return work.enqueue(
        f"shuren.intake.jobs.{job}",
        {"import_id": run.pk},
        title=_TITLES[job],
        title_words={"kind": registered.title if registered else run.kind, "file": run.file_name},
        actor=actor,
    )


def _tell(run: ImportRun, name: str, actor: Actor, now: datetime, details: Mapping[str, Any]) -> None:
    audit.record(actor=actor, action=name, target=f"import:{run.pk}", details={"kind": run.kind, **details}, now=now)
    events.publish(name, {"import_id": run.pk, "kind": run.kind, **details}, now=now)


def _group_key(finding: Finding, groups: Mapping[Any, Any]) -> tuple[str, str, bool]:
    key = (_clean(finding.column), _clean(finding.reason), finding.is_error)
    if key in groups or len(groups) < GROUPS_KEPT:
        return key
    return ("", _("其他问题"), finding.is_error)


def _new_group(key: tuple[str, str, bool], finding: Finding) -> dict[str, Any]:
    return {"column": key[0], "reason": key[1], "remedy": finding.remedy, "is_error": key[2], "count": 0, "kept": 0}


def _clean(text: str) -> str:
    """Short, and free of what a database or a line of JSON cannot hold."""
    return text[: min(_VALUE_CHARS, MAX_CELL_CHARS)].replace("\x00", "␀").encode("utf-8", "replace").decode()
