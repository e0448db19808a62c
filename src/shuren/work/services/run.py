"""Running one claimed job: its context, its pulse and its end."""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.utils import translation
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from shuren.kernel import clock
from shuren.kernel.errors import Invalid, NotFound, Refused, ShurenError
from shuren.work.models import Job
from shuren.work.rules import BEAT, is_allowed_name
from shuren.work.services.lease import LeaseLost, keep_lease, keep_state, record_done, record_failure, release

logger = logging.getLogger(__name__)

_FLUSH_SECONDS = 0.5
_PAUSE = timedelta(seconds=_FLUSH_SECONDS)


class WorkerStopping(Exception):
    """The worker is going home; the job goes back to the queue and on from its last checkpoint."""


class RunningJob:
    """The `JobContext` of one claim.

    The job's own thread only leaves its progress here. A pulse on another connection writes it and keeps the lease, so
    that neither ever waits for, or breaks, a transaction of the job. Where a second connection cannot see the job (a
    test's transaction, a database in memory) `pulses_inline` lets the job's own connection write.
    """

    def __init__(self, job: Job, *, pulses_inline: bool, stop: Callable[[], bool] = bool) -> None:
        self.job = job
        self.state: dict[str, Any] = dict(job.state)
        self.has_seen_cancel = False
        self._pulses_inline = pulses_inline
        self._stop = stop
        self._lock = threading.Lock()
        self._done, self._total, self._note = job.done, job.total, job.note
        self._is_changed = False
        self._is_cancelled = job.cancel_requested_at is not None
        self._is_lost = False
        self._beat_at = self._look_at = time.monotonic()

    @property
    def job_id(self) -> int:
        return self.job.pk

    @property
    def attempt(self) -> int:
        return self.job.attempt

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        with self._lock:
            self._done = done
            self._total = self._total if total is None else total
            self._note = note[:200] or self._note
            self._is_changed = True
        self._go_on()

    def checkpoint(self, **state: Any) -> None:
        self._go_on()
        merged = {**self.state, **state}
        keep_state(job_id=self.job_id, token=self.job.leased_by, now=clock.now(), state=merged, progress=self.told_progress())
        self.state = merged

    def is_cancelled(self) -> bool:
        self._go_on()
        self.has_seen_cancel = self.has_seen_cancel or self._is_cancelled
        return self._is_cancelled

    def told_progress(self) -> dict[str, Any]:
        with self._lock:
            self._is_changed = False
            return {"done": self._done, "total": self._total, "note": self._note}

    def pulse(self) -> None:
        """Write what is new, at most twice a second, and keep the lease; called from the pulse's connection."""
        moment = time.monotonic()
        if self._is_lost or moment - self._look_at < _FLUSH_SECONDS:
            return
        is_due = moment - self._beat_at >= BEAT.total_seconds()
        self._look_at = moment
        try:
            seen = keep_lease(
                job_id=self.job_id,
                token=self.job.leased_by,
                now=clock.now(),
                progress=self.told_progress(),
            )
        except LeaseLost:
            self._is_lost = True
            return
        if seen is not None:
            self._beat_at = moment
            self._is_cancelled = self._is_cancelled or seen
        elif is_due:
            logger.debug("job %s holds its own row in a transaction", self.job_id)

    def _go_on(self) -> None:
        if self._pulses_inline and not _is_copying():
            self.pulse()
        if self._is_lost:
            raise LeaseLost(self.job_id)
        if self._stop():
            raise WorkerStopping


def _is_copying() -> bool:
    """Whether the connection is in the middle of a COPY: asked anything else now, it would wait for itself for ever."""
    raw = connection.connection if connection.vendor == "postgresql" else None
    return raw is not None and raw.info.transaction_status.name == "ACTIVE"


class Pulse(threading.Thread):
    """One thread per process that writes the progress of its running jobs and keeps their leases."""

    def __init__(self) -> None:
        super().__init__(name="job-pulse", daemon=True)
        self._running: dict[str, RunningJob] = {}
        self._lock = threading.Lock()
        self._is_over = threading.Event()

    def watch(self, running: RunningJob) -> None:
        with self._lock:
            self._running[running.job.leased_by] = running

    def forget(self, running: RunningJob) -> None:
        with self._lock:
            self._running.pop(running.job.leased_by, None)

    @property
    def tokens(self) -> list[str]:
        with self._lock:
            return list(self._running)

    def run(self) -> None:
        while not self._is_over.wait(_PAUSE.total_seconds()):
            with self._lock:
                watched = list(self._running.values())
            for running in watched:
                try:
                    running.pulse()
                    self.after_beat(running.job)
                except DatabaseError:
                    logger.warning("could not extend the lease of job %s", running.job_id, exc_info=True)
                    connection.close()
        connection.close()

    def after_beat(self, job: Job) -> None:
        """Called after each look at a job; a subclass may tell somebody."""

    def close(self) -> None:
        self._is_over.set()
        self.join(timeout=5)


def run_job(job: Job, *, pulse: Pulse | None, stop: Callable[[], bool] = bool) -> None:
    """Run a claimed job to its end, its failure or its return to the queue; raises nothing that the job raised."""
    running = RunningJob(job, pulses_inline=pulse is None, stop=stop)
    if pulse is not None:
        pulse.watch(running)
    try:
        _run(running)
    except LeaseLost:
        logger.warning("job %s was taken over by another worker", job)
    finally:
        if pulse is not None:
            pulse.forget(running)


def _run(running: RunningJob) -> None:
    job = running.job
    try:
        with translation.override(job.language or translation.get_language()):
            if not is_allowed_name(job.name):
                raise Invalid(_("任务名称不合法：%(name)s") % {"name": job.name})
            result = import_string(job.name)(running, **job.args)
    except LeaseLost:
        raise
    except WorkerStopping:
        release(job=job, now=clock.now(), progress=running.told_progress())
    except Exception as error:  # noqa: BLE001  # whatever a job raises must end up in its row, not end the worker
        _record_error(running, error)
    else:
        record_done(
            job=job,
            now=clock.now(),
            result=_plain(result),
            progress=running.told_progress(),
            is_cancelled=running.has_seen_cancel,
        )


def _record_error(running: RunningJob, error: Exception) -> None:
    is_expected = isinstance(error, ShurenError)
    if is_expected:
        text = str(error)
    else:
        told = {"kind": type(error).__name__, "id": running.job_id}
        text = _("程序内部出错（%(kind)s）。请把任务编号 %(id)s 告诉管理员。") % told
        logger.error("job %s failed", running.job, exc_info=error)
    record_failure(
        job=running.job,
        now=clock.now(),
        error=text,
        detail="".join(traceback.format_exception(error)),
        may_run_again=not isinstance(error, Invalid | Refused | NotFound),
        progress=running.told_progress(),
    )


def _plain(result: object) -> Mapping[str, Any] | None:
    return result if isinstance(result, Mapping) else None
