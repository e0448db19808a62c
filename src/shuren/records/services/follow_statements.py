"""Statements follow people: those of a merged entry are the kept one's, those of somebody erased go, but for their ids."""

from collections.abc import Iterator
from datetime import datetime

from django.db import connection, transaction

from shuren.kernel import audit
from shuren.kernel.data import SYSTEM
from shuren.records.models import Statement
from shuren.records.services.write_lake import note_changed


@transaction.atomic
def move_statements(*, kept_id: int, dropped_id: int, now: datetime) -> int:
    """Move `Statement.person` to the kept entry; what was sent stays as it is. Returns how many moved."""
    note_changed(_moments_of(dropped_id))
    moved = Statement.objects.filter(person_id=dropped_id).update(person_id=kept_id)
    if moved:
        details = {"dropped_id": dropped_id, "statements": moved}
        audit.record(actor=SYSTEM, action="records.statements_moved", target=f"person:{kept_id}", details=details, now=now)
    return moved


@transaction.atomic
def forget_statements(*, person_id: int, now: datetime) -> int:
    """Delete what somebody did; their keys stay, so that nobody's copy brings it back. Returns how many went."""
    note_changed(_moments_of(person_id))
    own = "SELECT stored, seq FROM records_statement WHERE person_id = %s"
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM records_mention WHERE (stored, seq) IN ({own})", [person_id])  # noqa: S608  # no value
        cursor.execute("DELETE FROM records_statement WHERE person_id = %s", [person_id])
        gone = int(cursor.rowcount)
    if gone:
        details = {"statements": gone}
        audit.record(actor=SYSTEM, action="records.statements_forgotten", target=f"person:{person_id}", details=details, now=now)
    return gone


def _moments_of(person_id: int) -> Iterator[datetime]:
    return Statement.objects.filter(person_id=person_id).values_list("stored", flat=True).iterator()
