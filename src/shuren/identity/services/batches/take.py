"""Taking a sealed file, once, and clearing away what nobody took."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.data import BatchData, BatchFileData
from shuren.identity.models import CredentialFile
from shuren.identity.rules.batches import KEPT_FOR
from shuren.identity.selectors.batches import access_batch, forget_sealed, read_sealed, stray_files, waiting_files
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, NotFound

_SWEPT_AT_ONCE = 500


def take_file(*, actor: Actor, batch_id: int, file_id: int, now: datetime) -> bytes:
    """The PDF, opened, for the one who asked for it and still may; nobody gets it a second time, and it is gone here."""
    batch = _access(actor, batch_id, now)
    row = CredentialFile.objects.filter(pk=file_id, batch_id=batch.id).first()
    if row is None:
        raise NotFound(_("没有找到这个文件。"))
    remedy = _("请重新发起一次，选“还没有登录过的人”。")
    paper = read_sealed(row.batch_id, row.org_id, row.part) if row.taken_at is None and row.purged_at is None else None
    with transaction.atomic():
        free = CredentialFile.objects.filter(pk=row.pk, taken_at__isnull=True, purged_at__isnull=True)
        if paper is None or not free.update(taken_at=now, purged_at=now):
            raise Conflict(_("这个文件已经下载过，或者已经过期清除。"), remedy=remedy)
        details = {"batch": batch.id, "people": row.people}
        audit.record(actor=actor, action="identity.batch_file_taken", target=f"org:{row.org_id}", details=details, now=now)
    forget_sealed(row.batch_id, row.org_id, row.part)
    return paper


def take_files(*, actor: Actor, batch_id: int, now: datetime) -> Iterator[tuple[BatchFileData, bytes]]:
    """All files of a batch that wait, one after the other, each taken as with `take_file` when its turn comes.

    Whoever breaks off loses at most the one that was on its way; those behind it wait on. The right is asked at once.
    """
    batch = _access(actor, batch_id, now)
    waiting = waiting_files(batch.id)
    if not waiting:
        raise Conflict(_("没有待下载的文件。"), remedy=_("请等文件做好，或者重新发起一次。"))

    def taken() -> Iterator[tuple[BatchFileData, bytes]]:
        for file in waiting:
            with suppress(Conflict):  # somebody took it alone meanwhile
                yield file, take_file(actor=actor, batch_id=batch_id, file_id=file.id, now=now)

    return taken()


def _access(actor: Actor, batch_id: int, now: datetime) -> BatchData:
    batch = access_batch(actor=actor, id=batch_id)
    directory.access_org(actor=actor, id=batch.org_id, permission=Permission.ISSUE_CREDENTIALS, now=now)
    return batch


def purge_files(*, now: datetime) -> int:
    """Destroy files that waited for a day, and whatever lies in their folder without a row; returns how many."""
    gone = 0
    while True:
        rows = list(CredentialFile.objects.filter(purged_at__isnull=True, made_at__lt=now - KEPT_FOR)[:_SWEPT_AT_ONCE])
        if not rows:
            break
        for row in rows:
            forget_sealed(row.batch_id, row.org_id, row.part)
        with transaction.atomic():
            CredentialFile.objects.filter(pk__in=[row.pk for row in rows]).update(purged_at=now)
            details = {"count": len(rows)}
            audit.record(actor=SYSTEM, action="identity.batch_files_purged", target="batch:many", details=details, now=now)
        gone += len(rows)
    for path in stray_files(older_than=now - KEPT_FOR):
        path.unlink(missing_ok=True)
        gone += 1
    return gone
