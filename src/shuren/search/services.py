"""Keeping the index."""

from collections.abc import Iterable
from itertools import islice

from django.db import transaction
from django.db.models import Q

from shuren.kernel.statistics import refresh_statistics
from shuren.search.data import Document
from shuren.search.engines.chosen import engine
from shuren.search.models import Entry
from shuren.search.rules.tokens import document_tokens

_BATCH = 2_000


def index_documents(documents: Iterable[Document]) -> int:
    """Add or replace documents, in batches of one transaction each; returns how many were written.

    Of two documents with the same kind and id in one batch the later stands.
    """
    written = 0
    stream = iter(documents)
    while batch := list(islice(stream, _BATCH)):
        last = {(document.kind, document.object_id): document for document in batch}
        rows = [(document, document_tokens(document)) for document in last.values()]
        with transaction.atomic():
            engine().erase(_entry_ids(last))
            engine().write(rows)
        written += len(rows)
    return written


def settle_index() -> None:
    """Let the database look at the index again after many documents came."""
    refresh_statistics(Entry)


def remove_documents(kind: str, object_ids: Iterable[int]) -> int:
    """Forget documents; returns how many there were."""
    removed = 0
    stream = iter(object_ids)
    while batch := list(islice(stream, _BATCH)):
        with transaction.atomic():
            found = _entry_ids((kind, object_id) for object_id in batch)
            engine().erase(found)
        removed += len(found)
    return removed


def remove_kind(kind: str) -> int:
    """Forget every document of a kind, before it is indexed anew."""
    removed = 0
    while found := list(Entry.objects.filter(kind=kind).values_list("pk", flat=True)[:_BATCH]):
        with transaction.atomic():
            engine().erase(found)
        removed += len(found)
    return removed


def _entry_ids(keys: Iterable[tuple[str, int]]) -> list[int]:
    by_kind: dict[str, list[int]] = {}
    for kind, object_id in keys:
        by_kind.setdefault(kind, []).append(object_id)
    condition = Q(pk__in=())
    for kind, object_ids in by_kind.items():
        condition |= Q(kind=kind, object_id__in=object_ids)
    return list(Entry.objects.filter(condition).values_list("pk", flat=True))
