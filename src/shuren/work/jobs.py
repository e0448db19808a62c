"""The queue's own upkeep."""

from datetime import timedelta

from shuren.kernel import clock
from shuren.work.data import JobContext
from shuren.work.rules import KEEP_FINISHED, KEEP_PERIODIC
from shuren.work.services.lease import sweep_finished
from shuren.work.services.loop import register_periodic


def sweep(job: JobContext) -> dict[str, int]:
    """Forget jobs that ended long ago."""
    total = 0
    while swept := sweep_finished(now=clock.now(), keep=KEEP_FINISHED, keep_periodic=KEEP_PERIODIC):
        total += swept
        job.progress(total)
    return {"swept": total}


register_periodic("shuren.work.jobs.sweep", timedelta(days=1))
