"""Forms of every kind of field, and hypothesis strategies that draw forms, data and expressions."""

from typing import Any

from hypothesis import strategies as st

from shuren.casework.rules.binding import bound_form
from shuren.casework.rules.specs.form import FormSpec
from shuren.standards import api as standards

OPTIONS = [{"code": "a", "title": {"zh": "甲等", "en": "First"}}, {"code": "b", "title": "乙等"}, {"code": "c", "title": "丙等"}]

SIMPLE = ("text", "paragraph", "integer", "decimal", "boolean", "date", "code", "codes", "file", "place", "person", "signature")


def form_of(*fields: dict[str, Any], **more: Any) -> FormSpec:
    body = {"key": "demo.form", "title": "样表", "sections": [{"key": "main", "title": "基本情况", "fields": list(fields)}]}
    return bound_form(FormSpec.model_validate(body | more), standards.known_element)


def field(key: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    own = {"options": OPTIONS} if kind in ("code", "codes") and not {"code_set", "options"} & set(more) else {}
    return {"key": key, "title": more.pop("title", key), "type": kind, **own, **more}


@st.composite
def fields(draw: st.DrawFn, key: str, *, in_table: bool = False) -> dict[str, Any]:
    kind = draw(st.sampled_from(SIMPLE if in_table else (*SIMPLE, "table")))
    more: dict[str, Any] = {"required": draw(st.booleans())}
    if kind in ("text", "paragraph"):
        more["length"] = draw(st.none() | st.integers(1, 8))
        if draw(st.booleans()):
            more["pattern"] = "[0-9]{2,4}|[a-z]+"
    if kind in ("integer", "decimal"):
        low, high = sorted(draw(st.tuples(st.integers(-20, 20), st.integers(-20, 20))))
        more |= {"minimum": draw(st.sampled_from([None, low])), "maximum": draw(st.sampled_from([None, high]))}
    if kind == "file":
        more["maximum_files"] = draw(st.integers(1, 2))
    if kind == "table":
        more |= {"minimum_rows": draw(st.integers(0, 2)), "maximum_rows": draw(st.integers(2, 3))}
        more["columns"] = [draw(fields(f"c{number}", in_table=True)) for number in range(draw(st.integers(1, 3)))]
    return field(key, kind, **{name: value for name, value in more.items() if value is not None})


@st.composite
def forms(draw: st.DrawFn) -> FormSpec:
    return form_of(*[draw(fields(f"f{number}")) for number in range(draw(st.integers(1, 5)))])


FILES = st.fixed_dictionaries(
    {"id": st.just("0123456789abc"), "name": st.just("图.png"), "size": st.integers(0, 9), "sha256": st.just("00")}
)


def told(spec: Any) -> st.SearchStrategy[Any]:
    """Values of the right JSON kind for a field, within its limits or just beyond."""
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "text": st.sampled_from(["12", "12345", "abc", "甲乙丙丁戊己庚辛壬", "A", "𠮷𠮷"]),
        "paragraph": st.sampled_from(["123", "abc\nabc", "x" * 9, "y"]),
        "integer": st.integers(-25, 25),
        "decimal": st.decimals(-25, 25, places=2).map(float),
        "boolean": st.booleans(),
        "date": st.dates().filter(lambda day: 1850 <= day.year <= 2200).map(str) | st.just("2026-02-30"),
        "code": st.sampled_from(["a", "b", "z"]),
        "codes": st.lists(st.sampled_from(["a", "c", "z"]), min_size=1, max_size=3, unique=True),
        "file": st.lists(FILES, min_size=1, max_size=3),
        "place": st.fixed_dictionaries({"lon": st.sampled_from([116.4, 181.5]), "lat": st.just(39.9)}),
        "person": st.sampled_from([{"id": "0123456789abc", "name": "王芳"}, {"id": "", "name": "无"}]),
        "signature": st.just({"person": "0123456789abc", "name": "王芳", "at": "2026-09-01T10:00:00", "digest": "00"}),
    }
    if spec.type.value == "table":
        row = st.fixed_dictionaries({}, optional={column.key: told(column) for column in spec.columns})
        return st.lists(row.filter(bool), min_size=1, max_size=4)
    return kinds[spec.type.value]


@st.composite
def filled_forms(draw: st.DrawFn) -> tuple[FormSpec, dict[str, Any]]:
    form = draw(forms())
    data = {spec.key: draw(st.none() | told(spec)) for spec in form.fields}
    return form, {key: value for key, value in data.items() if value is not None}


NAMES = ("a", "b", "text", "day", "other_day", "truth", "codes", "missing", "person")
PARTS = ("rows.n", "rows.t", "person.name", "rows.none")
_NUMBERS = st.integers(-9, 9).map(str) | st.sampled_from(["0.1", "2.5", "1000000.005"])
_TEXTS = st.sampled_from(["'甲'", "''", "'2026-09-01'", "'𠮷'", "'10'"])
_LEAVES = _NUMBERS | _TEXTS | st.sampled_from([*NAMES, *PARTS, "today()", "true", "False", "['甲', 2.5]"])


_OF_ONE = ("sum", "count", "abs", "len", "filled", "year", "min", "max", "round")


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(pair, st.sampled_from(["+", "-", "*", "/", "//", "%"])).map(lambda p: f"({p[0][0]} {p[1]} {p[0][1]})"),
        st.tuples(pair, st.sampled_from(["==", "!=", "<", "<=", ">", ">="])).map(lambda p: f"({p[0][0]} {p[1]} {p[0][1]})"),
        st.tuples(pair, st.sampled_from(["and", "or"])).map(lambda p: f"({p[0][0]} {p[1]} {p[0][1]})"),
        inner.map(lambda one: f"(not {one})"),
        inner.map(lambda one: f"({one} in ['甲', 2.5, 3])"),
        inner.map(lambda one: f"({one} not in codes)"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        st.tuples(st.sampled_from(["sum", "count", "abs", "len", "filled", "year", "min", "max", "round"]), inner).map(
            lambda p: f"{p[0]}({p[1]})"
        ),
        st.tuples(st.sampled_from(["sum", "min", "max", "days", "years"]), pair).map(lambda p: f"{p[0]}({p[1][0]}, {p[1][1]})"),
        inner.map(lambda one: f"round({one}, 2)"),
    )


EXPRESSIONS = st.recursive(_LEAVES, _grown, max_leaves=8)
_CELL = st.none() | st.integers(-5, 5) | st.sampled_from([0.1, 2.25])
DATA = st.fixed_dictionaries(
    {},
    optional={
        "a": _CELL,
        "b": _CELL,
        "text": st.sampled_from(["甲", "", "10", "𠮷a"]),
        "day": st.dates().map(str),
        "other_day": st.sampled_from(["2024-02-29", "2026-09-01", "不详"]),
        "truth": st.booleans(),
        "codes": st.lists(st.sampled_from(["甲", "乙"]), max_size=2),
        "person": st.just({"id": "0123456789abc", "name": "王芳"}),
        "rows": st.lists(st.fixed_dictionaries({}, optional={"n": _CELL, "t": st.sampled_from(["甲", ""])}), max_size=3),
    },
)
