import ast
import re

from tests.house.source import APPS, SRC, product

EMPTY_NAMES = re.compile(r"(^|/)(utils?|helpers?|common|misc|managers?|handlers?|v2|new)(\.py$|/)")
STAIRS = {
    *(
        "__init__",
        "__main__",
        "data",
        "rules",
        "models",
        "selectors",
        "services",
        "api",
        "forms",
        "views",
        "rest",
        "jobs",
        "admin",
    ),
    *("urls", "apps", "announced", "templates", "migrations", "tests", "locale", "static", "templatetags"),
}
# What one app needs beyond the stairs, each for its reason.
BESIDE_THE_STAIRS = {
    "backups": {"management"},  # Django looks up `migrate` by this dotted name
    "datahub": {"quality"},  # the rules of quality that ship, in YAML
    "front": {
        "cli",
        "demo",
        "terminal",
        "serving",
        "middleware",
        "context",
        "description",
        "navigation",
        "mounting",
        "operations",
        "errors",
    },  # the door of the whole house
    # Django looks up the first three by dotted name; the hats of a session are neither a rule nor a selector
    # nor is what it keeps of a proof; the queue stands before the hasher and belongs to the process.
    "identity": {
        "backends",
        "common_passwords",
        "hashers",
        "middleware",
        "presence",
        "sessions",
        "turnstile",
        "wardrobe",
        "words",
    },
    "pages": {"fonts", "icons"},  # filled by the front-end build; names of the icons in use
    "search": {"engines"},  # one file per database, the same face
    "standards": {"registry"},  # code tables as data files
    # the ground: no stairs
    "kernel": {
        "audit",
        "clock",
        "doors",
        "errors",
        "events",
        "fields",
        "files",
        "ids",
        "moments",
        "operations",
        "paging",
        "outward",
        "reading",
        "scope",
        "statistics",
    },
}


def test_no_file_is_named_for_nothing() -> None:
    assert [source.name for source in product() if EMPTY_NAMES.search(source.name)] == []


def test_every_app_has_the_same_stairs() -> None:
    strange = {}
    for app in APPS:
        entries = {path.stem for path in (SRC / "shuren" / app).iterdir() if path.name != "__pycache__"}
        if extra := entries - STAIRS - BESIDE_THE_STAIRS.get(app, set()):
            strange[app] = sorted(extra)
    assert strange == {}


def test_no_import_hides_inside_a_function() -> None:
    hidden = [
        f"{source.name}:{inner.lineno}"
        for source in product()
        for node in source.functions
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_signals_do_not_wire_the_house() -> None:
    offenders = [s.name for s in product() if "django.dispatch" in s.text or "models.signals" in s.text]
    assert [name for name in offenders if not name.endswith("/apps.py")] == []


def test_nothing_is_left_unbuilt() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK|raise NotImplementedError|coming soon)\b|敬请期待|待实现")
    assert [source.name for source in product() if marks.search(source.text)] == []


def test_packages_open_with_a_caption() -> None:
    without = []
    for source in product():
        if source.path.name != "__init__.py":
            continue
        caption = (ast.get_docstring(source.tree) or "").split("\n")[0]
        if not caption.endswith((".", "?")) or len(caption) < 15 or ";" in caption:
            without.append(f"{source.name}: {caption!r}")
    assert without == []
