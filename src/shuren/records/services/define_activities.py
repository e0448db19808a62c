"""Keeping what clients tell of activities that may define them (scope `define`)."""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from threading import Lock
from typing import Any

from django.db import transaction

from shuren.records.models import ActivityDefinition
from shuren.records.rules.definitions import key_of, laid_over

_REMEMBERED = 50_000
_lock = Lock()
_told: dict[str, bytes] = {}


def keep_definitions(definitions: Mapping[str, Mapping[str, Any]], *, now: datetime) -> int:
    """Lay each definition over what is known of its activity, by IRI; returns how many changed.

    What this process was told last time of an activity is not looked up again: statements repeat themselves. Statements
    that tell it are kept as they came, so that nothing is lost by what a later client says; the entry in the audit
    trail is theirs.
    """
    marks = {iri: _mark(definition) for iri, definition in definitions.items() if definition}
    news = {iri for iri, mark in marks.items() if _told.get(iri) != mark}
    if not news:
        return 0
    with transaction.atomic():
        changed = _lay({key_of(iri): (iri, definitions[iri]) for iri in news}, now=now)
        transaction.on_commit(lambda: _remember({iri: marks[iri] for iri in news}))
    return changed


def forget_told() -> None:
    """Look every activity up again; for processes whose database was changed underneath them."""
    with _lock:
        _told.clear()


def _lay(told: Mapping[str, tuple[str, Mapping[str, Any]]], *, now: datetime) -> int:
    """In the order of their keys, so that two batches that tell of the same activities wait and do not lock each other."""
    rows = [ActivityDefinition(key=key, iri=iri, updated_at=now) for key, (iri, _definition) in sorted(told.items())]
    ActivityDefinition.objects.bulk_create(rows, ignore_conflicts=True)
    changed = []
    for row in ActivityDefinition.objects.select_for_update().filter(key__in=list(told)).order_by("key"):
        known = json.loads(row.definition)
        laid = laid_over(known, told[row.key][1])
        if laid != known:
            row.definition, row.updated_at = json.dumps(laid), now
            changed.append(row)
    ActivityDefinition.objects.bulk_update(changed, ["definition", "updated_at"])
    return len(changed)


def _mark(definition: Mapping[str, Any]) -> bytes:
    return sha256(json.dumps(definition, sort_keys=True).encode()).digest()


def _remember(marks: Mapping[str, bytes]) -> None:
    with _lock:
        if len(_told) + len(marks) > _REMEMBERED:
            _told.clear()
        _told.update(marks)
