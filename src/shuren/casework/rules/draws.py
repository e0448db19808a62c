"""Draws that outsiders can run again: what is frozen, the seed, and what comes out. The standard library alone is enough.

The steps are written down in `docs/decisions/0012-draws-nobody-can-steer.md`, so that anybody may write them anew: the
page in the browser does (`frontend/src/draws/`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, TypeVar

Thing = TypeVar("Thing")

PROTOCOL = "shuren-draw-1"
INSPECTION, LOTTERY = "inspection", "lottery"
SECRET_BYTES = 32
_WORD = 8
_SPAN = 1 << (8 * _WORD)


class DrawImpossible(ValueError):
    """Some objects have fewer inspectors without a conflict than each must get; `names` says which."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"too few inspectors for {', '.join(names)}")
        self.names = tuple(names)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One thing or person in a pool, as it is frozen. `barred` gives the number of the rule against each inspector by id."""

    id: str
    label: str
    org: str = ""
    org_name: str = ""
    stratum: str = ""
    facts: Mapping[str, str | int | None] = field(default_factory=dict)
    barred: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "label": self.label,
            "org": self.org,
            "org_name": self.org_name,
            "stratum": self.stratum,
            "facts": dict(self.facts),
            "barred": dict(self.barred),
        }


@dataclass(frozen=True, slots=True)
class Drawn:
    """An object that was drawn, with whom inspects it (nobody in a lottery), by their ids."""

    object: str
    inspectors: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"object": self.object, "inspectors": list(self.inspectors)}


def canonical(value: object) -> bytes:
    """The one way in which a JSON value is written before it is hashed: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def pools_of(objects: Iterable[Ticket], inspectors: Iterable[Ticket]) -> dict[str, Any]:
    """The two pools as they are frozen, each in the order of its ids; raises `ValueError` where an id stands twice."""
    pools = {"objects": list(objects), "inspectors": list(inspectors)}
    for name, tickets in pools.items():
        if len({ticket.id for ticket in tickets}) != len(tickets):
            raise ValueError(f"an id stands twice among the {name}")
    return {name: [t.as_json() for t in sorted(tickets, key=lambda t: t.id)] for name, tickets in pools.items()}


def read_tickets(rows: Iterable[Mapping[str, Any]]) -> list[Ticket]:
    """What `pools_of` wrote."""
    return [Ticket(**{key: row[key] for key in ("id", "label", "org", "org_name", "stratum", "facts", "barred")}) for row in rows]


def commitment_of(secret: bytes) -> str:
    """What is published of the secret before anybody contributes."""
    return sha256(secret).hex()


def seed_of(secret: bytes, contribution: str, pools_digest: str) -> bytes:
    """SHA-256 over the secret (32 bytes), the contribution (UTF-8) and the digest of the pools (32 bytes)."""
    pools = bytes.fromhex(pools_digest)
    if len(secret) != SECRET_BYTES or len(pools) != SECRET_BYTES:
        raise ValueError("the secret and the digest of the pools have 32 bytes each")
    return sha256(secret + contribution.encode() + pools)


class Stream:
    """Numbers without end from one seed: block n is SHA-256(seed ‖ label ‖ 0x00 ‖ n as 8 bytes), read 8 bytes at a time."""

    def __init__(self, seed: bytes, label: str) -> None:
        self._words = self._all(seed + label.encode() + b"\0")

    @staticmethod
    def _all(head: bytes) -> Iterator[int]:
        number = 0
        while True:
            block = sha256(head + number.to_bytes(_WORD, "big"))
            for place in range(0, len(block), _WORD):
                yield int.from_bytes(block[place : place + _WORD], "big")
            number += 1

    def below(self, limit: int) -> int:
        """A number from 0 up to `limit`, each as likely as any other: words of the uneven rest are thrown away."""
        if limit < 1:
            raise ValueError("a limit is at least one")
        even = _SPAN - _SPAN % limit
        return next(word % limit for word in self._words if word < even)


def shuffled(things: Sequence[Thing], seed: bytes, label: str) -> list[Thing]:
    """The things in a random order (Fisher–Yates from the end)."""
    order, stream = list(things), Stream(seed, label)
    for last in range(len(order) - 1, 0, -1):
        other = stream.below(last + 1)
        order[last], order[other] = order[other], order[last]
    return order


def count_of(total: int, *, count: int | None, percent: int | None) -> int:
    """How many are drawn: never more than there are; a share is rounded up, so that it never comes to nobody."""
    wanted = count if percent is None else ceil(total * percent / 100)
    return min(total, wanted or 0)


def shares(sizes: Mapping[str, int], count: int) -> dict[str, int]:
    """`count` shared out by size (largest remainder; of equal remainders the first by name), in the order of the names."""
    total = sum(sizes.values())
    if not 0 <= count <= total:
        raise ValueError("more are wanted than there are")
    if not total:
        return dict.fromkeys(sorted(sizes), 0)
    quotas = {name: divmod(size * count, total) for name, size in sorted(sizes.items())}
    left = count - sum(whole for whole, _rest in quotas.values())
    favoured = set(sorted(quotas, key=lambda name: (-quotas[name][1], name))[:left])
    return {name: whole + (name in favoured) for name, (whole, _rest) in quotas.items()}


def draw_objects(objects: Sequence[Ticket], count: int, seed: bytes) -> list[Ticket]:
    """`count` of the objects, from every stratum its share, stratum after stratum."""
    strata: dict[str, list[Ticket]] = {}
    for ticket in sorted(objects, key=lambda ticket: ticket.id):
        strata.setdefault(ticket.stratum, []).append(ticket)
    share = shares({name: len(tickets) for name, tickets in strata.items()}, count)
    return [ticket for name in share for ticket in shuffled(strata[name], seed, f"objects:{name}")[: share[name]]]


def short_of(objects: Iterable[Ticket], inspectors: Sequence[Ticket], each: int) -> list[Ticket]:
    """The objects that too few inspectors may inspect."""
    return [ticket for ticket in objects if len(_free(ticket, inspectors)) < each]


def assign(drawn: Sequence[Ticket], inspectors: Sequence[Ticket], each: int, seed: bytes) -> list[Drawn]:
    """`each` inspectors for every drawn object, none of whom is barred, the load spread evenly.

    Objects that fewest may inspect come first. Each asks those with the least to do, chance deciding among equals.
    """
    if short := short_of(drawn, inspectors, each):
        raise DrawImpossible([ticket.label for ticket in short])
    load = dict.fromkeys((ticket.id for ticket in inspectors), 0)
    pool = sorted(inspectors, key=lambda ticket: ticket.id)
    chosen: dict[str, tuple[str, ...]] = {}
    order = sorted(enumerate(drawn), key=lambda placed: (len(_free(placed[1], pool)), placed[0]))
    for _place, ticket in order:
        asked = shuffled([person.id for person in _free(ticket, pool)], seed, f"inspectors:{ticket.id}")
        chosen[ticket.id] = tuple(sorted(asked, key=load.__getitem__)[:each])
        for person in chosen[ticket.id]:
            load[person] += 1
    return [Drawn(ticket.id, chosen[ticket.id]) for ticket in drawn]


def lottery(pool: Sequence[Ticket], places: int, seed: bytes) -> list[Drawn]:
    """The whole pool in the order that was drawn: the first `places` are in, the others wait in this order."""
    if not 0 <= places <= len(pool):
        raise ValueError("more places than there are in the pool")
    return [Drawn(ticket.id) for ticket in shuffled(sorted(pool, key=lambda ticket: ticket.id), seed, "lottery")]


def outcome(rules: Mapping[str, Any], pools: Mapping[str, Any], seed: bytes) -> list[dict[str, Any]]:
    """What comes out of a draw, from nothing but what was frozen and the seed."""
    objects, inspectors = read_tickets(pools["objects"]), read_tickets(pools["inspectors"])
    if rules["kind"] == LOTTERY:
        return [drawn.as_json() for drawn in lottery(objects, rules["count"], seed)]
    drawn = draw_objects(objects, rules["count"], seed)
    return [one.as_json() for one in assign(drawn, inspectors, rules["inspectors_each"], seed)]


def _free(ticket: Ticket, inspectors: Sequence[Ticket]) -> list[Ticket]:
    return [person for person in inspectors if person.id not in ticket.barred]
