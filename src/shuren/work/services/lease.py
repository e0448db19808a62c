"""Claiming a job, keeping it, and ending it: every write names the token of the claim."""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from shuren.kernel import events
from shuren.work.data import JobStatus
from shuren.work.models import Job
from shuren.work.rules import LEASE, PERIODIC_PREFIX, is_stranded_for_good, may_retry, wait_before


class LeaseLost(Exception):
    """The lease ran out and the job went back to the queue: whoever runs it now, it is no longer this worker."""


def claim_next(*, worker_name: str, now: datetime) -> Job | None:
    """Take the job that has been due longest, or None."""
    due = Job.objects.filter(status=JobStatus.QUEUED, run_after__lte=now)
    # A look without the write lock: an idle worker must not queue up with the writers of SQLite.
    if not due.exists():
        return None
    with transaction.atomic():
        job = due.order_by("run_after", "id").select_for_update(skip_locked=True).first()
        if job is None:
            return None
        job.status = JobStatus.RUNNING
        job.leased_by = f"{worker_name[:100]}:{secrets.token_hex(8)}"
        job.lease_until = now + LEASE
        job.attempt += 1
        job.started_at = job.started_at or now
        job.attempt_started_at = now
        job.done_before = job.done
        job.save(
            update_fields=[
                "status",
                "leased_by",
                "lease_until",
                "attempt",
                "started_at",
                "attempt_started_at",
                "done_before",
            ]
        )
        return job


def return_expired(*, now: datetime, except_tokens: Collection[str] = ()) -> int:
    """Send jobs whose worker fell silent back to the queue, or to their end if they keep killing workers."""
    expired = Job.objects.filter(status=JobStatus.RUNNING, lease_until__lt=now).exclude(leased_by__in=list(except_tokens))
    if not expired.exists():
        return 0
    with transaction.atomic():
        rows = list(expired.select_for_update(skip_locked=True).order_by("id")[:100])
        for job in rows:
            job.strandings += 1
            if job.cancel_requested_at:
                _end(job, JobStatus.CANCELLED, now=now)
            elif is_stranded_for_good(job.strandings):
                job.error = _("执行此任务的进程多次中断，已停止重试。")
                _end(job, JobStatus.FAILED, now=now)
            else:
                job.status = JobStatus.QUEUED
                job.leased_by = ""
                job.lease_until = None
                job.run_after = now
                job.save(update_fields=["status", "leased_by", "lease_until", "run_after", "strandings"])
        return len(rows)


def keep_lease(*, job_id: int, token: str, now: datetime, progress: Mapping[str, Any]) -> bool | None:
    """Extend the lease and write the progress; whether a person asked to stop, or None when the row is busy.

    The job's own transaction may hold the row after a checkpoint. That it is held proves the worker alive, and nobody
    else can take it away meanwhile (they skip locked rows), so waiting for it would only starve the other jobs.
    """
    with transaction.atomic():
        mine = Job.objects.filter(pk=job_id, leased_by=token, status=JobStatus.RUNNING)
        row = mine.select_for_update(skip_locked=True).values_list("cancel_requested_at", flat=True)[:1]
        found = list(row)
        if not found:
            if mine.exists():
                return None
            raise LeaseLost(job_id)
        mine.update(lease_until=now + LEASE, **progress)
        return found[0] is not None


def keep_state(*, job_id: int, token: str, now: datetime, state: Mapping[str, Any], progress: Mapping[str, Any]) -> None:
    """Write a checkpoint in the caller's transaction; a job that gets ahead is no longer suspected of killing workers."""
    changed = Job.objects.filter(pk=job_id, leased_by=token, status=JobStatus.RUNNING).update(
        state=dict(state), lease_until=now + LEASE, strandings=0, **progress
    )
    if not changed:
        raise LeaseLost(job_id)


@transaction.atomic
def record_done(
    *, job: Job, now: datetime, result: Mapping[str, Any] | None, progress: Mapping[str, Any], is_cancelled: bool
) -> None:
    """End a job that returned."""
    held = _held(job, progress)
    held.result = dict(result) if result is not None else None
    held.error = held.error_detail = ""
    _end(held, JobStatus.CANCELLED if is_cancelled else JobStatus.DONE, now=now)


@transaction.atomic
def record_failure(*, job: Job, now: datetime, error: str, detail: str, may_run_again: bool, progress: Mapping[str, Any]) -> bool:
    """Put a job that raised back into the queue with a pause, or end it; returns whether it ended."""
    held = _held(job, progress)
    held.failures += 1
    held.error = error[:2000]
    held.error_detail = detail[-8000:]
    if held.cancel_requested_at:
        _end(held, JobStatus.CANCELLED, now=now)
        return True
    if not (may_run_again and may_retry(failures=held.failures, max_attempts=held.max_attempts)):
        _end(held, JobStatus.FAILED, now=now)
        return True
    _requeue(held, now + wait_before(held.failures))
    return False


@transaction.atomic
def release(*, job: Job, now: datetime, progress: Mapping[str, Any]) -> None:
    """Put a job back because this worker is going home; it counts neither as a failure nor as a stranding."""
    _requeue(_held(job, progress), now)


def _held(job: Job, progress: Mapping[str, Any]) -> Job:
    held = Job.objects.select_for_update().filter(pk=job.pk, leased_by=job.leased_by, status=JobStatus.RUNNING).first()
    if held is None:
        raise LeaseLost(job.pk)
    for name, value in progress.items():
        setattr(held, name, value)
    return held


def _requeue(job: Job, run_after: datetime) -> None:
    job.status = JobStatus.QUEUED
    job.leased_by = ""
    job.lease_until = None
    job.run_after = run_after
    job.save()


def _end(job: Job, status: JobStatus, *, now: datetime) -> None:
    job.status = status
    job.leased_by = ""
    job.lease_until = None
    job.finished_at = now
    job.save()
    if status != JobStatus.DONE:
        name = "work.job_failed" if status == JobStatus.FAILED else "work.job_cancelled"
        payload = {"job_id": job.pk, "name": job.name, "args": job.args, "error": job.error}
        events.publish(name, payload, now=now)


@transaction.atomic
def sweep_finished(*, now: datetime, keep: timedelta, keep_periodic: timedelta, limit: int = 5000) -> int:
    """Forget jobs that ended more than `keep` ago, and periodic ones that went well after `keep_periodic`; returns how many."""
    ended = [JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED]
    old = Job.objects.filter(
        Q(status__in=ended, finished_at__lt=now - keep)
        | Q(status=JobStatus.DONE, finished_at__lt=now - keep_periodic, key__startswith=PERIODIC_PREFIX)
    )
    deleted, _by_model = Job.objects.filter(pk__in=list(old.order_by("id").values_list("pk", flat=True)[:limit])).delete()
    return deleted
