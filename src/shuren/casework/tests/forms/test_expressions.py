"""Expressions: what they answer, what they wait for, what they refuse."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.casework.rules.expressions import ExpressionFault, compile_expression
from shuren.casework.tests.forms.drawn import DATA, EXPRESSIONS

TODAY = date(2026, 9, 1)
DATA_OF_SCHOOL: dict[str, Any] = {
    "kind": "primary",
    "pupils": 1200,
    "area": 36.5,
    "opened": "2001-09-02",
    "is_rural": True,
    "subjects": ["语文", "数学"],
    "head": {"id": "0123456789abc", "name": "陈立新"},
    "rooms": [{"seats": 45, "use": "普通"}, {"seats": 30}, {"use": "实验"}],
}


def told(text: str, data: dict[str, Any] = DATA_OF_SCHOOL) -> Any:
    return compile_expression(text).value(data, today=TODAY)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("pupils / 48", 25),
        ("pupils / 7", Decimal("171.428571428571")),
        ("0.1 + 0.2 == 0.3", True),
        ("area * 2", 73),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("pupils / 0", None),
        ("pupils % 0", None),
        ("2 < 3 <= 3", True),
        ("kind == 'primary' and pupils > 1000", True),
        ("kind in ['primary', 'junior']", True),
        ("kind not in ['primary']", False),
        ("'语文' in subjects", True),
        ("'音乐' in subjects", False),
        ("sum(rooms.seats)", 75),
        ("count(rooms)", 3),
        ("count(rooms.seats)", 2),
        ("max(rooms.seats) - min(rooms.seats)", 15),
        ("min(pupils, 5)", 5),
        ("max('2020-01-01', opened)", "2020-01-01"),
        ("round(2.5)", 3),
        ("round(-2.5)", -3),
        ("round(2.345, 2)", Decimal("2.35")),
        ("abs(3 - 10)", 7),
        ("len(kind)", 7),
        ("len(subjects)", 2),
        ("filled(kind)", True),
        ("filled(nothing)", False),
        ("filled(rooms)", True),
        ("today()", "2026-09-01"),
        ("years(opened, today())", 24),
        ("days('2026-08-31', today())", 1),
        ("year(opened)", 2001),
        ("year('昨天')", None),
        ("head.name", "陈立新"),
        ("head == '0123456789abc'", True),
        ("head.name + '（' + year(opened) + '）'", "陈立新（2001）"),
        ("kind + area", "primary36.5"),
        ("'大' if pupils > 1000 else '小'", "大"),
        ("is_rural", True),
        ("not is_rural", False),
        ("true", True),
        ("12 == '12'", False),
        ("12 < '13'", None),
    ],
)
def test_what_is_answered(text: str, answer: Any) -> None:
    found = told(text)
    assert found == answer
    assert isinstance(found, bool) == isinstance(answer, bool)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("nothing", None),
        ("nothing + 1", None),
        ("nothing == 1", None),
        ("nothing != 1", None),
        ("not (nothing == 1)", None),
        ("nothing > 1 and false", False),
        ("nothing > 1 and true", None),
        ("nothing > 1 or true", True),
        ("nothing in ['a']", None),
        ("kind in [nothing, 'primary']", True),
        ("1 if nothing else 2", None),
        ("sum(nothing.seats)", 0),
        ("count(nothing)", 0),
        ("max(nothing.seats)", None),
        ("max(nothing, 3)", None),
        ("years(nothing, today())", None),
    ],
)
def test_what_is_not_there_yet_is_waited_for(text: str, answer: Any) -> None:
    assert told(text) is answer or told(text) == answer


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "写得不对"),
        ("1 +", "写得不对"),
        ("__import__('os')", "没有函数"),
        ("a.b.c", "不能用"),
        ("(lambda: 1)()", "不能用"),
        ("[x for x in a]", "不能用"),
        ("a[0]", "不能用"),
        ("f'{a}'", "不能用"),
        ("a is 1", "=="),
        ("a == None", "filled"),
        ("b'x'", "不能用"),
        ("round()", "个数不对"),
        ("today(1)", "没有函数"),
        ("len(x=1)", "不能用"),
        ("a in 'abc'", "方括号"),
        ("1e999", "不能用"),
        ("~1", "不能用"),
        ("10 ** 2", "不能用"),
        ("(" * 900 + "1" + ")" * 900, "写得不对"),
        ("1 + " * 600 + "1", "太长"),
        ("a\x00b", "写得不对"),
    ],
)
def test_what_is_not_in_the_language_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ExpressionFault, match=reason):
        compile_expression(text)


def test_the_names_that_an_expression_reads_are_told() -> None:
    assert compile_expression("a + sum(rooms.seats) if filled(b) else today()").names == {"a", "b", "rooms.seats"}


@given(EXPRESSIONS, DATA)
def test_every_expression_has_an_answer_of_a_plain_kind(text: str, data: dict[str, Any]) -> None:
    found = compile_expression(text).value(data, today=TODAY)
    assert found is None or isinstance(found, bool | int | Decimal | str | list)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expression = compile_expression(text)
    except ExpressionFault:
        return
    assert isinstance(expression.tree, list)
    expression.value({}, today=TODAY)


@given(st.lists(st.decimals(-1000, 1000, places=2), min_size=1, max_size=20))
def test_sums_are_exact(numbers: list[Decimal]) -> None:
    rows = [{"n": float(number)} for number in numbers]
    assert compile_expression("sum(rows.n)").value({"rows": rows}, today=TODAY) == sum(numbers)
