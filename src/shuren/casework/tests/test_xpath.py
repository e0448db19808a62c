"""XPath of XLSForm said in the language of forms: the same answer, or a fault that names the part."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from shuren.casework.rules.expressions import compile_expression
from shuren.casework.rules.specs.form import FieldType
from shuren.casework.rules.xpath import Ref, XPathFault, expression_of

TODAY = date(2026, 9, 1)
NAMES = {
    "Age": Ref("age", FieldType.INTEGER),
    "sex": Ref("sex", FieldType.CODE),
    "likes": Ref("likes", FieldType.CODES),
    "name": Ref("name", FieldType.TEXT),
    "seats": Ref("rooms.seats", FieldType.INTEGER),
    "rooms": Ref("rooms", FieldType.TABLE),
}
DATA: dict[str, Any] = {"age": 12, "sex": "1", "likes": ["a", "b"], "rooms": [{"seats": 3}, {"seats": 4}]}


@pytest.mark.parametrize(
    ("xpath", "answer"),
    [
        ("${Age} > 5", True),
        ("${Age}>='12' and ${sex} = 1", True),
        ("not(${Age} > 5 and ${sex} = '2')", True),
        ("not(${Age} > 5) or ${sex} = '2'", False),
        ("selected(${likes}, 'b')", True),
        ("not(selected(${likes}, 'c'))", True),
        ("selected(${sex}, '1')", True),
        ("${name} = ''", True),
        ("'' != ${name}", False),
        ("${Age} + 2 * 3", Decimal(18)),
        ("(${Age} + 2) * 3", Decimal(42)),
        ("10 - 2 - 3", Decimal(5)),
        ("10 - (2 - 3)", Decimal(11)),
        ("${Age} div 5", Decimal("2.4")),
        ("${Age} mod 5", Decimal(2)),
        ("-${Age} * 2", Decimal(-24)),
        ("2 - -3", Decimal(5)),
        ("if(${Age} > 18, 'adult', 'child')", "child"),
        ("if(${Age} > 1, 2, 3) + 1", Decimal(3)),
        ("sum(${seats}) + count(${rooms})", Decimal(9)),
        ("max(${Age}, 20)", Decimal(20)),
        ("true() or false()", True),
        ("today()", "2026-09-01"),
        ("${Age} > 1 or ${Age} > 100 and ${sex} = '9'", True),
        (". >= 10 and . <= 12", True),
        ("'O' = “O”", True),
    ],
)
def test_it_answers_the_same(xpath: str, answer: Any) -> None:
    text = expression_of(xpath, NAMES, own=NAMES["Age"])
    assert compile_expression(text).value(DATA, today=TODAY) == answer


@pytest.mark.parametrize(
    ("xpath", "part"),
    [
        ("concat('a', 'b')", "concat()"),
        ("position(..) = 1", "position()"),
        ("../x > 1", "读不懂"),
        ("/data/x", "/data/x"),
        ("${gone} = 1", "gone"),
        ("${Age} >", "没有写完"),
        ("(1 + 2", "少了“)”"),
        ("1 2", "2"),
        ("${likes} = 'a'", "selected()"),
        ("selected('a', 'b')", "selected()"),
        ("count(${Age}, 1)", "count()"),
        ('"it\'s"', "引号"),
        ("(" * 90, "太深"),
        ("-" * 90 + "1", "太深"),
        ("-" * 20_000 + "1", "公式超过 2000 个字"),
        ("1" + "+1" * 16_000, "公式超过 2000 个字"),
        ("", "没有写完"),
        ("age > 1", "age"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(xpath: str, part: str) -> None:
    with pytest.raises(XPathFault, match=part.replace("(", r"\(").replace(")", r"\)").replace(".", r"\.")):
        expression_of(xpath, NAMES)
