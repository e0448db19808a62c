from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.standards import api
from shuren.standards.data import MaskStyle
from shuren.standards.rules.masking import masked

HIDING = [style for style in MaskStyle if style != MaskStyle.NONE]


@pytest.mark.parametrize(
    ("element", "value", "shown"),
    [
        ("person.name", "张三", "张*"),
        ("person.name", "张三丰", "张**"),
        ("person.name", "欧阳修竹", "欧**"),
        ("person.name", "张", "张*"),
        ("person.national_id", "440199201501011230", "4401**********1230"),
        ("person.pupil_number", "J440199201501011230", "J4401**********1230"),
        ("person.pupil_number", "G440199201501011230", "G****"),
        ("person.staff_number", "440199201501011230", "****"),
        ("person.phone", "13800001234", "138****1234"),
        ("person.phone", "12345", "1***5"),
        ("person.email", "teacher@school.cn", "t***@school.cn"),
        ("person.email", "no address", "***"),
        ("person.birth_date", date(2015, 9, 1), "2015"),
        ("person.birth_date", "unknown", "***"),
        ("person.sex", "1", "***"),
        ("org.name", "第一小学", "第一小学"),
        ("person.phone", "", ""),
        ("person.phone", None, ""),
    ],
)
def test_what_is_left_for_those_who_may_not_see(element: str, value: str | date | None, shown: str) -> None:
    assert api.mask(value, element, may_see=False) == shown
    assert api.mask(value, element, may_see=True, may_reveal=True) == ("" if value is None else str(value))


def test_the_grade_follows_what_a_value_states() -> None:
    for text in ("G440199201501011230", "440199201501011230", "g44019920150101123x"):
        assert api.is_sensitive(text, "person.pupil_number")
        assert api.mask(text, "person.pupil_number", may_see=True) == ("G****" if text[0].isalpha() else "****").replace(
            "G", text[0]
        )
    for text in ("J440199201501011230", "L440199201501011230", "2015010112", "", None, date(2015, 1, 1)):
        assert not api.is_sensitive(text, "person.pupil_number")
        assert api.mask(text, "person.pupil_number", may_see=True) == ("" if text is None else str(text))


@given(text=st.text("0123456789", min_size=4, max_size=30), style=st.sampled_from([MaskStyle.ID, MaskStyle.PHONE]))
def test_at_least_half_of_a_short_number_and_four_digits_of_a_long_one_are_hidden(text: str, style: MaskStyle) -> None:
    shown = masked(text, style)
    assert len(shown) == len(text)
    assert shown.count("*") >= min(4, len(text) / 2)


@given(text=st.text(min_size=1, max_size=30), style=st.sampled_from(HIDING))
def test_no_hiding_mask_shows_a_whole_value(text: str, style: MaskStyle) -> None:
    is_a_year = style == MaskStyle.YEAR and text.isdigit() and len(text) <= 4
    assert is_a_year or masked(text, style) != text or set(text) <= {"*"}


def test_an_unknown_element_is_a_fault_of_the_caller() -> None:
    with pytest.raises(KeyError):
        api.mask("x", "person.nonsense", may_see=False)
