import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from tests.house.source import APPS, SRC, product

TRANSLATE = re.compile(r"""{%\s*(?:translate|trans)\s+("[^"]*"|'[^']*')(?:\s+context\s+["']([^"']*)["'])?""")
CONTEXT = re.compile(r"""\bcontext\s+["']([^"']*)["']""")
BLOCK = re.compile(r"{%\s*blocktrans(?:late)?\b([^%]*)%}(.*?){%\s*endblocktrans(?:late)?\s*%}", re.DOTALL)
# A message and the context it is looked up in: one word can be two messages.
Message = tuple[str | None, str]
GETTEXT = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy", "gettext_noop"}


def templates() -> list[Path]:
    return sorted((SRC / "shuren").glob("*/templates/**/*.html"))


def visible_text(template: str) -> str:
    """What a reader would see that no translation tag wraps."""
    text = re.sub(r"{#.*?#}|{%\s*comment.*?endcomment\s*%}", "", template, flags=re.DOTALL)
    text = BLOCK.sub("", text)
    text = re.sub(r"<(script|style|svg)\b.*?</\1>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"{%.*?%}|{{.*?}}", "", text, flags=re.DOTALL)
    return re.sub(r"<[^>]*>", " ", text, flags=re.DOTALL)


@pytest.mark.parametrize("path", templates(), ids=lambda path: str(path.relative_to(SRC / "shuren")))
def test_no_text_outside_gettext(path: Path) -> None:
    template = path.read_text()
    shown = re.sub(r"&\w+;|&#\d+;", " ", visible_text(template))
    assert re.findall(r"[A-Za-z一-鿿]{2,}", shown) == []
    attributes = re.findall(r'(?:placeholder|title|aria-label|alt)="([^"{]*[A-Za-z一-鿿]{2,}[^"{]*)"', template)
    assert attributes == []


def template_messages(text: str) -> set[Message]:
    # Django looks a literal up with its percent signs doubled
    found: set[Message] = {(context or None, literal[1:-1].replace("%", "%%")) for literal, context in TRANSLATE.findall(text)}
    for options, body in BLOCK.findall(text):
        parts = re.split(r"{%\s*plural\s*%}", body)
        for part in parts[:1]:
            message = re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", part)
            if "trimmed" in options:
                message = " ".join(line.strip() for line in message.strip().splitlines())
            context = CONTEXT.search(options)
            found.add((context and context[1], message))
    return found


def python_messages(tree: ast.Module) -> set[Message]:
    found: set[Message] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            words = [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args]
            context, *first = [*words, None] if called.startswith("pgettext") else [None, *words]
            if called in GETTEXT and isinstance(first[0], str):
                found.add((context, first[0]))
    return found


def app_messages(app: str) -> set[Message]:
    found: set[Message] = set()
    for path in templates():
        if path.relative_to(SRC / "shuren").parts[0] == app:
            found |= template_messages(path.read_text())
    for source in product():
        if source.name.startswith(f"src/shuren/{app}/"):
            found |= python_messages(source.tree)
    return {(context, message) for context, message in found if re.search(r"[一-鿿]", message)}


def english() -> dict[Message, str]:
    catalog: dict[Message, str] = {}
    for po in (SRC / "shuren").glob("*/locale/en/LC_MESSAGES/django.po"):
        with po.open("rb") as file:
            for message in read_po(file, locale="en"):
                key = message.id[0] if isinstance(message.id, tuple) else message.id
                value = message.string[0] if isinstance(message.string, tuple) else message.string
                if key and value and not message.fuzzy:
                    catalog[message.context, key] = value
    return catalog


@pytest.mark.parametrize("app", APPS)
def test_every_message_has_its_english(app: str) -> None:
    known = english()
    assert sorted(f"{context}: {text}" for context, text in app_messages(app) - known.keys()) == []


def test_english_keeps_the_variables() -> None:
    lost = [
        key
        for (_, key), value in english().items()
        if set(re.findall(r"%\((\w+)\)s|{(\w*)}", key)) - set(re.findall(r"%\((\w+)\)s|{(\w*)}", value))
    ]
    assert lost == []


def test_english_keeps_only_names_in_chinese() -> None:
    """What stands in a file (sheets, columns, cells to type) and the product's name stay as they are; all else is English."""
    names = {"简体中文", "中文", "树人"}
    strange = [
        value
        for (_, key), value in english().items()
        for word in re.findall(r"[一-鿿]+", value)
        if word not in names and (word not in key or len(word) > 8)
    ]
    assert strange == []
