"""Comparisons of moments as spans of time: what is told to the millisecond is held to the microsecond."""

from dataclasses import dataclass
from datetime import datetime, timedelta

_STEP = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` on and before `end`; None is open."""

    begin: datetime | None = None
    end: datetime | None = None

    def within(self, other: "Span") -> "Span":
        begins = [moment for moment in (self.begin, other.begin) if moment is not None]
        ends = [moment for moment in (self.end, other.end) if moment is not None]
        return Span(max(begins, default=None), min(ends, default=None))


def span_of(operator: str, moment: datetime) -> Span | None:
    """The moments that, told to the millisecond, pass the comparison; None where they are no one span."""
    floor = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    ceiling = floor if floor == moment else floor + _STEP
    spans = {
        ">": Span(begin=floor + _STEP),
        ">=": Span(begin=ceiling),
        "<": Span(end=ceiling),
        "<=": Span(end=floor + _STEP),
        "=": Span(floor, floor + _STEP) if floor == moment else Span(moment, moment),
    }
    return spans.get(operator)
