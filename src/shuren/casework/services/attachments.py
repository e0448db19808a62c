"""Files come to a case or an entry: known by their content, within limits, kept once by their digest."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.models import Attachment
from shuren.casework.rules.file_types import MACROS, file_type, kept_name
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.selectors.attachments import AttachmentFile, attachment_path, attachments_of, file_value
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound

MOST_FILES = 300
_CELL = re.compile(r"([a-z][a-z0-9_]*)(?:\[[0-9]{1,5}\]\.([a-z][a-z0-9_]*))?")


def group_words() -> dict[str, str]:
    """What a field takes, in the words of whoever chooses a file."""
    return {
        "image": _("图片"),
        "pdf": _("PDF 或 OFD"),
        "office": _("Word、Excel 或 PPT"),
        "text": _("文本"),
        "zip": _("ZIP 压缩包"),
        "audio": _("录音"),
        "video": _("视频（MP4）"),
    }


def accept_words(field: FieldSpec) -> str:
    """图片、PDF 或 OFD，每个不超过 10 MB，最多 5 个"""
    known = group_words()
    told = {
        "kinds": "、".join(known[group] for group in field.accepts if group in known),
        "megabytes": field.megabytes,
        "count": field.maximum_files,
    }
    return _("%(kinds)s，每个不超过 %(megabytes)d MB，最多 %(count)d 个") % told


def file_field(form: FormSpec, path: str) -> FieldSpec:
    """The field of files that a path names (`photos`, `rooms[2].photo`)."""
    found = _CELL.fullmatch(path)
    field = form.field_named(found[1]) if found else None
    if field is not None and found is not None and found[2]:
        field = next((column for column in field.columns if column.key == found[2]), None)
    if field is None or field.type != FieldType.FILE:
        raise NotFound(_("表单中没有这个上传项。"))
    return field


def add_attachment(
    *,
    actor: Actor,
    form: FormSpec,
    path: str,
    upload: "UploadedFile[bytes]",
    now: datetime,
    case_id: int | None = None,
    entry_id: int | None = None,
) -> dict[str, Any]:
    """Keep a file for a field of the case or entry, which the actor may change, and return how the form names it."""
    field = file_field(form, path)
    content = _content(field, upload)
    group, media_type = file_type(content)
    if group == MACROS:
        raise Invalid(_("这个文件里带有宏程序，不能上传。"), remedy=_("请另存为不带宏的格式（如 .docx、.xlsx）后再上传。"))
    if group not in field.accepts:
        told = {"kinds": "、".join(words for name, words in group_words().items() if name in field.accepts)}
        raise Invalid(_("不能上传这种文件。"), remedy=_("请上传：%(kinds)s。") % told)
    if attachments_of(case_id=case_id, entry_id=entry_id).count() >= MOST_FILES:
        raise Invalid(_("上传的文件太多了。"), remedy=_("请把相近的文件合并成一个再上传。"))
    digest = sha256(content).hexdigest()
    _keep(attachment_path(digest), content)
    with transaction.atomic():
        row = Attachment.objects.create(
            case_id=case_id,
            entry_id=entry_id,
            field=path,
            name=kept_name(upload.name or "", media_type),
            media_type=media_type,
            size=len(content),
            sha256=digest,
            added_at=now,
            added_by_id=actor.person_id,
        )
        target = f"case:{case_id}" if case_id is not None else f"entry:{entry_id}"
        audit.record(
            actor=actor, action="casework.attachment_added", target=target, details={"sha256": digest, "field": path}, now=now
        )
    return file_value(row)


def _content(field: FieldSpec, upload: "UploadedFile[bytes]") -> bytes:
    most = field.megabytes * 1024 * 1024
    told = {"megabytes": field.megabytes}
    if not upload.size:
        raise Invalid(_("这个文件是空的。"), remedy=_("请检查后重新选择文件。"))
    if upload.size > most:
        raise Invalid(
            _("文件超过 %(megabytes)d MB。") % told, remedy=_("请压缩图片或拆分文件，每个不超过 %(megabytes)d MB。") % told
        )
    return b"".join(upload.chunks())


def _keep(path: Path, content: bytes) -> None:
    """Whole or not at all: what is already there by this digest is the same."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def remove_attachments(*, actor: Actor, attachment_ids: Iterable[int], now: datetime) -> int:
    """Take files out of their case or entry; nobody opens them any more. The bytes stay for whoever else holds the same."""
    with transaction.atomic():
        rows = list(Attachment.objects.select_for_update().filter(pk__in=list(attachment_ids), removed_at__isnull=True))
        for row in rows:
            row.removed_at = now
            row.save(update_fields=["removed_at"])
            target = f"case:{row.case_id}" if row.case_id is not None else f"entry:{row.entry_id}"
            audit.record(
                actor=actor, action="casework.attachment_removed", target=target, details={"sha256": row.sha256}, now=now
            )
    return len(rows)


def record_reading(*, actor: Actor, file: AttachmentFile, now: datetime) -> None:
    """Somebody else's file was opened, or one whose field is graded L4."""
    target = f"case:{file.case_id}" if file.case_id is not None else f"entry:{file.entry_id}"
    details = {"attachment": file.id, "field": file.field, "is_sensitive": file.is_sensitive}
    with transaction.atomic():
        audit.record(actor=actor, action="casework.attachment_read", target=target, details=details, now=now)
