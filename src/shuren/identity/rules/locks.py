"""Decisions about locks and names, free of database and clock."""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
# A pair of name and origin remembers its failures for half a day, so that the wait grows with persistence.
PAIR_WINDOW = timedelta(hours=12)
# Guesses from everywhere together close an account to strangers; known devices and networks still come in.
MAX_STRANGE_FAILURES = 50
STRANGE_WINDOW = timedelta(hours=1)
# From networks it came in from before, all of whose browsers it never used are counted together too.
MAX_NEAR_FAILURES = 200
# Second factors, from everywhere: whoever types them has shown the first.
MAX_FACTOR_FAILURES = 20
# Three pictures of twelve in order are one in 1,320.
MAX_PICTURE_FAILURES = 30
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
        parsed = ip_address(text.strip())
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)
