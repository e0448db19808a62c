"""Files of cases and entries: where their bytes lie, who may open them, what a form may name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shuren.casework.models import Attachment, Entry, EntryRevision
from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.selectors.cases import access_case, form_of_case
from shuren.casework.selectors.entries import access_entry, is_own, register_of_entry
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.standards.data import Grade

KIND = "attachment"
_ENTRIES_TRIED = 20
_PERSONAL = frozenset({Grade.PERSONAL, Grade.SENSITIVE})


@dataclass(frozen=True, slots=True)
class AttachmentFile:
    """A file that was reached; `path` holds its bytes, `is_sensitive` says that its field is graded L4."""

    id: int
    name: str
    media_type: str
    size: int
    sha256: str
    path: Path
    field: str
    case_id: int | None
    entry_id: int | None
    added_by_id: int | None
    is_sensitive: bool = False


def attachments_folder() -> Path:
    return Path(settings.DATA_DIR) / "attachments"


def attachment_path(sha256: str) -> Path:
    """Where the bytes of this digest lie; the same file brought twice lies there once."""
    return attachments_folder() / sha256[:2] / sha256


def file_value(row: Attachment) -> dict[str, Any]:
    """How a form keeps a file."""
    return {"id": ids.encode(KIND, row.pk), "name": row.name, "size": row.size, "sha256": row.sha256}


def files_of(*, case_id: int | None = None, entry_id: int | None = None) -> dict[str, Mapping[str, Any]]:
    """The files that a form of this case or entry may name, by public id."""
    return {value["id"]: value for value in map(file_value, attachments_of(case_id=case_id, entry_id=entry_id))}


def attachments_of(*, case_id: int | None = None, entry_id: int | None = None) -> QuerySet[Attachment]:
    rows = Attachment.objects.filter(removed_at__isnull=True)
    if case_id is not None:
        return rows.filter(case_id=case_id)
    return rows.filter(entry_id=entry_id) if entry_id is not None else rows.none()


def access_attachment(*, actor: Actor, id: int, now: datetime) -> AttachmentFile:
    """The file, for whoever sees the value of its field whole: in its case, its entry, or an entry that its case made.

    Everybody else, whoever reads the entry with its personal values masked among them, is told `NotFound`.
    """
    row = Attachment.objects.filter(pk=id, removed_at__isnull=True).first()
    grades = _grades_reached(row, actor, now) if row is not None else None
    if row is None or grades is None:
        raise NotFound(_("没有找到这个文件。"))
    return AttachmentFile(
        id=row.pk,
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        sha256=row.sha256,
        path=attachment_path(row.sha256),
        field=row.field,
        case_id=row.case_id,
        entry_id=row.entry_id,
        added_by_id=row.added_by_id,
        is_sensitive=Grade.SENSITIVE in grades,
    )


def _grades_reached(row: Attachment, actor: Actor, now: datetime) -> frozenset[Grade] | None:
    """The grades of the fields in which the actor sees the file; None where they do not see it."""
    if row.entry_id is not None:
        return _grades_in_entry(row, row.entry_id, actor, now)
    if row.case_id is None:
        return None
    try:
        case = access_case(actor=actor, id=row.case_id, now=now)
    except NotFound:
        made = EntryRevision.objects.filter(case_id=row.case_id).values_list("entry_id", flat=True).distinct()
        found = (_grades_in_entry(row, entry_id, actor, now) for entry_id in made[:_ENTRIES_TRIED])
        return next((grades for grades in found if grades is not None), None)
    # Whoever reaches a case sees its values whole.
    return frozenset(_grades_by_path(form_of_case(case), row.field))


def _grades_in_entry(row: Attachment, entry_id: int, actor: Actor, now: datetime) -> frozenset[Grade] | None:
    try:
        entry = access_entry(actor=actor, id=entry_id, now=now)
    except NotFound:
        return None
    register = register_of_entry(actor=actor, entry=entry, now=now)
    grades = frozenset(_grades_by_value(register.spec, entry, ids.encode(KIND, row.pk)))
    if row.entry_id is not None:
        # Brought for a field, and not kept in it yet or no more.
        grades |= frozenset(_grades_by_path(register.spec, row.field))
    if not grades:
        return None
    sees = is_own(actor, entry) or register.access.sees_sensitive(entry.org_path)
    return grades if sees or not grades & _PERSONAL else None


def _grades_by_path(form: FormSpec, path: str) -> Iterator[Grade]:
    """Of `photos`, or of `rooms[2].photo`: of the table and of the column."""
    key, _bracket, rest = path.partition("[")
    field = form.field_named(key)
    if field is not None:
        column = rest.partition(".")[2]
        yield from (one.grade or Grade.INTERNAL for one in (field, *field.columns) if one is field or one.key == column)


def _grades_by_value(form: FormSpec, entry: Entry, public_id: str) -> Iterator[Grade]:
    for field in form.fields:
        value = entry.data.get(field.key)
        rows = value if field.columns and isinstance(value, list) else ()
        held = [column for column in field.columns if any(_names(row, column.key, public_id) for row in rows)]
        if held or _names(entry.data, field.key, public_id):
            yield from (one.grade or Grade.INTERNAL for one in (field, *held))


def _names(data: Any, key: str, public_id: str) -> bool:
    value = data.get(key) if isinstance(data, Mapping) else None
    return isinstance(value, list) and any(isinstance(one, Mapping) and one.get("id") == public_id for one in value)
