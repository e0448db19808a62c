"""People who were entered twice, and requests that were made before requests were cases."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from shuren.casework.selectors.own_copy import cases_kept, entries_kept, opinions_kept
from shuren.casework.services.follow_people import follow_merge as follow
from shuren.casework.services.subject_requests import take_over_requests as take_over
from shuren.directory.api import register_subject_data
from shuren.kernel import clock
from shuren.work.api import register_periodic
from shuren.work.data import JobContext

register_subject_data("cases", cases_kept, title=_("办件"))
register_subject_data("entries", entries_kept, title=_("台账里的登记"))
register_subject_data("opinions", opinions_kept, title=_("办理意见"))
register_periodic("shuren.casework.jobs.people.take_over_requests", timedelta(days=1))


def take_over_requests(job: JobContext) -> Mapping[str, int]:
    return {"taken_over": take_over(now=clock.now())}


def follow_merge(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """Two entries were one person; subscribed to `directory.person_merged`."""
    moved = follow(kept_id=int(payload["kept_id"]), dropped_id=int(payload["dropped_id"]), now=clock.now())
    return {"moved": moved}
