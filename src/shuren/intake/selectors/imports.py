"""Imports and where their files lie."""

from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.intake.data import ImportState, ImportStatus
from shuren.intake.models import ImportRun
from shuren.intake.rules.kinds import kind_named
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of


def imports_dir() -> Path:
    return Path(settings.DATA_DIR) / "imports"


def import_dir(import_id: int) -> Path:
    return imports_dir() / str(import_id)


def import_file(import_id: int) -> Path:
    """The file as it was sent, under a name of ours."""
    return import_dir(import_id) / run_of(import_id).stored_name


def run_of(import_id: int) -> ImportRun:
    run = ImportRun.objects.filter(pk=import_id).first()
    if run is None:
        raise NotFound(_("没有找到这次导入。"))
    return run


def import_state(import_id: int) -> ImportState:
    return state_of(run_of(import_id))


def access_import(*, actor: Actor, id: int, may_see_all: bool = False) -> ImportState:
    """The import for a page: its owner's, or any if the caller has checked the right to see all."""
    state = import_state(id)
    is_owner = actor.account_id is not None and actor.account_id == state.owner_account_id
    if not (may_see_all or actor.is_system or is_owner):
        raise NotFound(_("没有找到这次导入。"))
    return state


def imports(
    kind: str | None = None,
    actor: Actor | None = None,
    *,
    status: ImportStatus | None = None,
    number: int = 1,
    size: int = 20,
) -> Page[ImportState]:
    """Imports, newest first; with `actor` only their own."""
    rows = ImportRun.objects.order_by("-id")
    if kind:
        rows = rows.filter(kind=kind)
    if status is not None:
        rows = rows.filter(status=status)
    if actor is not None:
        rows = rows.filter(owner_account_id=actor.account_id) if actor.account_id is not None else rows.none()
    return page_of(rows, state_of, number=number, size=size)


def state_of(run: ImportRun) -> ImportState:
    registered = kind_named(run.kind)
    return ImportState(
        id=run.pk,
        kind=run.kind,
        title=str(registered.title) if registered else run.kind,
        status=ImportStatus(run.status),
        file_name=run.file_name,
        size=run.size,
        sha256=run.sha256,
        options=run.options,
        counts=run.counts,
        difference=run.difference,
        error_count=run.error_count,
        warning_count=run.warning_count,
        job_id=run.job_id,
        error=run.error,
        owner_account_id=run.owner_account_id,
        owner_person_id=run.owner_person_id,
        owner_name=run.owner_name,
        created_at=run.created_at,
        checked_at=run.checked_at,
        applied_at=run.applied_at,
        undone_at=run.undone_at,
    )
