import ast
import re

import click
import pytest

from shuren.conf import environment
from shuren.front.cli.main import COMMANDS, cli
from tests.house.source import APPS, DOCS, ROOT, SRC, Source, product

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_every_setting_is_documented() -> None:
    page = (DOCS / "settings.md").read_text()
    assert [setting.name for setting in environment.ALL if f"`{setting.name}`" not in page] == []
    assert set(re.findall(r"`(SHUREN_[A-Z_]+)`", page)) == {setting.name for setting in environment.ALL}


@pytest.mark.parametrize("app", [app for app in APPS if (SRC / "shuren" / app / "api.py").exists()])
def test_every_api_function_is_documented(app: str) -> None:
    page = (DOCS / "apps" / f"{app}.md").read_text()
    names = public_names(Source(SRC / "shuren" / app / "api.py").tree)
    assert names
    assert [name for name in names if f"`{name}" not in page] == []


def public_names(tree: ast.Module) -> set[str]:
    """The functions a face defines, and the lower-case names it passes on in `__all__`."""
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            names |= {name for name in ast.literal_eval(node.value) if name.islower()}
    return names


def published_events() -> dict[str, str]:
    """Event name → app, read off every literal first argument of `publish(...)`."""
    found = {}
    for source in product():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called == "publish" and isinstance(node.args[0].value, str):
                    found[node.args[0].value] = source.path.relative_to(SRC / "shuren").parts[0]
    return found


def test_events_are_past_tense_and_documented() -> None:
    events = published_events()
    assert events
    badly_named = [name for name, app in events.items() if not re.fullmatch(rf"{app}\.[a-z]+(_[a-z]+)*", name)]
    unknown = [name for name, app in events.items() if f"`{name}`" not in (DOCS / "apps" / f"{app}.md").read_text()]
    assert badly_named == []
    assert unknown == []


def commands(group: click.Command, words: str) -> dict[str, click.Command]:
    found = {words: group}
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            inner = group.get_command(context, name)
            assert inner is not None
            found |= commands(inner, f"{words} {name}")
    return found


def test_every_command_and_option_is_documented() -> None:
    page = (DOCS / "cli.md").read_text()
    missing = []
    for words, command in commands(cli, "shuren").items():
        if f"`{words}" not in page:
            missing.append(words)
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden and f"`{parameter.opts[-1]}" not in page:
                missing.append(f"{words} {parameter.opts[-1]}")
    assert missing == []
    assert set(COMMANDS) <= set(re.findall(r"`shuren (\w+)", page))


def test_links_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in LINK.findall(page.read_text())
        if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists()
    ]
    assert broken == []


def test_glossary_terms_have_both_languages() -> None:
    rows = [line for line in (DOCS / "glossary.md").read_text().splitlines() if line.startswith("|")][2:]
    assert len(rows) > 60
    incomplete = []
    for row in rows:
        term, chinese, code, *_ = [cell.strip() for cell in row.strip("|").split("|")]
        if not re.search(r"[A-Za-z]", term) or not re.search(r"[一-鿿]", chinese) or not code:
            incomplete.append(row)
    assert incomplete == []


def test_glossary_code_names_exist() -> None:
    rows = [line for line in (DOCS / "glossary.md").read_text().splitlines() if line.startswith("|")][2:]
    text = "\n".join(source.text for source in product())
    names = [name for row in rows for name in re.findall(r"`([\w.]+)`", row.strip("|").split("|")[2])]
    assert [name for name in names if name.split(".")[-1] not in text] == []


def test_every_decision_has_its_four_parts() -> None:
    pages = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert pages
    wrong = [
        p.name
        for p in pages
        if not all(f"## {part}" in p.read_text() for part in ("Context", "Decision", "Consequences", "Status"))
    ]
    assert wrong == []


def test_no_registry_host_in_any_locked_file() -> None:
    files = [ROOT / "requirements.txt", ROOT / "requirements-node.txt", ROOT / "frontend" / "package-lock.json"]
    addresses = re.compile(r"--(extra-)?index-url|--find-links|\"resolved\"|https?://[^\"\s]*(registry|pypi|simple/|\.whl|\.tgz)")
    assert [path.name for path in files if addresses.search(path.read_text())] == []
