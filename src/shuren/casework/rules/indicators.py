"""What rows come to as a figure: sums, means, shares and ratios, and orgs and periods counted once each."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from shuren.casework.rules.expressions import Expression, compile_expression
from shuren.casework.rules.specs.work import IndicatorSpec

_DAY = len("2026-11-30")
# An org and a period; 0 and "" where they are not counted.
Counted = tuple[int, str]


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """A case or an entry: what it says, where it lies (the ids of orgs from the top down), and the day it belongs to."""

    values: Mapping[str, Any]
    line: tuple[int, ...]
    day: date


@dataclass(frozen=True, slots=True)
class IndicatorValue:
    """A figure with what it was made of: `counted` rows (orgs, periods) answer the condition, out of `among`.

    `value` is None where there is nothing to divide by. `by_period` has the figure of every period, where periods are counted.
    """

    value: float | None
    counted: int
    among: int
    by_period: Mapping[str, float | None] = field(default_factory=dict)


class Figure:
    """Takes one row after the other. `orgs` are those that may be counted, `periods` those that a share is of."""

    def __init__(self, spec: IndicatorSpec, *, today: date, orgs: Collection[int] = (), periods: Collection[str] = ()) -> None:
        self._spec, self._today, self._orgs, self._periods = spec, today, frozenset(orgs), frozenset(periods)
        self._where, self._among = _condition(spec.where), _condition(spec.among)
        self._counted = self._base = self._valued = 0
        self._total = self._divisor = 0.0
        self._seen: set[Counted] = set()
        self._seen_among: set[Counted] = set()

    def take(self, row: IndicatorRow) -> None:
        if not self._holds(self._among, row):
            return
        counted = self._counted_as(row) if self._spec.per else None
        self._base += 1
        if counted is not None:
            self._seen_among.add(counted)
        if not self._holds(self._where, row):
            return
        self._counted += 1
        if counted is not None:
            self._seen.add(counted)
        self._sum(row)

    def _sum(self, row: IndicatorRow) -> None:
        told, base = _number(row.values.get(self._spec.field)), _number(row.values.get(self._spec.base))
        if told is None or (self._spec.measure == "ratio" and base is None):
            return
        self._valued += 1
        self._total += told
        self._divisor += base or 0.0

    def value(self) -> IndicatorValue:
        if self._spec.per:
            return self._value_per()
        spec = self._spec
        figures = {
            "count": float(self._counted),
            "sum": self._total,
            "mean": _quotient(self._total, self._valued),
            "share": _quotient(self._counted, self._base),
            "ratio": _quotient(self._total, self._divisor),
        }
        return IndicatorValue(_scaled(figures[spec.measure], spec.scale), self._counted, self._base)

    def _value_per(self) -> IndicatorValue:
        spec = self._spec
        seen = Counter(period for _org, period in self._seen)
        among = Counter(period for _org, period in self._seen_among)
        if spec.orgs:
            among = Counter(dict.fromkeys(self._periods if "period" in spec.per else [""], len(self._orgs)))

        def figure(counted: int, base: int) -> float | None:
            return _scaled(_quotient(counted, base) if spec.measure == "share" else float(counted), spec.scale)

        by_period = {period: figure(seen[period], base) for period, base in sorted(among.items())} if "period" in spec.per else {}
        return IndicatorValue(figure(seen.total(), among.total()), seen.total(), among.total(), by_period)

    def _counted_as(self, row: IndicatorRow) -> Counted | None:
        """The org and the period of a row, where they are counted; None where it belongs to none."""
        spec, org, period = self._spec, 0, ""
        if "org" in spec.per:
            org = next((one for one in reversed(row.line) if not spec.orgs or one in self._orgs), 0)
        if "period" in spec.per:
            period = period_of(row.values.get(spec.period) if spec.period else row.day)
        is_none = ("org" in spec.per and not org) or ("period" in spec.per and not period)
        return None if is_none else (org, period)

    def _holds(self, condition: Expression | None, row: IndicatorRow) -> bool:
        return condition is None or condition.value(row.values, today=self._today) is True


def period_of(value: date | str | None) -> str:
    """The week of a day (`2026-W48`); any other text as it is."""
    if isinstance(value, str):
        day = _day(value)
        return value if day is None else _week(day)
    return _week(value) if value else ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == _DAY else None
    except ValueError:
        return None


def _week(day: date) -> str:
    year, week, _day_of_week = day.isocalendar()
    return f"{year}-W{week:02}"


def _condition(text: str) -> Expression | None:
    return compile_expression(text) if text else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _quotient(total: float, of: float) -> float | None:
    return total / of if of else None


def _scaled(value: float | None, scale: int) -> float | None:
    return None if value is None else value * scale
