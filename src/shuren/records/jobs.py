"""Work of learning records beside the calls: what is kept follows people, and months are opened ahead of time."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from shuren.datahub.api import declare_dataset
from shuren.kernel import clock
from shuren.records.services import follow_people
from shuren.records.services.cmi5.end_sessions import end_overdue
from shuren.records.services.count_refusals import forget_refusals
from shuren.records.services.follow_statements import forget_statements, move_statements
from shuren.records.services.open_months import open_months
from shuren.records.services.write_lake import SPEC, write_day, write_due_days
from shuren.work.api import register_periodic
from shuren.work.data import JobContext

__all__ = ["end_sessions", "follow_merge", "forget_person", "open_ahead", "rewrite_day", "write_lake"]
declare_dataset(SPEC)


def follow_merge(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Documents and statements of the dropped entry are the kept person's; subscribed to `directory.person_merged`."""
    kept_id, dropped_id = payload["kept_id"], payload["dropped_id"]
    now = clock.now()
    return {
        "documents": follow_people.follow_merge(kept_id=kept_id, dropped_id=dropped_id, now=now),
        "statements": move_statements(kept_id=kept_id, dropped_id=dropped_id, now=now),
    }


def forget_person(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Nothing stays about somebody who was erased as a whole; subscribed to `directory.person_erased`."""
    if not payload["is_whole"]:
        return {"documents": 0, "statements": 0}
    person_id, now = payload["person_id"], clock.now()
    return {
        "documents": follow_people.forget_person(person_id=person_id, now=now),
        "statements": forget_statements(person_id=person_id, now=now),
    }


def open_ahead(job: JobContext) -> Mapping[str, int]:
    """Statements of the months to come find their tables open."""
    return {"tables": open_months(now=clock.now())}


def write_lake(job: JobContext) -> Mapping[str, int]:
    """The running day, and those that ended since, into the lake; counts of refusals of long ago go."""
    now = clock.now()
    return {"days": len(write_due_days(now=now)), "refusals_forgotten": forget_refusals(now=now)}


def rewrite_day(job: JobContext, *, day: str) -> Mapping[str, int]:
    """One day of which something was voided, moved or forgotten."""
    return {"rows": write_day(day=date.fromisoformat(day), now=clock.now())}


def end_sessions(job: JobContext) -> Mapping[str, int]:
    """Sessions of courses whose windows were left open half a day ago are given up."""
    return {"sessions": end_overdue(now=clock.now())}


register_periodic("shuren.records.jobs.end_sessions", timedelta(hours=1))
register_periodic("shuren.records.jobs.open_ahead", timedelta(days=1))
register_periodic("shuren.records.jobs.write_lake", timedelta(hours=1))
