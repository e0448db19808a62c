"""What tests of draws share: an independent rewriting of the protocol, and pools of invented schools and inspectors."""

import hashlib
import json
from typing import Any

from shuren.casework.rules.draws import Ticket, pools_of


def pool(schools: int, inspectors: int, *, strata: int = 1, orgs: int = 5) -> dict[str, Any]:
    objects = [
        Ticket(f"s{n:03}", f"学校{n}", org=f"o{n % orgs}", org_name=f"机构{n % orgs}", stratum="甲乙丙丁"[n % strata])
        for n in range(schools)
    ]
    people = [Ticket(f"p{n:03}", f"人员{n}", org=f"o{n % (orgs * 2)}") for n in range(inspectors)]
    for number, thing in enumerate(objects):
        barred = {person.id: 0 for person in people if person.org == thing.org}
        objects[number] = Ticket(thing.id, thing.label, thing.org, thing.org_name, thing.stratum, {}, barred)
    return pools_of(objects, people)


def rules(count: int, each: int = 2) -> dict[str, Any]:
    conflict = {"same_org": True, "when": "", "reason": {"zh": "同一单位", "en": ""}}
    return {"kind": "inspection", "count": count, "inspectors_each": each, "strata": "kind", "conflicts": [conflict]}


def plain_shuffle(things: list[str], seed: bytes, label: str) -> list[str]:
    """The protocol's shuffle written anew from its description, slowly: all words in one list, no classes."""
    words: list[int] = []
    for block in range(4 + len(things)):
        digest = hashlib.sha256(seed + label.encode("utf-8") + b"\x00" + block.to_bytes(8, "big")).hexdigest()
        words += [int(digest[place : place + 16], 16) for place in (0, 16, 32, 48)]
    out = list(things)
    for last in reversed(range(1, len(out))):
        limit = last + 1
        while (word := words.pop(0)) >= 2**64 - (2**64 % limit):
            continue
        other = word % limit
        out[last], out[other] = out[other], out[last]
    return out


def plain_outcome(told: dict[str, Any], pools: dict[str, Any], seed: bytes) -> list[dict[str, Any]]:
    """The whole draw written anew, from the decision page alone."""
    names = [thing["id"] for thing in pools["objects"]]
    if told["kind"] == "lottery":
        return [{"object": name, "inspectors": []} for name in plain_shuffle(names, seed, "lottery")]
    strata = sorted({thing["stratum"] for thing in pools["objects"]})
    members = {name: [thing["id"] for thing in pools["objects"] if thing["stratum"] == name] for name in strata}
    exact = {name: len(members[name]) * told["count"] / len(names) for name in strata}
    share = {name: int(exact[name] + 1e-9) for name in strata}
    by_rest = sorted(strata, key=lambda name: (-round(exact[name] - share[name], 9), name))
    for name in by_rest[: told["count"] - sum(share.values())]:
        share[name] += 1
    drawn = [one for name in strata for one in plain_shuffle(members[name], seed, f"objects:{name}")[: share[name]]]
    barred = {thing["id"]: set(thing["barred"]) for thing in pools["objects"]}
    people = [person["id"] for person in pools["inspectors"]]
    free = {one: [person for person in people if person not in barred[one]] for one in drawn}
    load = dict.fromkeys(people, 0)
    found: dict[str, list[str]] = {}
    for one in sorted(drawn, key=lambda one: (len(free[one]), drawn.index(one))):
        order = plain_shuffle(free[one], seed, f"inspectors:{one}")
        found[one] = sorted(order, key=lambda person: (load[person], order.index(person)))[: told["inspectors_each"]]
        for person in found[one]:
            load[person] += 1
    return [{"object": one, "inspectors": found[one]} for one in drawn]


def plain_digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()).hexdigest()
