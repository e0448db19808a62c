"""Conflict rules of a draw: expressions over `object.<field>` and `inspector.<field>`, judged when the pools are frozen."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from shuren.casework.rules.draws import Ticket
from shuren.casework.rules.expressions import Expression, compile_expression
from shuren.casework.rules.specs.work import ConflictSpec

_SIDE = re.compile(r"\b(object|inspector)\.([a-z_][a-z0-9_]*)")


def conflict_expression(when: str) -> Expression:
    """The two sides are told apart by a prefix: a dotted name of the language would mean the column of a table."""
    return compile_expression(_SIDE.sub(r"\1_\2", when))


def named_fields(conflicts: Iterable[ConflictSpec], side: str) -> set[str]:
    """The fields of `object` or `inspector` that the rules look at."""
    return {key for rule in conflicts for found, key in _SIDE.findall(rule.when) if found == side}


def judged(when: str, thing: Mapping[str, Any], person: Mapping[str, Any], *, today: date) -> bool:
    """Whether a rule bars this person; what cannot be answered bars nobody."""
    data = {f"object_{key}": value for key, value in thing.items()} | {f"inspector_{key}": value for key, value in person.items()}
    return conflict_expression(when).value(data, today=today) is True


def judge_published(when: str, thing: Mapping[str, Any], person: Mapping[str, Any]) -> bool | None:
    """The same from published facts alone; None where a fact that the rule looks at was not published."""
    asked = _SIDE.findall(when)
    if any(key not in (thing if side == "object" else person) for side, key in asked):
        return None
    return judged(when, thing, person, today=date.max)


def with_conflicts(
    objects: Iterable[tuple[Ticket, Mapping[str, Any]]],
    inspectors: Iterable[tuple[Ticket, Mapping[str, Any]]],
    rules: tuple[ConflictSpec, ...],
    *,
    today: date,
) -> list[Ticket]:
    """The objects, each with the inspectors that a rule bars from it and the number of the first that does."""
    people = list(inspectors)
    found = []
    for ticket, data in objects:
        barred = {}
        for person, facts in people:
            for number, rule in enumerate(rules):
                is_same = rule.same_org and ticket.org and ticket.org == person.org
                if is_same or (rule.when and judged(rule.when, data, facts, today=today)):
                    barred[person.id] = number
                    break
        found.append(replace(ticket, barred=barred))
    return found
