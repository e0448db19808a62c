"""Whatever is audited, and every purpose, has a name: announced by the app that writes it, in Chinese and in English."""

import ast
import re
from collections.abc import Iterator

import pytest
from django.utils import translation

from shuren.directory.data import HousePurpose
from shuren.directory.rules.consent import OFF_BY_DEFAULT
from shuren.front.views.audit import areas
from shuren.interop.data import DataPurpose
from shuren.kernel.announced import audit_actions, audit_targets, purposes
from tests.house.source import APPS, Source, product

CODE = re.compile(rf"({'|'.join(APPS)})\\\.[a-z_.+]+")
TARGET = re.compile(r"[a-z_]+:(\.\+|0|all|many)")


def recorded(source: Source) -> Iterator[tuple[str, ast.expr]]:
    """The `action` and `target` of every call that writes to the audit trail."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("record", "record_many"):
            for word in node.keywords:
                if word.arg in ("action", "target"):
                    yield word.arg, word.value


def pattern_of(node: ast.expr) -> str | None:
    """A text as a pattern, what is put into it being any word; None where the text is made elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(pattern_of(part) or ".+" for part in node.values)
    return None


def patterns_of(source: Source, name: str) -> set[str]:
    """The patterns of one argument; a name stands for every code written in its module."""
    found: set[str] = set()
    for argument, value in recorded(source):
        if argument == name:
            parts = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
            patterns = {pattern_of(part) for part in parts}
            found |= {pattern for pattern in patterns if pattern}
            if None in patterns:
                found |= codes_of(source, name)
    return found


def codes_of(source: Source, name: str) -> set[str]:
    """Every code that the module writes down, but for what its secrets are made from."""
    made_from = [word.value for call in calls_in(source) for word in call.keywords if word.arg == "purpose"]
    made_from += [node.value for node in source.tree.body if isinstance(node, ast.Assign) and "PURPOSE" in ast.unparse(node)]
    parts = {id(part) for text in ast.walk(source.tree) if isinstance(text, ast.JoinedStr) for part in text.values}
    skipped = parts | {id(node) for node in made_from}
    shape = CODE if name == "action" else TARGET
    found = set()
    for node in ast.walk(source.tree):
        pattern = pattern_of(node) if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in skipped else None
        if pattern and shape.fullmatch(pattern):
            found.add(pattern)
    return found


def calls_in(source: Source) -> Iterator[ast.Call]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))


def test_every_recorded_action_is_announced_and_no_other() -> None:
    patterns = {pattern: source.name for source in product() for pattern in patterns_of(source, "action")}
    known = set(audit_actions())
    nameless = sorted(
        f"{where}: {pattern}" for pattern, where in patterns.items() if not any(re.fullmatch(pattern, code) for code in known)
    )
    assert nameless == [], "announce these in `announced.py` of their app"
    unused = sorted(code for code in known if not any(re.fullmatch(pattern, code) for pattern in patterns))
    assert unused == [], "nothing records these any more"


def test_whatever_an_entry_is_about_is_announced() -> None:
    kinds = {pattern.partition(":")[0] for source in product() for pattern in patterns_of(source, "target")}
    assert sorted(kind for kind in kinds if kind.isidentifier() and kind not in {*audit_targets(), *APPS}) == []


def test_every_purpose_is_announced() -> None:
    coded = {*(str(purpose) for purpose in (*HousePurpose, *DataPurpose)), *OFF_BY_DEFAULT}
    assert coded == set(purposes())


@pytest.mark.parametrize("registry", [audit_actions, audit_targets, purposes], ids=lambda registry: registry.__name__)
def test_names_are_in_both_languages(registry) -> None:  # type: ignore[no-untyped-def]
    for code, words in registry().items():
        with translation.override("zh-hans"):
            assert re.search(r"[一-鿿]", str(words)), code
        with translation.override("en"):
            assert not re.search(r"[一-鿿]", str(words)), code


def test_names_of_actions_tell_them_apart() -> None:
    for language in ("zh-hans", "en"):
        with translation.override(language):
            said: dict[str, list[str]] = {}
            for code, words in audit_actions().items():
                said.setdefault(str(words), []).append(code)
        assert [codes for codes in said.values() if len(codes) > 1] == []


def test_every_area_of_the_trail_can_be_chosen() -> None:
    offered = {choice.value for choice in areas()}
    assert {code.partition(".")[0] + "." for code in audit_actions()} <= offered
