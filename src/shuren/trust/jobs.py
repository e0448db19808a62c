"""Work of proof that runs beside the pages: the evidence log grows, sealed values are sealed anew."""

from datetime import timedelta

from django.conf import settings

from shuren.kernel import clock
from shuren.trust.services.log.archiving import archive_trail
from shuren.trust.services.log.delivering import deliver_heads
from shuren.trust.services.log.growing import grow_log
from shuren.trust.services.log.trail import anchor_trail
from shuren.trust.services.log.witnessing import anchor_witnessing
from shuren.trust.services.reseal import reseal_column as reseal
from shuren.work.api import register_periodic
from shuren.work.data import JobContext


def take_up_entries(job: JobContext) -> dict[str, int]:
    """Anchor the audit trail, take waiting entries up and sign a head: twice a minute, so that nothing waits longer than one."""
    audited = anchor_trail(now=clock.now())
    anchor_witnessing(now=clock.now())
    return {"audited": audited, "size": grow_log(now=clock.now(), on_progress=job.progress)}


def send_heads(job: JobContext) -> dict[str, int]:
    """Send the newest head to witnesses and places elsewhere that have not got it."""
    return deliver_heads(now=clock.now())


def archive_old_trail(job: JobContext) -> dict[str, int]:
    """Move audit entries that have been kept long enough into the archive."""
    return archive_trail(now=clock.now())


register_periodic("shuren.trust.jobs.archive_old_trail", timedelta(days=1))
register_periodic("shuren.trust.jobs.take_up_entries", timedelta(seconds=30))
if settings.SHUREN_EVIDENCE_WITNESSES or settings.SHUREN_EVIDENCE_ANCHORS:
    register_periodic("shuren.trust.jobs.send_heads", timedelta(seconds=30))


def reseal_column(job: JobContext, *, model: str, column: str) -> dict[str, int]:
    """Bring the sealed values of one column to the present secret."""
    return reseal(job, model=model, column=column)
