"""People whose places an import changed have changed themselves: where they belong is part of what is told of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from shuren.directory.rules.roster.kinds import AFFILIATION, ENROLLMENT, PERSON
from shuren.directory.services.apply_roster.before import touched_ids
from shuren.directory.services.apply_roster.writers import run_for_ids
from shuren.directory.services.check_roster.staging import Stage
from shuren.kernel.moments import stored


def touch_people(stage: Stage, ranges: Mapping[str, Sequence[int]], *, at: datetime) -> None:
    """Mark the people held before whose roles or places in classes were added, changed or ended."""
    moment = stored(at)
    first, end = ranges.get(PERSON.table, (0, 0))
    for kind in (AFFILIATION, ENROLLMENT):
        held = f"SELECT person_id FROM {kind.table} WHERE id"
        run_for_ids(
            touched_ids(stage, kind),
            f"UPDATE {PERSON.table} SET modified_at = %s WHERE id IN ({held} IN {{ids}})",
            [moment],
        )
        start, stop = ranges.get(kind.table, (0, 0))
        if stop > start:
            _touch(
                f"UPDATE {PERSON.table} SET modified_at = %s WHERE id IN ({held} >= %s AND id < %s "
                "AND (person_id < %s OR person_id >= %s))",
                [moment, start, stop, first, end],
            )


def _touch(sql: str, parameters: Sequence[int | str | datetime]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
