"""The browser answers expressions and works out sheets as the server does: its own code, run by Node."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from shuren.casework.rules.drawn import browser_form
from shuren.casework.rules.expressions import compile_expression
from shuren.casework.rules.forms import check_form
from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.tests.forms.drawn import DATA, EXPRESSIONS, field, filled_forms, form_of

TODAY = date(2026, 9, 1)
FRONTEND = Path(__file__).resolve().parents[5] / "frontend"
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
ONE_BROWSER = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
Ask = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """`ask(question)`: what the browser's code answers."""
    script = str(FRONTEND / "tests" / "forms.mjs")
    with subprocess.Popen(["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        stdin, stdout = node.stdin, node.stdout

        def answered(question: dict[str, Any]) -> Any:
            stdin.write(json.dumps(question, ensure_ascii=False) + "\n")
            stdin.flush()
            return json.loads(stdout.readline())

        yield answered
        stdin.close()


def plain(value: Any) -> Any:
    """Numbers as they are written, as the script of the test writes them."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        text = f"{Decimal(str(value)):f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return {"number": "0" if text == "-0" else text}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return {key: plain(one) for key, one in value.items()} if isinstance(value, dict) else value


@ONE_BROWSER
@given(EXPRESSIONS, DATA)
def test_expressions_are_answered_alike(ask: Ask, text: str, data: dict[str, Any]) -> None:
    expression = compile_expression(text)
    asked = {"tree": expression.tree, "data": data, "today": TODAY.isoformat()}
    assert ask(asked) == plain(expression.value(data, today=TODAY))


@ONE_BROWSER
@given(filled_forms())
def test_sheets_are_worked_out_alike(ask: Ask, drawn: tuple[FormSpec, dict[str, Any]]) -> None:
    form, data = drawn
    once = check_form(form, data, today=TODAY).data
    kept = check_form(form, once, today=TODAY).data
    assert ask(question(form, kept))["values"] == plain(kept)


def question(form: FormSpec, data: dict[str, Any]) -> dict[str, Any]:
    return {"form": browser_form(form, today=TODAY, language="zh-hans"), "data": data}


def test_what_is_typed_is_shown_and_calculated_alike(ask: Ask) -> None:
    columns = [
        field("seats", "integer", maximum=100),
        field("area", "decimal", shown_if="seats > 30"),
        field("share", "decimal", calculated="seats / sum(rooms.seats) * 100"),
    ]
    form = form_of(
        field("kind", "code"),
        field("rooms", "table", columns=columns),
        field("total", "integer", calculated="sum(rooms.seats)"),
        field("why", shown_if="total > 100 and kind in ['a', 'b']"),
        field("circle", "integer", calculated="circle + 1"),
    )
    data = {
        "kind": "b",
        "rooms": [{"seats": "４0", "area": "1,020.255"}, {"seats": "70"}, {"seats": "200"}, {"seats": ""}],
        "why": " 多 ",
    }
    theirs = ask(question(form, data))
    checked = check_form(form, data, today=TODAY)
    assert theirs["values"] == plain(checked.data)
    assert set(theirs["shown"]) == {key for key in checked.shown if "[" not in key}
    assert theirs["values"]["rooms"][0] == {
        "seats": {"number": "40"},
        "area": {"number": "1020.26"},
        "share": {"number": "36.36"},
    }
