"""Every question that the code asks the lake keeps to the dialect that means the same on every engine."""

import ast
from collections.abc import Iterator
from datetime import date

import pytest

from shuren.datahub.data import QualityDimension
from shuren.datahub.rules import dialect
from shuren.datahub.rules.quality.sql import failing_rows, row_pass, unique_pass
from shuren.datahub.selectors.quality_rules import quality_rules
from tests.house.source import Source, product

DAY = date(2026, 11, 30)
# Where the text comes from a function, that function is tested below or hands on what others wrote.
ELSEWHERE = {
    "src/shuren/datahub/services/ask.py",
    "src/shuren/datahub/services/open_data/examine.py",
    "src/shuren/datahub/services/sharing/read.py",
    "src/shuren/datahub/services/workbench/ask.py",
    "src/shuren/datahub/services/quality/measure.py",
    "src/shuren/datahub/selectors/quality_findings.py",
    "src/shuren/datahub/selectors/quality.py",
    "src/shuren/records/selectors/lake.py",
    "src/shuren/interop/services/statistics/compute.py",
}


def asks(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not node.args:
        return False
    called = node.func
    if isinstance(called, ast.Attribute):
        return (
            called.attr in {"query", "ask_lake"} and isinstance(called.value, ast.Name) and called.value.id in {"datahub", "api"}
        )
    return isinstance(called, ast.Name) and called.id in {"query", "ask_lake"}


def written(node: ast.AST, function: ast.AST) -> str | None:
    """The text of an argument, names in it as `x`; a name is looked up among the assignments of its function."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
    if isinstance(node, ast.Name):
        for found in ast.walk(function):
            if isinstance(found, ast.Assign) and any(isinstance(to, ast.Name) and to.id == node.id for to in found.targets):
                return written(found.value, function)
    return None


def questions(source: Source) -> Iterator[str | None]:
    if "datahub" not in source.text:
        return
    for function in source.functions:
        for node in ast.walk(function):
            if asks(node):
                assert isinstance(node, ast.Call)
                yield written(node.args[0], function)


def test_every_written_question_keeps_to_the_dialect() -> None:
    found = {source.name: list(questions(source)) for source in product()}
    unread = {name for name, texts in found.items() if None in texts} - ELSEWHERE
    assert unread == set()
    texts = [text for told in found.values() for text in told if text is not None]
    assert texts
    for text in texts:
        dialect.check(text)


@pytest.mark.django_db
@pytest.mark.parametrize("dataset", ["directory.member", "directory.org"])
def test_every_shipped_rule_keeps_to_the_dialect(dataset: str) -> None:
    rules = quality_rules(dataset)
    asked = [row_pass(dataset, rules, today=DAY).sql]
    asked += [unique_pass(rule, today=DAY) for rule in rules if rule.dimension is QualityDimension.UNIQUE]
    asked += [failing_rows(rule, ["id", "org_id"], today=DAY) for rule in rules if not rule.measured]
    for text in asked:
        dialect.check(text)
        assert dialect.to_spark(dialect.parsed(text))
