"""Which partitions have to be sent: those whose state differs from the one that the receiver acknowledged last."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256


def part_state(pieces: Iterable[str], terms: Mapping[str, object]) -> str:
    """One digest over the files of a partition and over what of it may leave: other masks are another state."""
    told = [list(pieces), terms]
    return sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def differences(found: Mapping[str, str], acknowledged: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Partitions that are new or changed, and those that are gone, each by name."""
    changed = sorted(part for part, state in found.items() if acknowledged.get(part) != state)
    return changed, sorted(set(acknowledged) - set(found))
