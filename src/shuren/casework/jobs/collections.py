"""Jobs of collections: make the rows of orgs, tell and urge their fillers, issue the next, freeze, stop what was called off."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from shuren.casework.services.collections import freeze, issue, repeat, stop, urge, workbook
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.work.api import register_periodic
from shuren.work.data import JobContext

register_periodic("shuren.casework.jobs.collections.issue_next_collections", timedelta(days=1))


def issue_targets(job: JobContext, collection_id: int) -> dict[str, int]:
    """Make the row of every org that is asked; goes on where it was killed."""
    return {"orgs": issue.issue_targets(collection_id=collection_id, on_progress=job.progress, now=clock.now())}


def tell_fillers(job: JobContext, collection_id: int) -> dict[str, int]:
    """A notice to everybody who may fill in, once each."""
    return {"orgs": issue.tell_fillers(collection_id=collection_id, on_progress=job.progress, now=clock.now())}


def urge_targets(
    job: JobContext, collection_id: int, paths: list[str], only_late: bool, channels: list[str], at: str
) -> dict[str, int]:
    """Urge whoever has not answered; orgs that a killed run had reached are passed over."""
    urged = urge.urge_targets(
        collection_id=collection_id,
        paths=paths,
        only_late=only_late,
        channels=channels,
        asked_at=datetime.fromisoformat(at),
        on_progress=job.progress,
        now=clock.now(),
    )
    return asdict(urged)


def issue_next_collections(job: JobContext) -> dict[str, int]:
    """Issue the collections whose next period has begun."""
    return {"collections": repeat.issue_next_collections(on_progress=job.progress, now=clock.now())}


def freeze_targets(job: JobContext, collection_id: int) -> dict[str, int]:
    """Write what was handed in into the lake."""
    return {"rows": freeze.write_frozen(collection_id=collection_id, on_progress=job.progress, now=clock.now())}


def stop_cases(job: JobContext, collection_id: int) -> dict[str, int]:
    """Cancel what is still open of a collection that was called off."""
    return {"cases": stop.stop_open_cases(collection_id=collection_id, on_progress=job.progress, now=clock.now())}


def take_workbook(job: JobContext, collection_id: int, actor: dict[str, Any], **asked: Any) -> dict[str, Any]:
    """Read a workbook that came back; what is wrong in it is kept with the job."""
    taken, findings = workbook.take_workbook(
        actor=Actor(**actor), collection_id=collection_id, on_progress=job.progress, now=clock.now(), **asked
    )
    shown = [finding._asdict() for finding in findings[: workbook.SHOWN_FINDINGS]]
    return {**asdict(taken), "findings": shown, "more": max(0, len(findings) - len(shown))}
