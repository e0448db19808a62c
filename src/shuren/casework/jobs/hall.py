"""Work of the hall beside the pages: news of cases, and messages that wait for a government platform."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from shuren.casework.services.hall import follow, outward
from shuren.kernel import clock
from shuren.work.api import register_periodic
from shuren.work.data import JobContext

register_periodic("shuren.casework.jobs.hall.send_outward", timedelta(minutes=1))
register_periodic("shuren.casework.jobs.hall.tell_items", timedelta(hours=1))


def follow_submitted(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Subscribed to `casework.case_submitted`."""
    told = follow.follow_submitted(case_id=payload["case_id"], is_again=bool(payload.get("again")), now=clock.now())
    return {"told": told}


def follow_decided(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Subscribed to `casework.case_decided`."""
    return {"told": follow.follow_decided(case_id=payload["case_id"], now=clock.now())}


def follow_closed(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Subscribed to `casework.case_closed`."""
    return follow.follow_closed(case_id=payload["case_id"], now=clock.now())


def send_outward(job: JobContext) -> dict[str, int]:
    """Send what waits for the platform."""
    return outward.send_waiting(now=clock.now())


def tell_items(job: JobContext) -> dict[str, int]:
    """Tell the platform of items that are new, or changed."""
    return {"told": outward.tell_items(now=clock.now())}
