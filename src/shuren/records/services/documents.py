"""Writing documents of learning; whoever writes says which version they have seen, and no update is lost."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict
from shuren.records.models import Document
from shuren.records.rules.documents import DocumentKind, Place, check_sent, etag_of, merged
from shuren.records.rules.preconditions import Precondition, check_precondition, check_put

_TURNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A document as it was sent, by which client, in which version of xAPI."""

    document_id: str
    content_type: str
    content: bytes
    client_id: str
    version: str


@transaction.atomic
def put_document(*, actor: Actor, place: Place, sheet: Sheet, asked: Precondition, now: datetime) -> None:
    """Keep a document, in place of the one that stands there if the caller has seen that one."""
    row = _locked(place, sheet.document_id)
    if row is None:
        check_put(asked, etag=None, version=sheet.version, is_profile=place.kind is not DocumentKind.STATE)
        row, is_new = _claimed(place, sheet, now=now)
        if is_new:
            _record(actor, row, "records.document_kept", now=now)
            return
    check_put(asked, etag=row.etag, version=sheet.version, is_profile=place.kind is not DocumentKind.STATE)
    _write(row, sheet, sheet.content, now=now)
    _record(actor, row, "records.document_kept", now=now)


@transaction.atomic
def merge_document(*, actor: Actor, place: Place, sheet: Sheet, asked: Precondition, now: datetime) -> None:
    """Lay a JSON object over the one that is kept; where there is none it is kept as it is, if it is what its type says."""
    row = _locked(place, sheet.document_id)
    if row is None:
        check_precondition(asked, etag=None)
        check_sent(sheet.content, sheet.content_type)
        row, is_new = _claimed(place, sheet, now=now)
        if is_new:
            _record(actor, row, "records.document_kept", now=now)
            return
    check_precondition(asked, etag=row.etag)
    _write(row, sheet, merged(bytes(row.content), row.content_type, sheet.content, sheet.content_type), now=now)
    _record(actor, row, "records.document_merged", now=now)


@transaction.atomic
def delete_document(*, actor: Actor, place: Place, document_id: str, asked: Precondition, now: datetime) -> None:
    """Delete a document; none where none is."""
    row = _locked(place, document_id)
    check_precondition(asked, etag=row.etag if row else None)
    if row is not None:
        _record(actor, row, "records.document_deleted", now=now)
        row.delete()


@transaction.atomic
def delete_documents(*, actor: Actor, place: Place, now: datetime) -> int:
    """Delete all documents of a place, of one registration where the place names one; returns how many."""
    rows = Document.objects.filter(shelf=place.shelf)
    if place.registration:
        rows = rows.filter(registration=place.registration)
    locked = list(rows.select_for_update().order_by("id").only("id", "kind"))
    entries = [(f"document:{row.pk}", {"kind": row.kind}) for row in locked]
    audit.record_many(actor=actor, action="records.document_deleted", entries=entries, now=now)
    Document.objects.filter(pk__in=[row.pk for row in locked]).delete()
    return len(locked)


def _locked(place: Place, document_id: str) -> Document | None:
    return Document.objects.select_for_update().filter(key=place.key(document_id)).first()


def _claimed(place: Place, sheet: Sheet, *, now: datetime) -> tuple[Document, bool]:
    """The row for a document that nobody had kept a moment ago, and whether it is ours.

    Of two who write the first document at once, the second waits here for the first and goes on as a later one.
    """
    key = place.key(sheet.document_id)
    fresh = Document(
        key=key,
        shelf=place.shelf,
        kind=place.kind,
        space=place.space,
        activity=place.activity,
        agent=place.agent,
        registration=place.registration,
        document_id=sheet.document_id,
        person_id=place.person_id,
        content_type=sheet.content_type,
        content=sheet.content,
        etag=etag_of(sheet.content),
        client_id=sheet.client_id,
        updated_at=now,
    )
    values = {field.name: getattr(fresh, field.attname) for field in _FIELDS} | {"person_id": place.person_id}
    for _turn in range(_TURNS):
        try:
            return Document.objects.select_for_update().get_or_create(key=key, defaults=values)
        except IntegrityError:  # whoever was first has deleted it again meanwhile
            continue
    raise Conflict("Others write and delete this document at this moment; try again.")


_FIELDS = [field for field in Document._meta.concrete_fields if not field.primary_key and field.name not in ("key", "person")]


def _write(row: Document, sheet: Sheet, content: bytes, *, now: datetime) -> None:
    row.content, row.content_type, row.etag = content, sheet.content_type, etag_of(content)
    row.client_id, row.updated_at = sheet.client_id, now
    row.save(update_fields=["content", "content_type", "etag", "client_id", "updated_at"])


def _record(actor: Actor, row: Document, action: str, *, now: datetime) -> None:
    audit.record(actor=actor, action=action, target=f"document:{row.pk}", details={"kind": row.kind}, now=now)
