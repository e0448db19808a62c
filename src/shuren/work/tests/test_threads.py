"""The pulse and the lanes, on connections of their own. Needs a database that several connections can share."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction

from shuren.kernel import clock
from shuren.work import api
from shuren.work.data import JobStatus
from shuren.work.models import Job
from shuren.work.services import lease, run

pytestmark = pytest.mark.django_db(transaction=True)
SAMPLE = "shuren.work.tests.sample_jobs"


def test_lanes_run_every_job_and_stop_when_told() -> None:
    ids = [api.enqueue(f"{SAMPLE}.note", {"number": number}) for number in range(20)]
    enough = threading.Event()
    watcher = threading.Timer(20, enough.set)
    watcher.start()

    def stop() -> bool:
        return enough.is_set() or not Job.objects.filter(pk__in=ids, status__in=["queued", "running"]).exists()

    api.work_forever("test", stop, poll_seconds=0.02, threads=1)
    watcher.cancel()
    assert {state.status for state in api.job_states(ids).values()} == {JobStatus.DONE}


def test_the_pulse_writes_progress_while_the_job_is_in_a_transaction() -> None:
    # SQLite has one writer at a time: there the pulse waits for the job's transaction and writes right after it.
    assert _progress_seen(in_transaction=connection.vendor != "sqlite") == 7


def _progress_seen(*, in_transaction: bool) -> int:
    api.enqueue(f"{SAMPLE}.note")
    job = lease.claim_next(worker_name="w", now=clock.now())
    assert job is not None
    Job.objects.filter(pk=job.pk).update(lease_until=clock.now() + timedelta(seconds=1))
    pulse = run.Pulse()
    pulse.start()
    running = run.RunningJob(job, pulses_inline=False)
    pulse.watch(running)
    try:
        if in_transaction:
            with transaction.atomic():
                Job.objects.filter(pk=0).update(done=1)
                running.progress(7, 10)
                return _wait_for_progress(job)
        running.progress(7, 10)
        return _wait_for_progress(job)
    finally:
        pulse.close()


def _wait_for_progress(job: Job) -> int:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        found = Job.objects.get(pk=job.pk)
        if found.done:
            assert found.lease_until is not None
            assert found.lease_until > clock.now() + timedelta(seconds=20)
            return found.done
        time.sleep(0.05)
    return 0
