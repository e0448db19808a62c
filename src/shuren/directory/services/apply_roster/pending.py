"""Taking back the invisible rows of an import that was killed half-way."""

from collections.abc import Mapping

from django.db import connection, transaction

from shuren.directory.models import PendingRoster
from shuren.directory.services.apply_roster.plan import TERMS
from shuren.intake.api import import_state
from shuren.intake.data import ImportStatus

_STEP = 5_000
# Whoever refers comes before whom it refers to.
_ORDER = (
    "directory_guardianlink",
    "directory_enrollment",
    "directory_affiliation",
    "directory_person",
    TERMS,
    "directory_classdetail",
    "directory_course",
    "directory_org",
    "directory_academicsession",
)

# A class detail has no id of its own. Orgs are numbered from the top of the tree down, so newest first takes children first.
_OWNED = {"directory_classdetail": ("directory_org", "org_id")}


def undo_pending(import_id: int) -> bool:
    """Delete what a killed run of this import wrote; True if there was such a run. Every step may itself be killed."""
    pending = PendingRoster.objects.filter(import_id=import_id).first()
    if pending is None:
        return False
    delete_ranges(pending.ranges)
    PendingRoster.objects.filter(import_id=import_id).delete()
    return True


def sweep_pending() -> int:
    """Undo what is left of imports that nobody applies any more; returns how many there were."""
    left = [
        import_id
        for import_id in PendingRoster.objects.values_list("import_id", flat=True)
        if import_state(import_id).status != ImportStatus.APPLYING
    ]
    return sum(undo_pending(import_id) for import_id in left)


def delete_ranges(ranges: Mapping[str, list[int]]) -> None:
    """Delete the reserved ids of every table, newest first, in short transactions (or the caller's one)."""
    for table in _ORDER:
        owner, column = _OWNED.get(table, (table, "id"))
        first, end = ranges.get(owner, (0, 0))
        if table == "directory_org" and end:
            _delete("directory_orgcount", "org_id", first, end)
        for start in range(end, first, -_STEP):
            _delete(table, column, max(first, start - _STEP), start)


def _delete(table: str, column: str, first: int, end: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {column} >= %s AND {column} < %s", [first, end])
