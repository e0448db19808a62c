"""Failures, counted by whose account and from where, so that nobody locks out anybody but themself.

A guess counts against the pair of account and origin. The origin is the browser, where the account came in from it
before or a school's network shares one address, else the network address (of IPv6 the /64): five failures close that
pair for a minute, then two, four, eight, fifteen. Guesses from everywhere together close an account only to browsers it
never used, later in networks it came in from than elsewhere, and an address that fails all the time is slowed to one
try a second for names that never came in from there. A name nobody has is counted alike.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils.crypto import salted_hmac

from shuren.identity.data import SignInOutcome, SignInRefusal, Visit
from shuren.identity.models import Failure
from shuren.identity.rules import locks
from shuren.identity.rules.networks import counted_network
from shuren.identity.rules.risk import network_prefix
from shuren.identity.selectors.places import is_school_address
from shuren.kernel.moments import loaded
from shuren.trust import api as trust

_COUNT = """
    INSERT INTO identity_failure (key, window_began_at, count) VALUES (%s, %s, 1)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN identity_failure.window_began_at <= %s THEN 1 ELSE identity_failure.count + 1 END,
        window_began_at = CASE WHEN identity_failure.window_began_at <= %s THEN %s ELSE identity_failure.window_began_at END
    RETURNING count
"""

_FAILED = "SELECT key, window_began_at, count, blocked_until FROM identity_failure WHERE key IN (%s, %s, %s, %s, %s)"
_BROWSERS = """
    SELECT COALESCE(SUM(CASE WHEN token_hash = %s THEN 1 ELSE 0 END), 0),
           COALESCE(SUM(CASE WHEN prefix = %s THEN 1 ELSE 0 END), 0)
    FROM identity_device WHERE account_id = %s
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose door somebody knocks at, and from where; familiar are browsers and networks the account came in from."""

    whose: str
    where: str
    address: str
    is_known_device: bool
    is_known_network: bool

    @property
    def pair(self) -> str:
        return f"pair:{self.whose}:{self.where}"

    @property
    def strange(self) -> str:
        return f"strange:{self.whose}"

    @property
    def near(self) -> str:
        return f"near:{self.whose}"


@dataclass(frozen=True, slots=True)
class Record:
    """What failed before: `refusal` while the origin waits, wrong answers of this origin, and guesses from strange places."""

    refusal: SignInOutcome | None
    has_failed: bool
    strange: int


def device_hash(token: str) -> str:
    return trust.blind_index(token, purpose="identity.device")


def whose_name(name: str) -> str:
    """The key of a typed name, which is kept nowhere as it stands."""
    return "name:" + salted_hmac("identity.sign_in_name", locks.sign_in_name(name), algorithm="sha256").hexdigest()[:40]


def origin_of(*, account_id: int | None, name: str = "", visit: Visit) -> Origin:
    """Where the visit comes from, as this account knows it; costs the same for a name that nobody has."""
    token = device_hash(visit.device) if visit.device else ""
    prefix = network_prefix(visit.address)
    with connection.cursor() as cursor:
        cursor.execute(_BROWSERS, [token, prefix, account_id or 0])
        same, near = cursor.fetchone()
    is_known, network = bool(token) and same > 0, counted_network(visit.address)
    if is_known:
        where = f"device:{token[:32]}"
    else:
        where = f"mark:{visit.mark[:32]}" if visit.mark and is_school_address(visit.address) else f"net:{network}"
    return Origin(
        whose=f"account:{account_id}" if account_id else whose_name(name),
        where=where,
        address=network,
        is_known_device=is_known,
        is_known_network=bool(prefix) and near > 0,
    )


def refusal_of(origin: Origin, *, now: datetime) -> SignInOutcome | None:
    """Why nothing is even tried: this origin waits after its failures; None when the door may be tried."""
    return record_of(origin, now=now).refusal


def record_of(origin: Origin, *, now: datetime) -> Record:
    """Everything that failed before and matters to this origin, in one look."""
    keys = (origin.pair, origin.strange, origin.near, f"address:{origin.address}", f"pace:{origin.address}")
    with connection.cursor() as cursor:
        cursor.execute(_FAILED, keys)
        rows = {
            key: Failure(key, loaded(began), count, until and loaded(until)) for key, began, count, until in cursor.fetchall()
        }
    strange = _count(rows.get(origin.strange), locks.STRANGE_WINDOW, now)
    return Record(_refusal(origin, rows, now=now), origin.pair in rows, strange)


def _refusal(origin: Origin, rows: dict[str, Failure], *, now: datetime) -> SignInOutcome | None:
    address, pace = f"address:{origin.address}", f"pace:{origin.address}"
    pair = rows.get(origin.pair)
    if pair and pair.blocked_until and pair.blocked_until > now:
        return SignInOutcome(None, SignInRefusal.LOCKED, pair.blocked_until)
    if origin.is_known_device:
        return None
    together, most = (
        (origin.near, locks.MAX_NEAR_FAILURES) if origin.is_known_network else (origin.strange, locks.MAX_STRANGE_FAILURES)
    )
    if _count(rows.get(together), locks.STRANGE_WINDOW, now) >= most:
        return SignInOutcome(None, SignInRefusal.LOCKED, rows[together].window_began_at + locks.STRANGE_WINDOW)
    if origin.is_known_network or _count(rows.get(address), locks.ADDRESS_WINDOW, now) < locks.MAX_ADDRESS_FAILURES:
        return None
    until = rows[pace].blocked_until if pace in rows else None
    if until and until > now:
        return SignInOutcome(None, SignInRefusal.TOO_MANY, until)
    Failure.objects.update_or_create(
        key=pace, defaults={"window_began_at": now, "blocked_until": now + locks.ADDRESS_PACE, "count": 0}
    )
    return None


def count_failure(origin: Origin, *, now: datetime) -> tuple[int, datetime | None]:
    """Count a wrong answer; returns how many there were in a row from here and until when this origin waits."""
    count = add(origin.pair, window=locks.PAIR_WINDOW, now=now)
    add(f"address:{origin.address}", window=locks.ADDRESS_WINDOW, now=now)
    if not origin.is_known_device:
        add(origin.near if origin.is_known_network else origin.strange, window=locks.STRANGE_WINDOW, now=now)
    until = locks.locked_until(failed_count=count, now=now)
    if until:
        Failure.objects.filter(key=origin.pair).update(blocked_until=until)
    return count, until


def forget(origin: Origin) -> None:
    """A right answer wipes the failures of this origin; mostly there are none, and nothing is written."""
    if Failure.objects.filter(key=origin.pair).exists():
        Failure.objects.filter(key=origin.pair).delete()


def add(key: str, *, window: timedelta, now: datetime) -> int:
    """Add one to the window of `key`, opening a new window when the last has closed; returns the count."""
    gone = now - window
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [key[:160], now, gone, gone, now])
        return int(cursor.fetchone()[0])


def blocked_until(key: str, *, now: datetime) -> datetime | None:
    """Until when `key` waits, or None."""
    return Failure.objects.filter(key=key, blocked_until__gt=now).values_list("blocked_until", flat=True).first()


def count_key(key: str, *, now: datetime) -> datetime | None:
    """Count a wrong answer under a key of its own, such as a second factor; returns until when that key waits."""
    until = locks.locked_until(failed_count=add(key, window=locks.PAIR_WINDOW, now=now), now=now)
    if until:
        Failure.objects.filter(key=key).update(blocked_until=until)
    return until


def is_spent(key: str, *, most: int, window: timedelta, now: datetime) -> bool:
    """Whether `key` was counted up to `most` times within its window."""
    row = Failure.objects.filter(key=key).first()
    return _count(row, window, now) >= most


def forget_key(key: str) -> None:
    Failure.objects.filter(key=key).delete()


def _count(row: Failure | None, window: timedelta, now: datetime) -> int:
    return row.count if row is not None and row.window_began_at > now - window else 0
