"""Admission to schools: which schools have registrations that wait for a place."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from shuren.casework.data import CaseState
from shuren.casework.models import Case
from shuren.casework.selectors.hall import OFFICERS
from shuren.directory import api as directory
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.paging import Page
from shuren.kernel.scope import path_q

FLOW, STAGE = "gov.enrolment", "admission"


@dataclass(frozen=True, slots=True)
class SchoolWaiting:
    """A school, and how many registrations wait there."""

    public_id: str
    name: str
    waiting: int


def schools_waiting(*, actor: Actor, search: str = "", number: int = 1, size: int = 25, now: datetime) -> Page[SchoolWaiting]:
    """Schools of the branches where the actor is an officer, most registrations first."""
    paths = directory.role_paths_of(actor=actor, roles=OFFICERS, now=now)
    rows = Case.objects.filter(definition__key=FLOW, stage=STAGE, state=CaseState.RUNNING.value).filter(path_q("org_path", paths))
    if search.strip():
        rows = rows.filter(org__name__contains=search.strip()[:40])
    found = rows.values("org_id", "org__name").annotate(waiting=Count("pk")).order_by("-waiting", "org__name", "org_id")
    start = (max(1, number) - 1) * size
    page = [
        SchoolWaiting(ids.encode("org", row["org_id"]), row["org__name"], row["waiting"]) for row in found[start : start + size]
    ]
    return Page(rows=page, total=found.count(), is_exact=True, number=max(1, number), size=size)
