"""Runs, newest first, and where the installation stands."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.backups.data import RunData, RunKind, RunState, Standing
from shuren.backups.models import Run
from shuren.backups.rules.policy import standing_of
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound, Refused
from shuren.kernel.paging import Page, page_of

_GAPS_OVER = 60


def check_keeper(actor: Actor, *, now: datetime) -> None:
    """Raise `Refused` for whoever does not look after the whole installation."""
    root = directory.root_org()
    if root is None or not directory.scope_of(actor=actor, permission=Permission.MANAGE_SIGN_IN, now=now).covers(root.path):
        raise Refused(_("只有系统管理员和安全管理员能查看备份。"))


def runs(*, kind: str = "", state: str = "", number: int = 1, size: int = 25) -> Page[RunData]:
    rows = Run.objects.order_by("-id")
    if kind:
        rows = rows.filter(kind=kind)
    if state:
        rows = rows.filter(state=state)
    return page_of(rows, run_data, number=number, size=size)


def access_run(*, actor: Actor, id: int, now: datetime) -> RunData:
    check_keeper(actor, now=now)
    row = Run.objects.filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这次备份任务。"))
    return run_data(row)


def standing(*, now: datetime) -> Standing:
    """Last backup and drill against the policy; the recovery point from the gaps of the last backups, the time from the drill."""
    made = Run.objects.filter(kind=RunKind.BACKUP).exclude(state=RunState.RUNNING).order_by("-id")
    drilled = Run.objects.filter(kind=RunKind.DRILL).exclude(state=RunState.RUNNING).order_by("-id")
    return standing_of(
        backups=[run_data(row) for row in made[:_GAPS_OVER]],
        drills=[run_data(row) for row in drilled[:_GAPS_OVER]],
        is_set_up=bool(settings.SHUREN_BACKUP_TARGETS),
        every=timedelta(hours=settings.SHUREN_BACKUP_EVERY_HOURS),
        drill_every=timedelta(days=settings.SHUREN_BACKUP_DRILL_DAYS),
        now=now,
    )


def last_begun(kind: RunKind) -> datetime | None:
    """When a run of this kind last began, however it ended."""
    return Run.objects.filter(kind=kind).order_by("-id").values_list("started_at", flat=True).first()


def run_data(row: Run) -> RunData:
    return RunData(
        id=row.pk,
        kind=RunKind(row.kind),
        state=RunState(row.state),
        manifest=row.manifest,
        started_at=row.started_at,
        finished_at=row.finished_at,
        bytes=row.bytes,
        stored=row.stored,
        files=row.files,
        rows=row.rows,
        targets=tuple(row.targets),
        problems=tuple(row.problems),
        report=row.report,
        signature=row.signature,
    )
