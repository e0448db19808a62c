"""Every list that gives files leaves an entry in the audit trail: its own, or the one the list writes by itself."""

import ast
from collections.abc import Iterator

import pytest
from django.test import RequestFactory

from shuren.kernel.data import Actor
from shuren.kernel.models import AuditEntry
from shuren.kernel.paging import Page
from shuren.pages.api import render_list
from shuren.pages.data import Column, ListQuery, ListSpec
from tests.house.source import Source, product

TABLES = {"csv_response", "workbook_response", "exported_rows"}
# What makes tables without an entry, each for its reason.
EXEMPT: dict[str, str] = {
    "src/shuren/pages/api.py": "the face",
    "src/shuren/pages/services/exports.py": "makes the file; who asks for it writes the entry",
    "src/shuren/casework/views/builder_import.py": "`export_xlsform` writes an entry for every form",
    "src/shuren/datahub/views/workbench/answers.py": "`export_question` of the app's services writes the entry of every file",
    "src/shuren/evaluation/views/files.py": "`record_download` of the app's services writes the entry of every report",
    "src/shuren/interop/views/statistics/file_pages.py": "`branch_rows` of the app's services writes the entry of every file",
    "src/shuren/identity/views/credentials.py": "`issue_credentials` writes an entry for everybody who gets a password",
}


def called(node: ast.AST) -> Iterator[str]:
    """The last names of whatever is called, or handed over, below a node."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            yield ast.unparse(part.func).split(".")[-1]
        if isinstance(part, ast.Name):
            yield part.id


def origins(source: Source) -> list[Source]:
    """The modules of the product that a module names functions from."""
    named = {node.module for node in source.tree.body if isinstance(node, ast.ImportFrom) and ".views." in (node.module or "")}
    return [other for other in product() if other.name.removeprefix("src/").removesuffix(".py").replace("/", ".") in named]


def records(source: Source, node: ast.AST) -> bool:
    """Whether the node, or a function of its module or of one it takes functions from, writes to the trail."""
    bodies = {function.name: function for module in (*origins(source), source) for function in module.functions}
    seen: set[str] = set()
    waiting = list(called(node))
    while waiting:
        name = waiting.pop()
        if name in ("record", "record_many"):
            return True
        if name in bodies and name not in seen:
            seen.add(name)
            waiting += called(bodies[name])
    return False


def own_notes() -> Iterator[tuple[Source, ast.expr]]:
    for source in product():
        for node in ast.walk(source.tree) if "on_export=" in source.text else ():
            if isinstance(node, ast.Call):
                yield from ((source, word.value) for word in node.keywords if word.arg == "on_export")


def test_what_a_list_does_instead_of_its_own_entry_writes_one_too() -> None:
    found = list(own_notes())
    assert len(found) > 5
    assert [f"{source.name}:{value.lineno}" for source, value in found if not records(source, value)] == []


def test_tables_that_are_made_without_a_list_are_audited() -> None:
    makers = {source.name: source for source in product() if any(name in source.text for name in TABLES)}
    silent = {name for name, source in makers.items() if "record(" not in source.text}
    assert sorted(silent - set(EXEMPT)) == []


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_list_that_says_nothing_of_exports_writes_its_own_entry(form: str) -> None:
    request = RequestFactory().get("/some/list/", {"export": form, "q": "王"})
    request.actor = Actor(person_id=7, account_id=None, name="何校长")  # type: ignore[attr-defined]  # what the middleware sets
    columns: tuple[Column[str], ...] = (Column(key="name", title="姓名", value=str),)
    spec: ListSpec[str] = ListSpec(name="some", title="名单", columns=columns, rows=_page, search_label="姓名")
    assert render_list(request, spec).status_code == 200
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.actor_person_id) == ("pages.list_exported", "list:some", 7)
    assert entry.details == {"form": form, "path": "/some/list/", "search": "王"}


def _page(query: ListQuery) -> Page[str]:
    return Page(["王小明"], 1, True, query.number, query.size)
