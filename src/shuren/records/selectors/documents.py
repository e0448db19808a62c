"""Reads of documents of learning."""

from dataclasses import dataclass
from datetime import datetime

from shuren.kernel.errors import NotFound
from shuren.records.models import Document
from shuren.records.rules.documents import Place


@dataclass(frozen=True, slots=True)
class DocumentData:
    """A document as it was sent last."""

    content_type: str
    content: bytes
    etag: str
    updated_at: datetime


def access_document(*, place: Place, document_id: str) -> DocumentData:
    """The document of this place, which holds the space of the caller; raises `NotFound`."""
    row = Document.objects.filter(key=place.key(document_id)).only("content_type", "content", "etag", "updated_at").first()
    if row is None:
        raise NotFound("There is no such document.")
    return DocumentData(row.content_type, bytes(row.content), row.etag, row.updated_at)


def document_ids(*, place: Place, since: datetime | None) -> tuple[list[str], datetime | None]:
    """Ids of the documents of a place in alphabetic order, changed after `since`, and when the latest of them changed.

    Those of all registrations, unless the place names one.
    """
    rows = Document.objects.filter(shelf=place.shelf)
    if place.registration:
        rows = rows.filter(registration=place.registration)
    if since is not None:
        rows = rows.filter(updated_at__gt=since)
    found = list(rows.values_list("document_id", "updated_at"))
    return sorted({id for id, _at in found}), max((at for _id, at in found), default=None)
