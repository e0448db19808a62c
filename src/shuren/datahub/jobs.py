"""The lake's housekeeping."""

from datetime import timedelta

from shuren.datahub.services.sweep import sweep
from shuren.kernel import clock
from shuren.work.api import register_periodic
from shuren.work.data import JobContext


def sweep_lake(job: JobContext) -> dict[str, int]:
    """Remove superseded snapshots and orphaned files past the grace."""
    swept = sweep(now=clock.now())
    return {"snapshots": swept.snapshots, "files": swept.files, "bytes": swept.bytes}


register_periodic("shuren.datahub.jobs.sweep_lake", timedelta(hours=1))
