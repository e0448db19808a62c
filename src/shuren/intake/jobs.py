"""The steps of an import as jobs: the app that owns its kind does the work, intake keeps the state."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.intake.data import ImportStatus
from shuren.intake.rules.kinds import ImportKind, kind_named
from shuren.intake.selectors.imports import run_of
from shuren.intake.services.quarantine.lapse import lapse_rows
from shuren.intake.services.quarantine.send import note_rows_sent
from shuren.intake.services.record import record_checking, record_failed
from shuren.intake.services.sweep import sweep_strays
from shuren.intake.services.workbook import make_error_workbook
from shuren.kernel import clock
from shuren.kernel.errors import Invalid, NotFound, Refused
from shuren.work.api import enqueue, register_periodic
from shuren.work.data import JobContext


def check_import(job: JobContext, import_id: int) -> Mapping[str, Any] | None:
    """Have the kind check the file, then prepare the error workbook.

    A check that was killed after its last word runs again when the import may be a step further already.
    """
    result = None
    if run_of(import_id).job_id == job.job_id:
        record_checking(import_id)
        note_rows_sent(import_id)
        result = _run_step(job, import_id, _kind_of(import_id).check, ImportStatus.CHECKING)
    run = run_of(import_id)
    if run.error_count or run.warning_count:
        enqueue(
            "shuren.intake.jobs.write_error_workbook",
            {"import_id": import_id},
            key=f"intake:workbook:{import_id}",
            title=gettext_lazy("制作问题清单：%(file)s"),
            title_words={"file": run.file_name},
        )
    return result


def apply_import(job: JobContext, import_id: int) -> Mapping[str, Any] | None:
    return _run_step(job, import_id, _kind_of(import_id).apply, ImportStatus.APPLYING)


def write_error_workbook(job: JobContext, import_id: int) -> None:
    make_error_workbook(import_id, on_rows=job.progress)


def follow_end_of_job(job: JobContext, event_id: int, payload: Mapping[str, Any]) -> None:
    """A step that will not be tried again leaves its import failed, not busy for ever."""
    import_id = payload["args"].get("import_id")
    if payload["name"] in _STEPS and import_id is not None:
        run = run_of(import_id)
        if run.job_id == payload["job_id"] and run.status in _BUSY:
            record_failed(import_id, payload["error"] or _("任务已取消。"))


def sweep(job: JobContext) -> dict[str, int]:
    return {"swept": sweep_strays(now=clock.now()), "lapsed": lapse_rows(now=clock.now())}


_STEPS = {"shuren.intake.jobs.check_import", "shuren.intake.jobs.apply_import"}
_BUSY = {ImportStatus.UPLOADED, ImportStatus.CHECKING, ImportStatus.APPLYING}


def _kind_of(import_id: int) -> ImportKind:
    kind = run_of(import_id).kind
    registered = kind_named(kind)
    if registered is None:
        raise Invalid(_("没有“%(kind)s”这一类导入。") % {"kind": kind})
    return registered


def _run_step(job: JobContext, import_id: int, function: str, busy: ImportStatus) -> Mapping[str, Any] | None:
    try:
        result: Mapping[str, Any] | None = import_string(function)(job, import_id)
    except (Invalid, Refused, NotFound) as error:
        # Will not get better by itself: the import fails now, with the message that a person can act on.
        record_failed(import_id, str(error))
        return {"error": str(error)}
    if run_of(import_id).status == busy:
        record_failed(import_id, _("任务已取消。") if job.is_cancelled() else _("任务没有报告结果。"))
    return result


register_periodic("shuren.intake.jobs.sweep", timedelta(days=1))
