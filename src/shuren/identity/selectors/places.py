"""What is known of a network address: the school it belongs to, or the place that a table of networks names."""

import csv
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from time import monotonic

from django.conf import settings

from shuren.directory import api as directory
from shuren.identity.models import SchoolNetwork
from shuren.identity.rules.networks import NetworkTable, network_table
from shuren.identity.rules.risk import Spot

_KEPT_SECONDS = 60.0
_kept: dict[str, tuple[float, NetworkTable]] = {}


def networks_of_school(org_id: int) -> tuple[str, ...]:
    """The CIDR blocks written for this org; empty when nobody wrote any."""
    row = SchoolNetwork.objects.filter(org_id=org_id).first()
    return tuple(row.networks.split()) if row else ()


def place_of(address: str) -> str:
    """A short name of where the address is: a school, a place of the table, or empty when nothing is known."""
    if not address:
        return ""
    org_id = _schools().owner_of(address)
    if org_id is not None:
        org = directory.orgs_by_ids([org_id]).get(org_id)
        return (org.short_name or org.name)[:80] if org else ""
    spot = spot_of(address)
    return spot.name[:80] if spot else ""


def is_school_address(address: str) -> bool:
    """Whether some school has written the address down as its own; up to a minute old."""
    return _schools().owner_of(address) is not None


def forget_networks() -> None:
    """The table is read anew with the next question, in this process."""
    _kept.clear()


def _schools() -> NetworkTable:
    made_at, table = _kept.get("schools", (0.0, None))
    if table is None or monotonic() - made_at > _KEPT_SECONDS:
        rows = SchoolNetwork.objects.exclude(networks="").order_by("pk").values_list("org_id", "networks")
        table = network_table((org_id, networks.split()) for org_id, networks in rows.iterator())
        _kept["schools"] = (monotonic(), table)
    return table


def spot_of(address: str) -> Spot | None:
    """The place of the address by `SHUREN_PLACES_FILE`, the narrowest network first; None where nothing is known."""
    if not settings.SHUREN_PLACES_FILE or not address:
        return None
    parsed = ip_address(address)
    return next((spot for network, spot in _table(str(settings.SHUREN_PLACES_FILE)) if parsed in network), None)


@lru_cache(maxsize=2)
def _table(path: str) -> list[tuple[IPv4Network | IPv6Network, Spot]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = [
            (ip_network(row["network"]), Spot(row["name"], float(row["latitude"]), float(row["longitude"])))
            for row in csv.DictReader(file)
        ]
    return sorted(rows, key=lambda row: -row[0].prefixlen)
