"""Reads of batches of first passwords, and the sealed files they lie in."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.identity.data import BatchData, BatchFileData, BatchReach, LeftOutData, LeftOutReason, Recipients, SlipForm
from shuren.identity.models import CredentialBatch, CredentialFile, LeftOut
from shuren.identity.rules.batches import KEPT_FOR
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.files import sync_folder
from shuren.kernel.paging import Page, page_of
from shuren.trust import api as trust

_PURPOSE = "identity.credential_file"


def access_batch(*, actor: Actor, id: int) -> BatchData:
    """The batch, if `actor` asked for it; otherwise `NotFound`, for nobody else gets at what it made."""
    row = _counted().filter(pk=id, asked_by_id=actor.account_id or 0).first()
    if row is None:
        raise NotFound(_("没有找到这次发放。"))
    return _batch(row)


def batches_of(account_id: int, *, number: int, size: int) -> Page[BatchData]:
    """The batches somebody asked for, newest first."""
    return page_of(_counted().filter(asked_by_id=account_id).order_by("-created_at", "-pk"), _batch, number=number, size=size)


def files_of_batch(batch_id: int, *, number: int, size: int) -> Page[BatchFileData]:
    """The files of a batch in the order in which they were made."""
    rows = CredentialFile.objects.filter(batch_id=batch_id).select_related("org").order_by("pk")
    return page_of(rows, _file, number=number, size=size)


def waiting_files(batch_id: int) -> list[BatchFileData]:
    """The files of a batch that nobody has taken yet."""
    rows = CredentialFile.objects.filter(batch_id=batch_id, taken_at__isnull=True, purged_at__isnull=True)
    return [_file(row) for row in rows.select_related("org").order_by("pk")]


def left_out_of(batch_id: int, *, number: int, size: int) -> Page[LeftOutData]:
    """Whom a batch gave nothing, in the order in which it met them."""
    rows = LeftOut.objects.filter(batch_id=batch_id).select_related("person", "org").order_by("pk")
    return page_of(rows, _left_out, number=number, size=size)


def write_sealed(batch_id: int, org_id: int, part: int, paper: bytes) -> int:
    """Seal a file and put it into its place, whole or not at all; returns its size."""
    path = _path(batch_id, org_id, part)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sealed = trust.seal(paper, purpose=f"{_PURPOSE}:{batch_id}:{org_id}:{part}")
    half = path.with_suffix(".half")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    sync_folder(path.parent)
    return len(paper)


def read_sealed(batch_id: int, org_id: int, part: int) -> bytes | None:
    """Open a sealed file; None when it is no longer there."""
    try:
        sealed = _path(batch_id, org_id, part).read_bytes()
    except FileNotFoundError:
        return None
    return trust.unseal(sealed, purpose=f"{_PURPOSE}:{batch_id}:{org_id}:{part}")


def forget_sealed(batch_id: int, org_id: int, part: int) -> None:
    """Delete a sealed file; without it nobody can tell the passwords, for the accounts keep only their hashes."""
    _path(batch_id, org_id, part).unlink(missing_ok=True)


def stray_files(*, older_than: datetime) -> Iterator[Path]:
    """Sealed files that no row speaks of: a kill left them behind, and nobody's password is in them."""
    folder = _folder()
    for path in folder.glob("*/*") if folder.exists() else ():
        is_old = datetime.fromtimestamp(path.stat().st_mtime, UTC) < older_than
        org_id, _dot, part = path.stem.partition(".")
        if is_old and (path.suffix == ".half" or not _is_kept(path.parent.name, org_id, part)):
            yield path


def _is_kept(batch_id: str, org_id: str, part: str) -> bool:
    rows = CredentialFile.objects.filter(batch_id=int(batch_id), org_id=int(org_id), part=int(part))
    return rows.filter(purged_at__isnull=True).exists()


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "credentials"


def _path(batch_id: int, org_id: int, part: int) -> Path:
    return _folder() / str(batch_id) / f"{org_id}.{part}.sealed"


def _counted() -> QuerySet[CredentialBatch]:
    waiting = Q(files__taken_at__isnull=True, files__purged_at__isnull=True)
    return CredentialBatch.objects.annotate(
        file_count=Count("files"), waiting_count=Count("files", filter=waiting), people_count=Sum("files__people")
    )


def _batch(row: CredentialBatch) -> BatchData:
    counts = row.__dict__
    return BatchData(
        id=row.pk,
        public_id=ids.encode("credential_batch", row.pk),
        org_id=row.org_id,
        recipients=tuple(map(Recipients, row.recipients.split())),
        reach=BatchReach(row.reach),
        form=SlipForm(row.form),
        files=counts["file_count"],
        waiting=counts["waiting_count"],
        people=counts["people_count"] or 0,
        skipped=row.skipped,
        left_out=LeftOut.objects.filter(batch_id=row.pk).count(),
        job_id=row.job_id or 0,
        created_at=row.created_at,
    )


def _file(row: CredentialFile) -> BatchFileData:
    return BatchFileData(
        id=row.pk,
        public_id=ids.encode("credential_file", row.pk),
        org_name=" ".join([*(above.name for above in directory.ancestors_of(row.org_id)[-1:]), row.org.name]),
        part=row.part,
        people=row.people,
        size=row.size,
        made_at=row.made_at,
        kept_until=row.made_at + KEPT_FOR,
        taken_at=row.taken_at,
        purged_at=row.purged_at,
    )


def _left_out(row: LeftOut) -> LeftOutData:
    return LeftOutData(name=row.person.name, number=row.person.number, org_name=row.org.name, reason=LeftOutReason(row.reason))
