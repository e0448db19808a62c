"""The face of the queue."""

from shuren.work.selectors import access_job, count_live, job_state, job_states, jobs
from shuren.work.services.loop import register_periodic, run_pending, wait_for, work_forever
from shuren.work.services.queue import cancel_job, enqueue

__all__ = [
    "access_job",
    "cancel_job",
    "count_live",
    "enqueue",
    "job_state",
    "job_states",
    "jobs",
    "register_periodic",
    "run_pending",
    "wait_for",
    "work_forever",
]
