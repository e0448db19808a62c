"""The clock of a promise: green, near its end, late; near is a fifth of what was promised."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from shuren.casework.rules.hall import Light, light_of
from shuren.casework.rules.specs.words import Span
from shuren.casework.rules.workdays import add_span


def at(day: str, time: str = "10:00") -> datetime:
    return datetime.fromisoformat(f"2026-03-{day}T{time}").replace(tzinfo=ZoneInfo(timezone.get_default_timezone_name()))


# 2 March 2026 is a Monday, and no holiday falls into that month.
@pytest.mark.parametrize(
    ("promise", "begun", "looks"),
    [
        (Span(working_days=1), "02", [("02", "10:00", "green"), ("03", "09:00", "green"), ("03", "15:59", "green"),
                                      ("03", "16:00", "yellow"), ("04", "00:00", "red")]),
        (Span(working_days=1), "06", [("06", "18:00", "green"), ("08", "18:00", "green"), ("09", "16:30", "yellow")]),
        (Span(working_days=2), "02", [("02", "10:00", "green"), ("03", "23:00", "green"), ("04", "08:00", "yellow")]),
        (Span(working_days=5), "02", [("05", "23:00", "green"), ("06", "08:00", "yellow"), ("09", "08:00", "yellow")]),
        (Span(working_days=20), "02", [("23", "23:00", "green"), ("24", "08:00", "yellow"), ("31", "00:00", "red")]),
        (Span(days=10), "02", [("09", "23:00", "green"), ("10", "08:00", "yellow"), ("12", "08:00", "yellow")]),
        (Span(hours=10), "02", [("02", "17:59", "green"), ("02", "18:00", "yellow"), ("02", "20:01", "red")]),
    ],
)  # fmt: skip
def test_near_is_a_fifth_of_what_was_promised(promise: Span, begun: str, looks: list[tuple[str, str, str]]) -> None:
    due = add_span(at(begun), promise)
    told = [(day, time, light_of(due, promise=promise, now=at(day, time))) for day, time, _light in looks]
    assert told == [(day, time, Light(light)) for day, time, light in looks]


def test_a_closed_case_was_in_time_or_late_and_never_near() -> None:
    promise, due = Span(working_days=1), at("03", "23:59")
    assert light_of(due, promise=promise, closed_at=at("03", "23:00"), now=at("20")) is Light.GREEN
    assert light_of(due, promise=promise, closed_at=at("04", "00:30"), now=at("20")) is Light.RED
    assert light_of(None, promise=None, now=at("20")) is None
