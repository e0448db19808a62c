from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.intake.data import ImportStatus as S
from shuren.intake.rules.cells import is_worn_number, text_of, without_control_characters
from shuren.intake.rules.status import may_become


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("  张\u3000", "张"),
        (12.0, "12"),
        (-3.0, "-3"),
        (0.1, "0.1"),
        (7, "7"),
        (True, "TRUE"),
        (False, "FALSE"),
        (date(2015, 9, 1), "2015-09-01"),
        (datetime(2015, 9, 1), "2015-09-01"),
        (datetime(2015, 9, 1, 8, 5, 6, 7), "2015-09-01 08:05:06"),
        (time(8, 5), "08:05:00"),
        (timedelta(hours=26, minutes=3), "26:03:00"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_a_cell_says_what_people_see(value: object, text: str) -> None:
    assert text_of(value) == text


@given(st.integers(-(10**14), 10**14))
def test_whole_numbers_keep_their_digits(number: int) -> None:
    assert text_of(float(number)) == str(number)


@pytest.mark.parametrize(
    ("value", "is_worn"), [(440103201501011234.0, True), (10**15, True), (13800001234.0, False), ("4401", False), (True, False)]
)
def test_numbers_beyond_fifteen_digits_are_worn(value: object, is_worn: bool) -> None:
    assert is_worn_number(value) is is_worn


@given(st.text())
def test_without_control_characters_nothing_else_changes(text: str) -> None:
    assert without_control_characters(text) == "".join(c for c in text if ord(c) >= 32 or c in "\t\n\r")


def test_nothing_is_applied_that_was_not_ready() -> None:
    assert [state for state in S if may_become(state, S.APPLYING)] == [S.READY, S.APPLYING]
    assert [state for state in S if may_become(state, S.APPLIED)] == [S.APPLYING]
    assert [state for state in S if may_become(state, S.UNDONE)] == [S.APPLIED]


def test_an_applied_import_stays_until_it_is_undone() -> None:
    assert [state for state in S if may_become(S.APPLIED, state)] == [S.UNDONE]
