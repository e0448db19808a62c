"""Whether a form balances: within itself, with other forms of the unit, and beside the year before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from shuren.casework.api import compile_expression
from shuren.interop.rules.statistics.numbers import Kept, Number, number_of
from shuren.interop.rules.statistics.plan import CellKind, CellPlan, Place
from shuren.interop.rules.statistics.spec import CheckSpec, TemplateSpec

LAST = "last"
Values = Mapping[str, Mapping[str, Kept]]
Named = dict[str, object]


@dataclass(frozen=True, slots=True)
class Imbalance:
    """A check that does not hold; `place` is the line or column it was asked for, empty where it is asked once."""

    check: str
    place: str
    is_error: bool

    @property
    def name(self) -> str:
        return f"{self.check}:{self.place}" if self.place else self.check


def imbalances(
    template: TemplateSpec, values: Values, *, others: Mapping[str, Values | None], last: Values | None, today: date
) -> Iterator[Imbalance]:
    """`others` are the forms of the same unit by their keys; one that is not there leaves its checks unanswered."""
    for check in template.checks:
        beside: dict[str, Values] = {LAST: last} if last is not None else {}
        for alias, key in check.forms.items():
            other = others.get(key)
            if other is not None:
                beside[alias] = other
        expression = compile_expression(check.check)
        for place, named in _asked(template, check, values, beside):
            if expression.value(named, today=today) is False:
                yield Imbalance(check.key, place, check.level == "error")


def _asked(template: TemplateSpec, check: CheckSpec, values: Values, beside: Mapping[str, Values]) -> Iterator[tuple[str, Named]]:
    if check.each is None:
        named: Named = {line: _numbers(told) for line, told in values.items()}
        for alias, other in beside.items():
            named[alias] = {f"{line}_{column}": number_of(kept) for line, told in other.items() for column, kept in told.items()}
        yield "", named
        return
    parts = template.columns if check.each == "column" else template.lines
    for part in parts:
        if not check.only or part.key in check.only:
            across: Named = {alias: _across(other, check.each, part.key) for alias, other in beside.items()}
            yield part.key, {**_across(values, check.each, part.key), **across}


def _across(values: Values, each: str, key: str) -> Named:
    """A column by its lines, or a line by its columns."""
    if each == "line":
        return dict(_numbers(values.get(key, {})))
    return {line: number_of(told[key]) for line, told in values.items() if key in told}


def _numbers(told: Mapping[str, Kept]) -> dict[str, Number | None]:
    return {column: number_of(kept) for column, kept in told.items()}


def unknown_cells(plan: Mapping[Place, CellPlan], values: Values) -> list[Place]:
    """Cells that hold nothing and that somebody must fill in."""
    return [
        place
        for place, cell in plan.items()
        if cell.kind not in (CellKind.BLANK, CellKind.SUM) and values.get(place[0], {}).get(place[1]) is None
    ]
