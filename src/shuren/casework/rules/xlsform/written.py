"""A form of ours as the sheets of an XLSForm; what cannot be said there is listed instead of left out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.rules.codes import offered
from shuren.casework.rules.expressions import compile_expression
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.rules.specs.words import Words

ZH, EN = "中文 (zh)", "English (en)"
SURVEY_COLUMNS = (
    *("type", "name", f"label::{ZH}", f"label::{EN}", f"hint::{ZH}", f"hint::{EN}", "required", "relevant", "constraint"),
    *(f"constraint_message::{ZH}", f"constraint_message::{EN}", "calculation", "appearance"),
)
CHOICES_COLUMNS = ("list_name", "name", f"label::{ZH}", f"label::{EN}")
SETTINGS_COLUMNS = ("form_title", "form_id", "default_language")
_TYPES = {
    FieldType.INTEGER: "integer",
    FieldType.DECIMAL: "decimal",
    FieldType.DATE: "date",
    FieldType.PLACE: "geopoint",
    FieldType.FILE: "file",
    FieldType.CODE: "select_one",
    FieldType.CODES: "select_multiple",
    FieldType.BOOLEAN: "select_one",
}
_YES_NO = "yes_no"
_SIGNS = {"==": "=", "/": "div", "%": "mod"}
_SAME = frozenset({"sum", "min", "max", "count", "round"})
_CODES = (FieldType.CODE, FieldType.CODES)


class _Unsaid(ValueError):
    """An expression that XPath cannot say."""


@dataclass(slots=True)
class XLSForm:
    """The rows of each sheet; `unsaid` are name, column and what stands there in our words."""

    survey: list[dict[str, str]] = field(default_factory=list)
    choices: list[tuple[str, ...]] = field(default_factory=list)
    unsaid: list[tuple[str, str, str]] = field(default_factory=list)


def xlsform_of(form: FormSpec) -> XLSForm:
    """Sections are groups, tables are repeats."""
    made = XLSForm()
    types = {one.key: one.type or FieldType.TEXT for one in form.fields}
    types |= {f"{one.key}.{column.key}": column.type or FieldType.TEXT for one in form.fields for column in one.columns}
    for section in form.sections:
        made.survey.append(
            {"type": "begin group", "name": f"group_{section.key}"}
            | _texts("label", section.title)
            | _said(made, types, section.key, relevant=section.shown_if)
        )
        if section.note:
            made.survey.append({"type": "note", "name": f"note_{section.key}"} | _texts("label", section.note))
        for one in section.fields:
            made.survey += _rows(made, one, types, form)
        made.survey.append({"type": "end group"})
    return made


def _rows(made: XLSForm, one: FieldSpec, types: Mapping[str, FieldType], form: FormSpec) -> Iterator[dict[str, str]]:
    if one.type is not FieldType.TABLE:
        yield _question(made, one, types, form)
        return
    inner = {**types, **{column.key: column.type or FieldType.TEXT for column in one.columns}}
    yield (
        {"type": "begin repeat", "name": one.key}
        | _texts("label", one.title)
        | _said(made, types, one.key, relevant=one.shown_if)
    )
    for column in one.columns:
        yield _question(made, column, inner, None)
    yield {"type": "end repeat"}


def _question(made: XLSForm, one: FieldSpec, types: Mapping[str, FieldType], form: FormSpec | None) -> dict[str, str]:
    row = {"type": _type(made, one), "name": one.key} | _texts("label", one.title) | _texts("hint", one.help)
    if one.type is FieldType.PARAGRAPH:
        row["appearance"] = "multiline"
    if one.calculated:
        return row | {"type": "calculate"} | _said(made, types, one.key, calculation=one.calculated, relevant=one.shown_if)
    row |= _said(made, types, one.key, relevant=one.shown_if, required=one.required if isinstance(one.required, str) else "")
    if one.required is True:
        row["required"] = "yes"
    rules = [rule for rule in form.rules if rule.at == one.key and not rule.is_warning] if form else []
    for number, rule in enumerate(rules):
        if number == 0 and not _limits(one):
            row |= _texts("constraint_message", rule.message) | _said(made, types, one.key, constraint=rule.check)
        else:
            made.unsaid.append((one.key, "constraint", rule.check))
    if limits := _limits(one):
        row["constraint"] = limits
    return row


def _type(made: XLSForm, one: FieldSpec) -> str:
    kind = _TYPES.get(one.type or FieldType.TEXT, "text")
    if not kind.startswith("select"):
        return kind
    options = {"true": Words(zh=_("是"), en="Yes"), "false": Words(zh=_("否"), en="No")}
    name = _YES_NO if one.type is FieldType.BOOLEAN else f"list_{one.key}"
    if one.type is not FieldType.BOOLEAN:
        options = offered(one)
    rows = [(name, code, words.zh, words.en) for code, words in options.items()]
    made.choices += [row for row in rows if row not in made.choices]
    return f"{kind} {name}"


def _limits(one: FieldSpec) -> str:
    if one.pattern and "'" not in one.pattern:
        return f"regex(., '{one.pattern}')"
    bounds = [f". {sign} {bound:f}" for sign, bound in ((">=", one.minimum), ("<=", one.maximum)) if bound is not None]
    return " and ".join(bounds)


def _texts(column: str, words: Words | None) -> dict[str, str]:
    return {f"{column}::{ZH}": words.zh, f"{column}::{EN}": words.en} if words else {}


def _said(made: XLSForm, types: Mapping[str, FieldType], name: str, **expressions: str) -> dict[str, str]:
    found = {}
    for column, text in expressions.items():
        if text:
            try:
                found[column] = _truth(compile_expression(text).tree, types)
            except _Unsaid:
                made.unsaid.append((name, column, text))
    return found


def _truth(tree: Any, types: Mapping[str, FieldType]) -> str:
    """Yes or no is asked as a choice there, and a choice alone is no answer."""
    is_choice = tree[0] == "name" and types.get(tree[1]) is FieldType.BOOLEAN
    return f"(${{{tree[1]}}} = 'true')" if is_choice else _xpath(tree, types)


def _xpath(tree: Any, types: Mapping[str, FieldType]) -> str:
    kind, rest = tree[0], tree[1:]
    if kind in ("number", "truth", "today"):
        return "today()" if kind == "today" else rest[0] if kind == "number" else f"{str(rest[0]).lower()}()"
    if kind == "text":
        return _quoted(rest[0])
    if kind in ("name", "part"):
        return _name(rest, types)
    if kind in ("compare", "act"):
        return _pair(rest, types)
    if kind in ("and", "or"):
        return f"({f' {kind} '.join(_truth(part, types) for part in rest)})"
    if kind == "not":
        return f"not({_truth(rest[0], types)})"
    if kind == "in":
        return _among(rest, types)
    if kind == "if":
        return f"if({_truth(rest[0], types)}, {_xpath(rest[1], types)}, {_xpath(rest[2], types)})"
    return _call(rest, types)


def _quoted(text: str) -> str:
    if "'" in text:
        raise _Unsaid
    return f"'{text}'"


def _name(parts: list[str], types: Mapping[str, FieldType]) -> str:
    if ".".join(parts) not in types:
        raise _Unsaid
    return f"${{{parts[-1]}}}"


def _pair(rest: list[Any], types: Mapping[str, FieldType]) -> str:
    sign, left, right = rest
    if sign == "//":
        raise _Unsaid
    sides = []
    for one, other in ((left, right), (right, left)):
        is_truth = one[0] == "truth" and other[0] == "name" and types.get(other[1]) is FieldType.BOOLEAN
        sides.append(f"'{str(one[1]).lower()}'" if is_truth else _xpath(one, types))
    return f"({sides[0]} {_SIGNS.get(sign, sign)} {sides[1]})"


def _among(rest: list[Any], types: Mapping[str, FieldType]) -> str:
    one, many = rest
    if many[0] == "list":
        return f"({' or '.join(f'{_xpath(one, types)} = {_xpath(item, types)}' for item in many[1:])})"
    if many[0] == "name" and types.get(many[1]) in _CODES and one[0] == "text":
        return f"selected({_xpath(many, types)}, {_xpath(one, types)})"
    raise _Unsaid


def _call(rest: list[Any], types: Mapping[str, FieldType]) -> str:
    if rest[0] == "filled":
        return f"({_xpath(rest[1], types)} != '')"
    if rest[0] not in _SAME:
        raise _Unsaid
    return f"{rest[0]}({', '.join(_xpath(part, types) for part in rest[1:])})"
