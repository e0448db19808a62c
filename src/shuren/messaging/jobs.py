"""Jobs of messaging."""

from datetime import timedelta

from shuren.kernel import clock
from shuren.messaging.services import outbox
from shuren.work.api import register_periodic
from shuren.work.data import JobContext

_ATTEMPTS = 3

register_periodic("shuren.messaging.jobs.sweep_outbox", timedelta(days=1))


def deliver(job: JobContext, message_id: int) -> None:
    """Send one message of the outbox; tried three times."""
    outbox.deliver(message_id=message_id, is_last=job.attempt >= _ATTEMPTS, now=clock.now())


def sweep_outbox(job: JobContext) -> dict[str, int]:
    """Forget old messages."""
    return {"forgotten": outbox.sweep_outbox(now=clock.now())}
