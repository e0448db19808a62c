"""The worker: turns events into jobs, keeps the periodic ones coming, and runs what is due."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from shuren.kernel import clock, events
from shuren.kernel.models import Event
from shuren.work.data import JobState, JobStatus
from shuren.work.models import Job
from shuren.work.rules import PERIODIC_PREFIX, is_allowed_name, slot_of
from shuren.work.selectors import job_state
from shuren.work.services.lease import claim_next, return_expired
from shuren.work.services.queue import enqueue
from shuren.work.services.run import Pulse, run_job

logger = logging.getLogger(__name__)

_EVENTS_AT_ONCE = 200
_UPKEEP_SECONDS = 5.0
_periodic: dict[str, timedelta] = {}
_last_slots: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class _Lane:
    """What one lane of a worker works with; `pulse` is None where no second connection can see its jobs."""

    worker_name: str
    stop: Callable[[], bool]
    pulse: Pulse | None


def register_periodic(name: str, every: timedelta) -> None:
    """Have the job `name` run once in every period of this length, whichever worker gets to it first."""
    if not is_allowed_name(name):
        raise ValueError(f"job {name!r} is not a function of shuren")
    _periodic[name] = every


def dispatch_events(*, now: datetime) -> int:
    """Turn undispatched events into one job per subscriber, in one transaction; returns how many events."""
    if not Event.objects.filter(dispatched_at__isnull=True).exists():
        return 0
    with transaction.atomic():
        waiting = events.undispatched(_EVENTS_AT_ONCE)
        for event in waiting:
            for job in events.subscribers(event.name):
                enqueue(job, {"event_id": event.pk, "payload": event.payload}, key=f"event:{event.pk}:{job}", is_once=True)
        events.mark_dispatched([event.pk for event in waiting], now=now)
    return len(waiting)


def enqueue_periodic(*, now: datetime) -> None:
    offset = timezone.localtime(now).utcoffset() or timedelta()
    # A module that another thread is importing may register its own meanwhile.
    for name, every in tuple(_periodic.items()):
        slot = slot_of(now, every, utc_offset=offset)
        if _last_slots.get(name) != slot:
            enqueue(name, key=f"{PERIODIC_PREFIX}{name}:{slot}", is_once=True)
            _last_slots[name] = slot


def run_pending(
    limit: int | None = None,
    *,
    on_progress: Callable[[JobState], None] | None = None,
    stop: Callable[[], bool] = bool,
) -> int:
    """Run what is due in this process until nothing is (or `limit` jobs have run); returns how many ran.

    For tests, commands and the demo. Jobs that wait for a later time, such as a retry's pause, stay.
    """
    pulse = _new_pulse(on_progress)
    lane = _Lane(worker_name=f"here:{os.getpid()}", stop=stop, pulse=pulse)
    ran = 0
    try:
        while (limit is None or ran < limit) and not stop():
            job = _run_one(lane)
            if job is None:
                break
            ran += 1
            if on_progress:
                on_progress(job_state(job.pk))
    finally:
        if pulse is not None:
            pulse.close()
    return ran


def wait_for(
    job_id: int,
    *,
    on_progress: Callable[[JobState], None] | None = None,
    timeout: timedelta | None = None,
    poll_seconds: float = 0.3,
    works_here: bool = True,
) -> JobState:
    """Wait until the job has ended; raises `TimeoutError` after `timeout`.

    While it waits it works the queue itself, one job at a time, so that a command ends whether or not there is a
    worker; with `works_here=False` it only watches.
    """
    deadline = time.monotonic() + timeout.total_seconds() if timeout else None

    def tell(state: JobState) -> None:
        if on_progress and state.id == job_id:
            on_progress(state)

    while True:
        state = job_state(job_id)
        tell(state)
        if not state.is_live:
            return state
        if deadline is not None and time.monotonic() >= deadline:
            raise TimeoutError(f"job {job_id} is still {state.status}")
        has_run = works_here and state.status == JobStatus.QUEUED and run_pending(1, on_progress=tell)
        if not has_run:
            time.sleep(poll_seconds)


def work_forever(
    worker_name: str = "",
    stop: Callable[[], bool] = bool,
    *,
    poll_seconds: float = 0.2,
    threads: int = 2,
) -> None:
    """Work until `stop()`; jobs that are running then go back to the queue at their next `progress`.

    Two lanes by default, so that a long evaluation does not keep a notice or a small import waiting.
    """
    name = worker_name or f"{socket.gethostname()}:{os.getpid()}"
    pulse = Pulse()
    pulse.start()
    lanes = [
        threading.Thread(
            target=_work_lane,
            args=(_Lane(worker_name=f"{name}:{number}", stop=stop, pulse=pulse), poll_seconds),
            name=f"job-lane-{number}",
            daemon=True,
        )
        for number in range(1, threads + 1)
    ]
    for lane in lanes:
        lane.start()
    try:
        for lane in lanes:
            lane.join()
    finally:
        pulse.close()


def _work_lane(lane: _Lane, poll_seconds: float) -> None:
    upkeep_at = 0.0
    while not lane.stop():
        try:
            if time.monotonic() >= upkeep_at:
                enqueue_periodic(now=clock.now())
                upkeep_at = time.monotonic() + _UPKEEP_SECONDS
            has_run = _run_one(lane) is not None
        except DatabaseError:
            # The database may be restarting; what this lane held comes back by its lease.
            logger.exception("worker %s lost the database", lane.worker_name)
            connection.close()
            time.sleep(max(poll_seconds, 1.0))
            continue
        if not has_run:
            connection.close_if_unusable_or_obsolete()
            time.sleep(poll_seconds)
    connection.close()


def _run_one(lane: _Lane) -> Job | None:
    dispatch_events(now=clock.now())
    return_expired(now=clock.now(), except_tokens=lane.pulse.tokens if lane.pulse else ())
    job = claim_next(worker_name=lane.worker_name, now=clock.now())
    if job is not None:
        run_job(job, pulse=lane.pulse, stop=lane.stop)
    return job


class _TellingPulse(Pulse):
    """A pulse that also tells the caller of `run_pending` how far the jobs are."""

    def __init__(self, on_progress: Callable[[JobState], None]) -> None:
        super().__init__()
        self._on_progress = on_progress

    def after_beat(self, job: Job) -> None:
        self._on_progress(job_state(job.pk))


def _new_pulse(on_progress: Callable[[JobState], None] | None) -> Pulse | None:
    if connection.in_atomic_block or _is_in_memory():
        return None
    pulse = _TellingPulse(on_progress) if on_progress else Pulse()
    pulse.start()
    return pulse


def _is_in_memory() -> bool:
    return connection.vendor == "sqlite" and "mode=memory" in str(connection.settings_dict["NAME"])
