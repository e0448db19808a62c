"""Patterns of fields: those that take years are refused when a definition is checked, and never match what they would hang on."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuren.casework.rules.patterns import LONGEST_PATTERN, is_quick_over, pattern_fault
from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.rules.values import Wrong, read_single


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(a*)*b",
        r"(?:a|a)*b",
        r"(a|aa)+$",
        r"(a?){40}a{40}",
        r"([0-9]{0,10}){0,10}x",
        r"(a+){10}b",
        r"a*a*a*a*b",
        r".*.*.*.*=",
        r"(?=(a+)+$)a",
        r"(a+?)+?$",
        r"(.)\1",
        r"(?P<x>a)(?P=x)",
        r"(){65535}" + "a" * 1000,
        r"((){65535}){65535}",
        r"(a)?(?(1)b|c)",
        "a" * (LONGEST_PATTERN + 1),
        "a{99999999999999999999}",
        "(",
    ],
)
def test_dangerous_patterns_are_refused_with_a_remedy(pattern: str) -> None:
    fault = pattern_fault(pattern, 200)
    assert fault is not None
    assert all(fault)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^1[3-9]\d{9}$", "13812345678"),
        (r"1[0-9]{10}|0[0-9]{2,3}-[0-9]{7,8}", "010-12345678"),
        (r"^[\u4e00-\u9fff][A-Z][A-Z0-9]{5,6}$", "京A12345"),
        (r"[\w.+-]+@[\w-]+\.[\w.-]+", "li.lei@school.edu.cn"),
        (r"[0-9A-HJ-NPQRTUWXY]{18}", "91350211M000100Y43"),
        (r"[0-9]{17}[0-9Xx]", "11010519491231002X"),
        (r"https?://.+", "https://school.edu.cn/a"),
        (r"([0-9]{11},)*[0-9]{11}", "13812345678,13912345678"),
        (r"([0-9]{1,3}\.){3}[0-9]{1,3}", "10.0.0.1"),
    ],
)
def test_usual_patterns_are_accepted_and_match(pattern: str, text: str) -> None:
    assert pattern_fault(pattern, 200) is None
    field = FieldSpec.model_validate({"key": "a", "title": "甲", "type": "text", "pattern": pattern})
    assert read_single(field, text) == text


def test_the_longest_text_counts() -> None:
    three = r"a+.*b*c"
    assert pattern_fault(three, 200) is None
    assert pattern_fault(three, 5_000) is not None


def test_a_slow_pattern_in_force_does_not_hang() -> None:
    field = FieldSpec.model_validate({"key": "a", "title": "甲", "type": FieldType.TEXT, "pattern": "(a+)+"})
    assert read_single(field, "aaaa") == "aaaa"
    began = time.perf_counter()
    with pytest.raises(Wrong, match="太复杂"):
        read_single(field, "a" * 60 + "!")
    assert time.perf_counter() - began < 1


_PARTS = st.recursive(
    st.sampled_from(["a", "b", "[ab]", ".", "ab"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2,}", "{0,12}", "{3}", "+?"])).map(
            lambda one: f"(?:{one[0]}){one[1]}"
        ),
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda one: f"(?:{one[0]}|{one[1]})"),
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=5_000)
@given(_PARTS, st.sampled_from(["a", "ab", "aab"]))
def test_whatever_is_called_quick_is_quick(pattern: str, letters: str) -> None:
    text = (letters * 60)[:60] + "!"
    if is_quick_over(f"{pattern}c", len(text)):
        assert re.fullmatch(f"{pattern}c", text) is None
