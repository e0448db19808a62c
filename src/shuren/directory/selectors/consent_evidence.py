"""Answers to notices as the evidence log has them on record."""

import hashlib
import json
from collections.abc import Collection, Iterator
from datetime import UTC
from itertools import product

from shuren.directory.models import Consent, ConsentText, Person

_AT_ONCE = 500


def text_digest(row: ConsentText) -> str:
    """SHA-256 over everything a version says, so that an answer can be shown to belong to these very words."""
    said = [row.purpose, row.recipient, row.elements, row.title_zh, row.body_zh, row.title_en, row.body_en]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def consent_digest(row: Consent, *, person_id: int | None = None, decided_by_id: int | None = None) -> bytes:
    """What is put on record of an answer; the ids are those of the moment where people were merged since."""
    said = {
        "person": person_id or row.person_id,
        "text": row.text_id,
        "text_sha256": text_digest(row.text),
        "decision": row.decision,
        "as": row.decided_as,
        "by": decided_by_id or row.decided_by_id,
        "way": row.way,
        "entered_by": row.entered_by_id,
        "signed_on": row.signed_on.isoformat() if row.signed_on else None,
        "at": row.at.astimezone(UTC).isoformat(),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).digest()


def consents_on_record() -> Iterator[tuple[int, Collection[bytes]]]:
    """Every answer with what may be on record of it: merging moves it to the kept person, and the record stays.

    An answer whose own columns contradict each other fits nothing.
    """
    after = 0
    while rows := list(Consent.objects.filter(pk__gt=after).select_related("text").order_by("pk")[:_AT_ONCE]):
        after = rows[-1].pk
        former = _former_ids({row.person_id for row in rows} | {row.decided_by_id for row in rows})
        for row in rows:
            pairs = product(former[row.person_id], former[row.decided_by_id])
            digests = {consent_digest(row, person_id=person, decided_by_id=by) for person, by in pairs}
            is_sound = row.digest in {digest.hex() for digest in digests} and row.base_id == (row.text.base_id or row.text_id)
            yield row.pk, digests if is_sound else set()


def _former_ids(ids: Collection[int]) -> dict[int, list[int]]:
    """Each id with those that were merged into it."""
    found = {number: [number] for number in ids}
    for pk, kept in Person.objects.filter(merged_into_id__in=ids).values_list("pk", "merged_into_id"):
        found[kept].append(pk)
    return found
