"""Decisions about locks and names, free of database and clock."""

from datetime import datetime, timedelta
from ipaddress import ip_address

MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
# A pair of name and origin remembers its failures for half a day, so that the wait grows with persistence.
PAIR_WINDOW = timedelta(hours=12)
# Guesses from everywhere together close an account to strangers; known devices and networks still come in.
MAX_STRANGE_FAILURES = 50
STRANGE_WINDOW = timedelta(hours=1)
MAX_ADDRESS_FAILURES = 100
ADDRESS_WINDOW = timedelta(minutes=15)
# From a network that fails all the time, one name it never used may try per second.
ADDRESS_PACE = timedelta(seconds=1)

_WAITS = (1, 2, 4, 8, 15)


def locked_until(*, failed_count: int, now: datetime) -> datetime | None:
    """When the door opens again after `failed_count` wrong answers in a row; None while it stays open.

    Every fifth closes it: for one minute first, twice as long each time, a quarter of an hour at most.
    """
    if not failed_count or failed_count % MAX_FAILURES:
        return None
    turn = min(failed_count // MAX_FAILURES, len(_WAITS)) - 1
    return now + timedelta(minutes=_WAITS[turn])


def sign_in_name(text: str) -> str:
    """A typed name as it is compared: without the spaces around it, in lower case."""
    return text.strip().lower()[:120]


def network_address(text: str) -> str:
    """The network address that a request came from; empty when a proxy told something that is none."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""
