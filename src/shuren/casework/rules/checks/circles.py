"""Fields that wait for themselves: what is calculated, or shown, by way of itself would silently stay empty."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from django.utils.translation import gettext as _

from shuren.casework.data import Finding
from shuren.casework.rules.expressions import ExpressionFault, compile_expression
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec

# What waits for what: `seats` and `rooms.area` are values, with this before them whether they are shown.
_SHOWN = "?"
Waiting = dict[str, set[str]]


def circle_findings(form: FormSpec) -> Iterator[Finding]:
    """One circle at most: when it is mended, the next is told."""
    try:
        TopologicalSorter(_waiting(form)).prepare()
    except CycleError as fault:
        names = [name.removeprefix(_SHOWN) for name in reversed(fault.args[1])]
        path = [name for place, name in enumerate(names) if place == 0 or name != names[place - 1]]
        told = " → ".join(path if len(path) > 1 else path * 2)
        remedy = _("让其中一个不再用到后面的。")
        yield Finding(_place(form, names), _("计算或显示条件绕回了自己，永远算不出来：%(names)s。") % {"names": told}, remedy)


def _place(form: FormSpec, names: list[str]) -> str:
    """The field of the circle that stands first in the form."""
    keys = {name.partition(".")[0] for name in names}
    found = ((section, field) for section in form.sections for field in section.fields)
    return next(f"sections.{section.key}.fields.{field.key}" for section, field in found if field.key in keys)


def _waiting(form: FormSpec) -> Waiting:
    """As `rules.sheet` works values out: a value waits for whether it is shown, a table for its columns."""
    fields = {field.key: field for field in form.fields}
    waiting: Waiting = {}
    for section in form.sections:
        for field in section.fields:
            shown = {name for text in (section.shown_if, field.shown_if) for name in _asked(text, fields)}
            waiting[f"{_SHOWN}{field.key}"] = shown
            waiting[field.key] = {f"{_SHOWN}{field.key}", *_asked(field.calculated, fields)}
            for column in field.columns:
                key = f"{field.key}.{column.key}"
                waiting[field.key].add(key)
                waiting[f"{_SHOWN}{key}"] = set(_asked(column.shown_if, fields, field))
                waiting[key] = {f"{_SHOWN}{key}", *_asked(column.calculated, fields, field)}
    return waiting


def _asked(text: str, fields: dict[str, FieldSpec], table: FieldSpec | None = None) -> Iterator[str]:
    """What an expression asks for; in a row of `table` its own columns first."""
    if not text:
        return
    try:
        names = compile_expression(text).names
    except ExpressionFault:
        return
    columns = {column.key for column in table.columns} if table else set()
    for name in names:
        key, _dot, part = name.partition(".")
        field = fields.get(key)
        if table and key in columns:
            yield f"{table.key}.{key}"
        elif field is not None and part and field.type == FieldType.TABLE:
            yield f"{_SHOWN}{key}"
            if any(column.key == part for column in field.columns):
                yield name
        elif field is not None:
            yield key
