"""The window: who sits at one, and the cases that were filed there for visitors without an account."""

from datetime import datetime

from django.utils.translation import gettext as _

from shuren.casework.models import WindowApplicant
from shuren.casework.selectors.cases import access_case
from shuren.casework.selectors.hall import OFFICERS
from shuren.directory import api as directory
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import path_q

# The origin of cases that were filed at the window.
WINDOW = "window"


def is_clerk(actor: Actor, *, now: datetime) -> bool:
    """Whether the actor sits at a window somewhere: an officer of any level."""
    return bool(directory.role_paths_of(actor=actor, roles=OFFICERS, now=now))


def may_clerk(actor: Actor, path: str, *, now: datetime) -> bool:
    """Whether the actor sits at a window of the branch: an officer at or above it."""
    return any(path.startswith(held) for held in directory.role_paths_of(actor=actor, roles=OFFICERS, now=now))


def access_window_applicant(*, actor: Actor, case_id: int, now: datetime) -> WindowApplicant:
    """For whom a case was filed at the window, for the clerks of its branch; otherwise `NotFound`."""
    case = access_case(actor=actor, id=case_id, now=now)
    row = WindowApplicant.objects.filter(case=case).first()
    if row is None or not may_clerk(actor, case.org_path, now=now):
        raise NotFound(_("没有找到这个办件。"))
    row.case = case
    return row


def window_page(*, actor: Actor, search: str = "", number: int = 1, size: int = 25, now: datetime) -> Page[WindowApplicant]:
    """What was filed at the windows of the actor's branches, newest first; `search` is how a case's number begins."""
    paths = directory.role_paths_of(actor=actor, roles=OFFICERS, now=now)
    rows = WindowApplicant.objects.filter(path_q("case__org_path", paths))
    if search.strip():
        rows = rows.filter(case__number__startswith=search.strip().upper()[:30])
    rows = rows.select_related("case", "case__definition", "case__flow_version", "case__item", "case__org").order_by("-pk")
    return page_of(rows, lambda row: row, number=number, size=size)
