"""Where an installation stands against what it set itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from shuren.backups.data import RunData, RunState, Standing

_GOOD = (RunState.DONE, RunState.PARTIAL)
# A run that is due comes a little later than the clock says.
_LEEWAY = timedelta(hours=1)


def standing_of(
    *,
    backups: Sequence[RunData],
    drills: Sequence[RunData],
    is_set_up: bool,
    every: timedelta,
    drill_every: timedelta,
    now: datetime,
) -> Standing:
    """The standing from runs, newest first.

    The recovery point is the longest time between two good backups in a row, up to now: what a disaster at the worst moment
    would have cost. A backup holds what was there when it began.
    """
    good = [run for run in backups if run.state in _GOOD]
    proved = [run for run in drills if run.state is RunState.DONE]
    moments = [now, *(run.started_at for run in good)]
    gaps = [(later - earlier).total_seconds() for later, earlier in pairwise(moments)]
    backed_up_at = good[0].started_at if good else None
    drilled_at = proved[0].started_at if proved else None
    return Standing(
        is_set_up=is_set_up,
        backed_up_at=backed_up_at,
        drilled_at=drilled_at,
        rpo_seconds=max(gaps) if gaps else None,
        rto_seconds=float(proved[0].report.get("rto_seconds", 0)) if proved else None,
        bytes=good[0].bytes if good else 0,
        is_backup_late=is_set_up and (backed_up_at is None or now - backed_up_at > every + _LEEWAY),
        is_drill_late=is_set_up and (drilled_at is None or now - drilled_at > drill_every + _LEEWAY),
        is_last_backup_whole=not backups or backups[0].state is RunState.DONE,
        is_last_drill_good=not drills or drills[0].state is RunState.DONE,
    )


def is_due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    return last is None or now - last >= every
