"""How unusual a sign-in is, from what is known about the account; free of database and clock."""

from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address, ip_network
from math import asin, cos, radians, sin, sqrt

from shuren.identity.data import RiskDecision, RiskReason

MANY_FAILURES = 10
_FASTEST_KMH = 1_000.0
_NEAR_KM = 300.0
_EARTH_KM = 6_371.0


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on earth that a network belongs to."""

    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known when somebody has shown the right first factor; `is_first` when the account never came in before."""

    is_first: bool = False
    is_known_device: bool = False
    is_known_network: bool = False
    failures: int = 0
    kilometres: float | None = None
    hours: float | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    decision: RiskDecision
    reasons: tuple[RiskReason, ...] = field(default=())


def assess(signals: Signals) -> Assessment:
    """Weigh the signals: an unusual place or many failures on an unknown device asks for more, all at once is refused."""
    reasons = _reasons(signals)
    is_new = RiskReason.NEW_DEVICE in reasons
    if {RiskReason.NEW_DEVICE, RiskReason.IMPOSSIBLE_SPEED, RiskReason.MANY_FAILURES} <= set(reasons):
        return Assessment(RiskDecision.REFUSE, reasons)
    is_risky = RiskReason.IMPOSSIBLE_SPEED in reasons or (
        is_new and bool({RiskReason.NEW_NETWORK, RiskReason.MANY_FAILURES} & set(reasons))
    )
    return Assessment(RiskDecision.STEP_UP if is_risky else RiskDecision.ALLOW, reasons)


def network_prefix(address: str) -> str:
    """The neighbourhood of an address: a /24 of IPv4 or a /56 of IPv6, as text; empty for no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network(f"{parsed}/{24 if parsed.version == 4 else 56}", strict=False))


def is_inside(address: str, networks: tuple[str, ...]) -> bool:
    """Whether the address lies in one of the CIDR networks; nothing lies in a network that is none."""
    try:
        parsed = ip_address(address)
        return any(parsed in ip_network(network, strict=False) for network in networks)
    except ValueError:
        return False


def kilometres_between(one: Spot, other: Spot) -> float:
    """Great-circle distance by the haversine formula."""
    high, low = radians(one.latitude), radians(other.latitude)
    chord = sin((high - low) / 2) ** 2 + cos(high) * cos(low) * sin(radians(one.longitude - other.longitude) / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(chord))


def hours_between(earlier: datetime, later: datetime) -> float:
    return max((later - earlier).total_seconds() / 3_600, 0.0)


def _reasons(signals: Signals) -> tuple[RiskReason, ...]:
    found = []
    if not signals.is_first and not signals.is_known_device:
        found.append(RiskReason.NEW_DEVICE)
    if not signals.is_first and not signals.is_known_network:
        found.append(RiskReason.NEW_NETWORK)
    if signals.failures >= MANY_FAILURES:
        found.append(RiskReason.MANY_FAILURES)
    distance, hours = signals.kilometres, signals.hours
    if distance is not None and hours is not None and distance > max(_NEAR_KM, _FASTEST_KMH * hours):
        found.append(RiskReason.IMPOSSIBLE_SPEED)
    return tuple(found)
