"""Whatever an address says is a number or none, and never a failure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.pages.rules.told import number_in


@pytest.mark.parametrize("text", ["", "²", "٣", "-1", "+1", " 1", "1_000", "1.0", "0x1", "9" * 5000, "1000000001"])
def test_what_is_no_plain_number_is_none(text: str) -> None:
    assert number_in(text) is None


def test_the_greatest_one_allowed_is_taken() -> None:
    assert (number_in("0"), number_in("1000000000"), number_in("30", most=30), number_in("31", most=30)) == (0, 10**9, 30, None)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    found = number_in(text)
    assert found is None or found == int(text)
