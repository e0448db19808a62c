"""Network addresses as they are counted and looked up; free of database and clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

# What one subscriber of IPv6 is given (RFC 6177): addresses inside it cost nothing.
_SUBSCRIBER = 64


def counted_network(address: str) -> str:
    """What failures are counted against: the address, of IPv6 the /64 it lies in; empty for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network((parsed, _SUBSCRIBER), strict=False)) if isinstance(parsed, IPv6Address) else str(parsed)


@dataclass(frozen=True, slots=True)
class NetworkTable:
    """Whose networks are whose: the narrowest that holds an address, found in one step per length of prefix."""

    owners: dict[tuple[int, int], dict[int, int]]

    def owner_of(self, address: str) -> int | None:
        try:
            parsed = ip_address(address)
        except ValueError:
            return None
        for (version, length), networks in self.owners.items():
            if version == parsed.version:
                free = parsed.max_prefixlen - length
                owner = networks.get(int(parsed) >> free << free)
                if owner is not None:
                    return owner
        return None


def network_table(blocks: Iterable[tuple[int, Iterable[str]]]) -> NetworkTable:
    """A table of (owner, networks in CIDR form); of two owners of one network the first counts."""
    owners: dict[tuple[int, int], dict[int, int]] = {}
    for owner, networks in blocks:
        for text in networks:
            network = ip_network(text, strict=False)
            owners.setdefault((network.version, network.prefixlen), {}).setdefault(int(network.network_address), owner)
    return NetworkTable(dict(sorted(owners.items(), key=lambda item: -item[0][1])))
