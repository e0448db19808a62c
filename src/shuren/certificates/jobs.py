"""Work of certificates beside the pages: batches, lists of people from files, and terms that end."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from shuren.certificates.services import follow_people, take_list
from shuren.certificates.services.digital import remind_of_ends as remind
from shuren.certificates.services.give_batch import write_batch
from shuren.certificates.services.take_list import apply_list, check_list
from shuren.intake.api import register_kind
from shuren.kernel import clock
from shuren.work.api import register_periodic
from shuren.work.data import JobContext

__all__ = ["apply_list", "check_list", "end_shares", "follow_merge", "forget_failed", "give", "remind_of_ends"]

register_periodic("shuren.certificates.jobs.remind_of_ends", timedelta(days=1))
register_kind(
    "certificates",
    title=_("发证名单"),  # type: ignore[arg-type]  # the face takes a lazy translation too
    check="shuren.certificates.jobs.check_list",
    apply="shuren.certificates.jobs.apply_list",
)


def give(job: JobContext, batch_id: int) -> Mapping[str, int]:
    """Give what is left of a batch."""
    return {"certificate": write_batch(job, batch_id=batch_id, now=clock.now())}


def remind_of_ends(job: JobContext) -> dict[str, int]:
    """Tell holders of digital certificates that end within thirty days."""
    return {"told": remind(now=clock.now())}


def follow_merge(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Two entries were one person: certificates are theirs; subscribed to `directory.person_merged`."""
    kept_id, dropped_id = payload["kept_id"], payload["dropped_id"]
    return {"certificates": follow_people.follow_merge(kept_id=kept_id, dropped_id=dropped_id, now=clock.now())}


def end_shares(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Nobody is left to show certificates; subscribed to `directory.person_erased`."""
    return {"links": follow_people.end_shares(person_id=payload["person_id"], now=clock.now()) if payload["is_whole"] else 0}


def forget_failed(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """A list failed: what it had put together is dropped; subscribed to `intake.failed`."""
    return {"batches": take_list.forget_failed(payload["import_id"]) if payload["kind"] == "certificates" else 0}
