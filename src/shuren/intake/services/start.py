"""A file comes in."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.intake.models import ImportRun
from shuren.intake.rules.kinds import kind_named
from shuren.intake.rules.limits import MAX_FILE_BYTES
from shuren.intake.selectors.imports import import_dir, imports_dir
from shuren.intake.services.record import enqueue_step
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid

_CHUNK = 1024 * 1024


def start_import(
    *,
    actor: Actor,
    kind: str,
    file_name: str,
    content: BinaryIO | Path,
    options: Mapping[str, Any] | None = None,
    now: datetime,
) -> int:
    """Keep the file and have it checked; publishes `intake.uploaded`. Returns the id of the import."""
    if kind_named(kind) is None:
        raise Invalid(_("没有“%(kind)s”这一类导入。") % {"kind": kind})
    draft = imports_dir() / f".incoming-{os.getpid()}-{secrets.token_hex(6)}"
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        size, digest = _keep(content, draft)
        with transaction.atomic():
            run = ImportRun.objects.create(
                kind=kind,
                file_name=Path(file_name.replace("\\", "/")).name[:255] or "file",
                stored_name=f"source{_suffix(file_name)}",
                size=size,
                sha256=digest,
                options=dict(options or {}),
                owner_account_id=actor.account_id,
                owner_person_id=actor.person_id,
                owner_name=actor.name[:100],
                created_at=now,
            )
            folder = import_dir(run.pk)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            draft.replace(folder / run.stored_name)
            run.job_id = enqueue_step("check_import", run, actor)
            run.save(update_fields=["job_id"])
            details = {"kind": kind, "file": run.file_name, "sha256": digest}
            audit.record(actor=actor, action="intake.uploaded", target=f"import:{run.pk}", details=details, now=now)
            events.publish("intake.uploaded", {"import_id": run.pk, "kind": kind}, now=now)
            return run.pk
    finally:
        draft.unlink(missing_ok=True)


def _keep(content: BinaryIO | Path, target: Path) -> tuple[int, str]:
    """Stream the file to the disk; returns its size and SHA-256."""
    if isinstance(content, Path):
        with content.open("rb") as stream:
            return _keep(stream, target)
    size, digest = 0, hashlib.sha256()
    with target.open("wb") as file:
        while chunk := content.read(_CHUNK):
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise Invalid(_("文件超过 2 GB。"), remedy=_("请按学校或区县拆成几个文件，分别导入。"))
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if not size:
        raise Invalid(_("文件是空的。"), remedy=_("请重新选择文件。"))
    return size, digest.hexdigest()


def _suffix(file_name: str) -> str:
    suffix = Path(file_name).suffix.lower()
    return suffix if suffix.isascii() and suffix[1:].isalnum() and len(suffix) <= 8 else ""
