"""News of data that were measured."""

from collections.abc import Mapping
from typing import Any

from shuren.casework.services import route_quality
from shuren.kernel import clock
from shuren.work.data import JobContext


def route_findings(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Subscribed to `datahub.quality_measured`."""
    return route_quality.route_findings(dataset=payload["dataset"], now=clock.now(), tell=job.progress)
