"""Reads of the queue."""

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.work.data import JobState, JobStatus
from shuren.work.models import Job
from shuren.work.rules import rate_of, said_title, seconds_left


def job_state(job_id: int) -> JobState:
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise NotFound(_("没有找到这个任务。"))
    return _state(job, clock.now())


def job_states(job_ids: list[int]) -> dict[int, JobState]:
    now = clock.now()
    return {job.pk: _state(job, now) for job in Job.objects.filter(pk__in=job_ids)}


def access_job(*, actor: Actor, id: int, may_see_all: bool = False) -> JobState:
    state = job_state(id)
    if not (may_see_all or actor.is_system or is_owner(actor, state.owner_account_id)):
        raise NotFound(_("没有找到这个任务。"))
    return state


def is_owner(actor: Actor, owner_account_id: int | None) -> bool:
    return actor.account_id is not None and actor.account_id == owner_account_id


def jobs(
    *,
    actor_account_id: int | None = None,
    status: JobStatus | None = None,
    with_upkeep: bool = True,
    number: int = 1,
    size: int = 20,
) -> Page[JobState]:
    """Jobs, newest first; upkeep are those nobody gave a title, left out unless they failed."""
    rows: QuerySet[Job] = Job.objects.order_by("-id")
    if actor_account_id is not None:
        rows = rows.filter(owner_account_id=actor_account_id)
    if status is not None:
        rows = rows.filter(status=status)
    if not with_upkeep:
        rows = rows.exclude(~Q(status=JobStatus.FAILED), title="")
    now = clock.now()
    return page_of(rows, lambda job: _state(job, now), number=number, size=size)


def count_live() -> int:
    """Jobs waiting or running, for `doctor` and the jobs page."""
    return Job.objects.filter(status__in=[JobStatus.QUEUED, JobStatus.RUNNING]).count()


def _state(job: Job, now: datetime) -> JobState:
    until = job.finished_at or now
    rate = rate_of(done=job.done, done_before=job.done_before, since=job.attempt_started_at, until=until)
    is_running = job.status == JobStatus.RUNNING
    return JobState(
        id=job.pk,
        name=job.name,
        title=said_title(job.title, job.title_words) or job.name.rsplit(".", 1)[-1],
        status=JobStatus(job.status),
        done=job.done,
        total=job.total,
        note=job.note,
        result=job.result,
        error=job.error,
        attempt=job.attempt,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        rate=rate,
        seconds_left=seconds_left(done=job.done, total=job.total, rate=rate) if is_running else None,
        owner_account_id=job.owner_account_id,
        is_cancelling=is_running and job.cancel_requested_at is not None,
    )
