"""Timers of flows, every minute."""

from datetime import timedelta

from shuren.casework.services.timers import AT_ONCE
from shuren.casework.services.timers import fire_timers as fire
from shuren.kernel import clock
from shuren.work.api import register_periodic
from shuren.work.data import JobContext

register_periodic("shuren.casework.jobs.flows.fire_timers", timedelta(minutes=1))


def fire_timers(job: JobContext) -> dict[str, int]:
    """Let what is due happen, as long as there is something due."""
    fired = 0
    while count := fire(now=clock.now()):
        fired += count
        job.progress(fired)
        if count < AT_ONCE:
            break
    return {"timers": fired}
