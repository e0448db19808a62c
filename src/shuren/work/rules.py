"""Decisions of the queue: who may run again, when, and how fast a job goes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext

LEASE = timedelta(seconds=30)
BEAT = timedelta(seconds=5)
STRANDINGS_LIMIT = 25
KEEP_FINISHED = timedelta(days=90)
KEEP_PERIODIC = timedelta(days=8)  # longer than any period, or its job would run twice
PERIODIC_PREFIX = "periodic:"
NAME_PREFIX = "shuren."

_FIRST_WAIT = timedelta(seconds=2)
_LONGEST_WAIT = timedelta(minutes=10)
_NIGHT_HOUR = timedelta(hours=3)


def wait_before(failures: int) -> timedelta:
    """How long to wait after the `failures`-th failure in a row: 2 s, 8 s, 32 s … at most 10 minutes."""
    factor: int = 4 ** min(failures - 1, 10)
    return min(_LONGEST_WAIT, _FIRST_WAIT * factor)


def may_retry(*, failures: int, max_attempts: int) -> bool:
    return failures < max_attempts


def is_stranded_for_good(strandings: int) -> bool:
    """Whether a job took its worker down so often without a checkpoint in between that it must not run again."""
    return strandings >= STRANDINGS_LIMIT


def is_allowed_name(name: str) -> bool:
    """Only functions of this code base may be named by a row of the database."""
    return name.startswith(NAME_PREFIX) and all(part.isidentifier() for part in name.split("."))


def rate_of(*, done: int, done_before: int, since: datetime | None, until: datetime) -> float | None:
    """Steps per second since this run began; None before there is anything to tell."""
    if since is None or done <= done_before:
        return None
    seconds = (until - since).total_seconds()
    return (done - done_before) / seconds if seconds > 0 else None


def seconds_left(*, done: int, total: int | None, rate: float | None) -> float | None:
    if not total or not rate:
        return None
    return max(0, total - done) / rate


def kept_title(title: str | Promise, words: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """A title and its words as they are kept: what is a lazy translation as its msgid, to be said in any language."""
    with translation.override(None):
        kept = {name: {"msgid": str(word)} if isinstance(word, Promise) else word for name, word in words.items()}
        return str(title)[:200], kept


def said_title(title: str, words: Mapping[str, Any]) -> str:
    """A kept title in the language of whoever reads it now."""
    if not words:
        return gettext(title) if title else ""
    return gettext(title) % {name: gettext(word["msgid"]) if isinstance(word, dict) else word for name, word in words.items()}


def slot_of(moment: datetime, every: timedelta, *, utc_offset: timedelta) -> int:
    """Number of the period that `moment` lies in; periods of a day or more turn over at three at night, local time."""
    seconds = moment.timestamp()
    if every >= timedelta(days=1):
        seconds += (utc_offset - _NIGHT_HOUR).total_seconds()
    return int(seconds // every.total_seconds())
