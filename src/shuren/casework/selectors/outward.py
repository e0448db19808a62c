"""Messages to a government platform, for the system administrators of the region."""

from datetime import datetime

from django.utils.translation import gettext as _

from shuren.casework.models import Outward
from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of


def is_keeper(actor: Actor, *, now: datetime) -> bool:
    """Whether the actor looks after what platforms are told: a system administrator."""
    return bool(directory.role_paths_of(actor=actor, roles=(Role.SYSTEM_ADMIN,), now=now))


def check_keeper(actor: Actor, *, now: datetime) -> None:
    """Raise `NotFound` unless the actor is a system administrator."""
    if not is_keeper(actor, now=now):
        raise NotFound(_("没有找到这个页面。"))


def outward_page(
    *, actor: Actor, state: str = "", kind: str = "", number: int = 1, size: int = 25, now: datetime
) -> Page[Outward]:
    """Messages, newest first; empty arguments do not narrow."""
    check_keeper(actor, now=now)
    rows = Outward.objects.order_by("-id")
    if state:
        rows = rows.filter(state=state)
    if kind:
        rows = rows.filter(kind=kind)
    return page_of(rows, lambda row: row, number=number, size=size)


def access_outward(*, actor: Actor, id: int, now: datetime) -> Outward:
    """A message, for system administrators; otherwise `NotFound`."""
    check_keeper(actor, now=now)
    row = Outward.objects.filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这条消息。"))
    return row
