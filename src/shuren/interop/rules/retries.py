"""When a message is tried again, and when it is given up."""

from datetime import timedelta

# Seconds, minutes, then hours: an app that is being redeployed misses nothing, one that is down overnight neither.
_PAUSES = (5, 30, 120, 600, 1800, 7200, 18_000, 36_000, 50_400)
MAX_ATTEMPTS = len(_PAUSES) + 1
_LEAST_REST, _LONGEST_REST = timedelta(seconds=5), timedelta(minutes=10)
UNANSWERED_FOR = timedelta(days=2)


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after the failed attempt number `attempts`; None when the message is dead."""
    return timedelta(seconds=_PAUSES[attempts - 1]) if attempts < MAX_ATTEMPTS else None


def is_delivered(answer: int) -> bool:
    return 200 <= answer < 300


def rest_of(*, silent_for: timedelta) -> timedelta:
    """How long an app that does not answer is left alone: as long as it has been silent, from 5 seconds to 10 minutes."""
    return min(_LONGEST_REST, max(_LEAST_REST, silent_for))
