"""Counting what apps call, without a write for each call.

A process reserves a block of calls in the database with one conditional upsert and then answers from memory until the
block or the minute is used up. The sum of all blocks never exceeds the quota, however many processes there are; a block
that a process does not use up is lost for that minute.
"""

import threading
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from django.db import connection, transaction

from shuren.interop.data import Allowance, AppData
from shuren.interop.models import QuotaWindow
from shuren.interop.rules.quotas import bucket_of, share_of, window_of
from shuren.kernel import clock

_FLUSH_SECONDS = 5.0
_FLUSH_CALLS = 500
_RESERVE = """
    INSERT INTO interop_quotawindow (app_id, span, began, used) VALUES (%s, %s, %s, %s)
    ON CONFLICT (app_id, span, began) DO UPDATE SET used = interop_quotawindow.used + excluded.used
    WHERE interop_quotawindow.used + excluded.used <= %s
"""
_ADD = """
    INSERT INTO interop_callcount (app_id, day, outcome, bucket, count) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (app_id, day, outcome, bucket) DO UPDATE SET count = interop_callcount.count + excluded.count
"""


@dataclass(slots=True)
class _Block:
    minute: int
    left: int
    limits: tuple[int, int]


_lock = threading.Lock()
_blocks: dict[int, _Block] = {}
_seen: dict[tuple[int, str, str, int], int] = {}
_flushed = {"at": monotonic()}


def count_call(app: AppData, *, now: datetime) -> Allowance:
    """Take one call off the app's quota; a refused one says after how many seconds the next window opens."""
    minute, wait = window_of("minute", now)
    limits = (app.quota_per_minute, app.quota_per_day)
    with _lock:
        block = _blocks.get(app.id)
        if block is not None and block.minute == minute and block.limits == limits and block.left > 0:
            block.left -= 1
            return Allowance(is_allowed=True)
    for size in dict.fromkeys((share_of(app.quota_per_minute), 1)):
        refused_for = _reserve(app, size, now)
        if refused_for is None:
            _keep(app.id, _Block(minute, size - 1, limits))
            return Allowance(is_allowed=True)
    record_outcome(app, outcome="refused", milliseconds=0.0, now=now)
    return Allowance(is_allowed=False, retry_after=refused_for or wait)


def _keep(app_id: int, block: _Block) -> None:
    """Add what was reserved to what another thread reserved meanwhile: replaced, its calls would be lost to the app."""
    with _lock:
        standing = _blocks.get(app_id)
        if standing is not None and (standing.minute, standing.limits) == (block.minute, block.limits):
            standing.left += block.left
        else:
            _blocks[app_id] = block


def _reserve(app: AppData, size: int, now: datetime) -> int | None:
    """Reserve `size` calls in both windows or in none; returns the seconds to wait where one is full."""
    with transaction.atomic():
        for span, limit in (("day", app.quota_per_day), ("minute", app.quota_per_minute)):
            began, wait = window_of(span, now)
            if size > limit or not _add_to(app.id, span, began, size, limit):
                transaction.set_rollback(True)
                return wait
    return None


def _add_to(app_id: int, span: str, began: int, size: int, limit: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, [app_id, span, began, size, limit])
        return bool(cursor.rowcount == 1)


def record_outcome(app: AppData, *, outcome: str, milliseconds: float, now: datetime) -> None:
    """Remember how a call ended (`done`, `error`, `refused`) and how long it took; written every few seconds."""
    key = (app.id, clock.day_of(now).isoformat(), outcome, bucket_of(milliseconds))
    with _lock:
        _seen[key] = _seen.get(key, 0) + 1
        is_due = monotonic() - _flushed["at"] >= _FLUSH_SECONDS or sum(_seen.values()) >= _FLUSH_CALLS
    if is_due:
        write_counts()


def write_counts() -> None:
    """Write what this process has counted; a killed process loses at most the last seconds of these statistics."""
    with _lock:
        taken = dict(_seen)
        _seen.clear()
        _flushed["at"] = monotonic()
    if not taken:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_ADD, [[*key, count] for key, count in sorted(taken.items())])


def forget_blocks() -> None:
    """Give up what is reserved in this process; the next call asks the database."""
    with _lock:
        _blocks.clear()


def sweep_windows(*, now: datetime) -> int:
    """Delete windows that nobody will ask for again."""
    swept = 0
    for span, kept in (("minute", 60), ("day", 40)):
        began, _wait = window_of(span, now)
        swept += QuotaWindow.objects.filter(span=span, began__lt=began - kept).delete()[0]
    return swept
