"""When an account falls asleep, and when it wakes again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shuren.identity.data import SleepReason

# So long before an unused account falls asleep its owner is told.
WARNED_BEFORE = timedelta(days=14)


class Turn(StrEnum):
    """What becomes of an account at this review."""

    STAY = "stay"
    NOTE_TIELESS = "note_tieless"
    FORGET_TIELESS = "forget_tieless"
    WARN = "warn"
    SLEEP_LEFT = "sleep_left"
    SLEEP_UNUSED = "sleep_unused"
    WAKE = "wake"


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of an account: whether its person belongs somewhere, since when not, and when it was last used."""

    is_active: bool
    sleep_reason: SleepReason | None
    has_ties: bool
    tieless_since: datetime | None
    is_usable: bool
    used_at: datetime


def turn_of(life: Life, *, now: datetime, grace: timedelta, unused_after: timedelta | None) -> Turn:
    """The next step in an account's life. Nothing is ever deleted, and only what slept for having left wakes by itself.

    `grace` is how long somebody who belongs nowhere may still come in (a pupil between two schools); an account that
    nobody used for `unused_after` sleeps too, None never.
    """
    if not life.is_active:
        return Turn.WAKE if life.sleep_reason is SleepReason.LEFT and life.has_ties else Turn.STAY
    if not life.has_ties:
        if life.tieless_since is None:
            return Turn.NOTE_TIELESS
        return Turn.SLEEP_LEFT if now - life.tieless_since >= grace else Turn.STAY
    if life.tieless_since is not None:
        return Turn.FORGET_TIELESS
    if unused_after is None or not life.is_usable:
        return Turn.STAY
    idle = now - life.used_at
    if idle >= unused_after:
        return Turn.SLEEP_UNUSED
    return Turn.WARN if idle >= unused_after - WARNED_BEFORE else Turn.STAY


def may_wake_itself(reason: SleepReason | None, *, has_second_factor: bool) -> bool:
    """Whether the right password and a second factor together wake an account: only from having been unused."""
    return reason is SleepReason.UNUSED and has_second_factor
