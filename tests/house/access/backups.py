"""Backups and drills, which belong to the whole installation."""

from datetime import UTC, datetime

from shuren.backups.data import RunKind, RunState
from shuren.backups.models import Run
from shuren.kernel import ids
from tests.cast import Cast
from tests.house.access.accounts import SIGN_IN_ADMINS
from tests.house.access.frame import Address, Area, page

BACKUPS: dict[str, Address] = {
    "backups:backups": page(SIGN_IN_ADMINS, denied=403),
    "backups:run": page(SIGN_IN_ADMINS, SIGN_IN_ADMINS, denied=403, run_id="backup_run"),
    # Nobody signed the cast's drills.
    "backups:report": page(SIGN_IN_ADMINS, SIGN_IN_ADMINS, denied=403, granted=404, run_id="backup_run"),
}


def backup_places(cast: Cast) -> dict[str, tuple[str, str]]:
    at = datetime(2026, 11, 30, tzinfo=UTC)
    rows = [Run.objects.create(kind=RunKind.DRILL, state=RunState.FAILED, started_at=at, finished_at=at) for _number in range(2)]
    first, second = (ids.encode("backup_run", row.pk) for row in rows)
    return {"backup_run": (first, second)}


AREA = Area(BACKUPS, backup_places)
