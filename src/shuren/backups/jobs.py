"""Backups and drills that come by themselves, when targets are set and the last one is old enough."""

from datetime import timedelta
from typing import Any

from django.conf import settings

from shuren.backups.announced import JOB_TITLES
from shuren.backups.data import RunKind
from shuren.backups.rules.policy import is_due
from shuren.backups.selectors.runs import last_begun, standing
from shuren.backups.services.back_up import back_up
from shuren.backups.services.drill import drill
from shuren.backups.services.prune import prune
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict
from shuren.work import api as work
from shuren.work.api import register_periodic
from shuren.work.data import JobContext

_LOOK = timedelta(minutes=15)
# How long one that failed is left alone.
_AGAIN = {RunKind.BACKUP: timedelta(hours=1), RunKind.DRILL: timedelta(hours=12)}

register_periodic("shuren.backups.jobs.look_at_clock", _LOOK)


def look_at_clock(job: JobContext) -> dict[str, Any]:
    """Have a backup or a drill made that is due by the policy."""
    now = clock.now()
    state = standing(now=now)
    if not state.is_set_up:
        return {}
    wanted = {
        RunKind.BACKUP: is_due(state.backed_up_at, timedelta(hours=settings.SHUREN_BACKUP_EVERY_HOURS), now),
        RunKind.DRILL: state.backed_up_at is not None
        and is_due(state.drilled_at, timedelta(days=settings.SHUREN_BACKUP_DRILL_DAYS), now),
    }
    due = [kind.value for kind, is_it in wanted.items() if is_it and is_due(last_begun(kind), _AGAIN[kind], now)]
    for name in due:
        work.enqueue(f"shuren.backups.jobs.{name}_now", title=JOB_TITLES[name], key=f"backups:{name}", max_attempts=1)
    return {"due": due}


def backup_now(job: JobContext) -> dict[str, int]:
    """Make a backup, then forget those that the policy lets go."""
    done = 0

    def told(count: int) -> None:
        nonlocal done
        done += count
        job.progress(done)

    made = back_up(actor=SYSTEM, now=clock.now(), on_bytes=told)
    try:
        gone = prune(actor=SYSTEM, now=clock.now()).files
    except Conflict:  # a drill reads the repository: the next backup prunes
        gone = 0
    return {"bytes": made.bytes, "stored": made.stored, "pruned": gone}


def drill_now(job: JobContext) -> dict[str, Any]:
    """Prove the newest backup."""
    run = drill(actor=SYSTEM, now=clock.now())
    return {"state": run.state.value, "rto_seconds": run.report.get("rto_seconds")}
