"""A form and what was told: every value read, what is calculated, what is shown, and what must be mended.

The browser does the same while somebody types (`frontend/src/forms/sheet.ts`); only this decides.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from json import dumps
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import FieldFault
from shuren.casework.rules.expressions import Expression, compile_expression
from shuren.casework.rules.sheet import Sheet
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec, RuleSpec
from shuren.casework.rules.values import Wrong, fault_of

# A rule in Python: what is wrong, in the words of the reader, or nothing.
FormRule = Callable[[Mapping[str, Any], date], str]


@dataclass(frozen=True, slots=True)
class Checked:
    """`data` holds what is shown and filled in; `shown` the paths of all that is asked (`rooms`, `rooms[0].seats`)."""

    data: dict[str, Any]
    faults: tuple[FieldFault, ...]
    shown: frozenset[str]

    @property
    def errors(self) -> tuple[FieldFault, ...]:
        return tuple(fault for fault in self.faults if fault.is_error)

    @property
    def is_sound(self) -> bool:
        return not self.errors


def check_form(
    form: FormSpec,
    data: Mapping[str, Any],
    *,
    today: date,
    is_draft: bool = False,
    functions: Mapping[str, FormRule] | None = None,
) -> Checked:
    """Read and check what was told. A draft may lack anything, and keeps what cannot be read as it was typed.

    `functions` are those the form names beyond YAML; one that is not given is not asked.
    """
    sheet = Sheet(form, data, today=today)
    found: dict[str, Any] = {}
    faults: list[FieldFault] = []
    for field in form.fields:
        if not sheet.is_shown(field.key):
            continue
        value = sheet.value(field.key)
        wrong = sheet.faults_of(field)
        faults += wrong
        if is_draft:
            value = sheet.kept(field)
        else:
            told = {fault.path for fault in wrong}
            faults += [fault for fault in _missing(sheet, field, value) if fault.path not in told]
        if value is not None:
            found[field.key] = value
    if not is_draft:
        faults += [fault for rule in form.rules for fault in _broken(rule, sheet, form)]
        faults += _by_functions(form, found, sheet, functions or {}, today)
        faults += _void_signatures(form, found, sheet)
    return Checked(found, tuple(faults), sheet.shown())


def _missing(sheet: Sheet, field: FieldSpec, value: Any) -> list[FieldFault]:
    if field.type != FieldType.TABLE:
        return [_asked(field, field.key)] if value is None and sheet.is_required(field) else []
    rows = value or []
    fewest = max(field.minimum_rows, 1 if sheet.is_required(field) else 0)
    faults = []
    if len(rows) < fewest:
        told = {"count": fewest}
        wrong = Wrong(_("还没有填") if not rows else _("行数不够"), _("请至少填 %(count)d 行。") % told)
        faults.append(fault_of(field, field.key, wrong))
    for number, row in enumerate(sheet.rows(field)):
        for column in field.columns:
            if row.is_shown(column.key) and row.value(column.key) is None and row.is_required(column):
                faults.append(_asked(column, f"{field.key}[{number}].{column.key}"))
    return faults


_ASKED: dict[FieldType, tuple[Callable[[], str], Callable[[], str]]] = {
    FieldType.FILE: (lambda: _("还没有上传"), lambda: _("请选择文件上传。")),
    FieldType.SIGNATURE: (lambda: _("还没有签名"), lambda: _("请核对填写的内容后点“签名确认”。")),
    FieldType.CODE: (lambda: _("还没有选择"), lambda: _("请选择一项。")),
    FieldType.CODES: (lambda: _("还没有选择"), lambda: _("请至少选择一项。")),
    FieldType.BOOLEAN: (lambda: _("还没有选择"), lambda: _("请选“是”或“否”。")),
    FieldType.PERSON: (lambda: _("还没有选择"), lambda: _("请搜索姓名后选择。")),
    FieldType.ORG: (lambda: _("还没有选择"), lambda: _("请搜索名称后选择。")),
    FieldType.ENTRY: (lambda: _("还没有选择"), lambda: _("请搜索名称后选择。")),
}


def _asked(field: FieldSpec, path: str) -> FieldFault:
    assert field.type is not None
    if field.calculated:
        return fault_of(field, path, Wrong(_("还算不出来"), _("请先填好计算要用到的各项。")))
    if field.type in _ASKED:
        reason, remedy = _ASKED[field.type]
        return fault_of(field, path, Wrong(reason(), remedy()))
    return fault_of(field, path, Wrong(_("还没有填"), _("请填写“%(title)s”。") % {"title": field.title}))


def _broken(rule: RuleSpec, sheet: Sheet, form: FormSpec) -> list[FieldFault]:
    """A rule that points to what is not shown could not be mended, so it is not asked."""
    if not sheet.is_shown(rule.at) or compile_expression(rule.check).holds(sheet, today=sheet.today) is not False:
        return []
    field = form.field_named(rule.at)
    title = str(field.title) if field else rule.at
    return [FieldFault(path=rule.at, title=title, reason=str(rule.message), is_error=not rule.is_warning)]


def _by_functions(
    form: FormSpec, data: Mapping[str, Any], sheet: Sheet, functions: Mapping[str, FormRule], today: date
) -> list[FieldFault]:
    faults = []
    for rule in form.functions:
        reason = functions[rule.function](data, today) if rule.function in functions and sheet.is_shown(rule.at) else ""
        if reason:
            field = form.field_named(rule.at)
            faults.append(FieldFault(path=rule.at, title=str(field.title) if field else rule.at, reason=reason))
    return faults


def _void_signatures(form: FormSpec, data: Mapping[str, Any], sheet: Sheet) -> list[FieldFault]:
    fields = [field for field in form.fields if field.type == FieldType.SIGNATURE and field.key in data]
    if not fields:
        return []
    digest = digest_of(form, data)
    wrong = Wrong(_("签名之后内容有改动"), _("请核对后重新签名。"))
    return [fault_of(field, field.key, wrong) for field in fields if data[field.key]["digest"] != digest]


def digest_of(form: FormSpec, data: Mapping[str, Any]) -> str:
    """What a signature is about: SHA-256 over everything filled in but signatures."""
    signatures = {field.key for field in form.fields if field.type == FieldType.SIGNATURE}
    told = {key: value for key, value in data.items() if key not in signatures}
    text = dumps([form.key, told], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def signed(form: FormSpec, data: Mapping[str, Any], key: str, *, person: str, name: str, at: str, today: date) -> Checked:
    """The data with the signature `key` under what is filled in; where anything else is wrong, only what is wrong."""
    checked = check_form(form, {name: value for name, value in data.items() if name != key}, today=today)
    own = tuple(fault for fault in checked.errors if not _is_signature(form, fault.path))
    if own or key not in checked.shown:
        return Checked(dict(data), own, checked.shown)
    signature = {"person": person, "name": name, "at": at, "digest": digest_of(form, checked.data)}
    return Checked({**checked.data, key: signature}, (), checked.shown)


def _is_signature(form: FormSpec, path: str) -> bool:
    field = form.field_named(path)
    return field is not None and field.type == FieldType.SIGNATURE


def taken_over(
    form: FormSpec,
    told: Mapping[str, Any],
    kept: Mapping[str, Any],
    files: Mapping[str, Mapping[str, Any]],
    *,
    locked: Collection[str] = (),
) -> dict[str, Any]:
    """What a filler may say: signatures and what is `locked` stay as they were, files are those uploaded here (by id)."""
    data = dict(told)
    for field in form.fields:
        if field.type == FieldType.SIGNATURE or field.key in locked:
            data[field.key] = kept.get(field.key)
        elif field.type == FieldType.FILE:
            data[field.key] = _known_files(data.get(field.key), files)
        elif field.type == FieldType.TABLE:
            data[field.key] = _rows_taken_over(field, data.get(field.key), files)
    return data


def _rows_taken_over(field: FieldSpec, told: Any, files: Mapping[str, Mapping[str, Any]]) -> Any:
    columns = [column.key for column in field.columns if column.type == FieldType.FILE]
    if not columns or not isinstance(told, list):
        return told
    return [
        {**row, **{key: _known_files(row.get(key), files) for key in columns}} if isinstance(row, dict) else row for row in told
    ]


def _known_files(told: Any, files: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    asked = [one.get("id") for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    return [dict(files[id]) for id in dict.fromkeys(asked) if isinstance(id, str) and id in files]


def with_parties(
    form: FormSpec,
    told: Mapping[str, Any],
    kept: Mapping[str, Any],
    find: Callable[[FieldSpec, object], Mapping[str, str] | None],
) -> dict[str, Any]:
    """People, orgs and entries as they are known; one that is not found stays as it was typed, and is told as a fault."""

    def party(field: FieldSpec, value: Any, before: Any) -> Any:
        if field.type not in _PARTIES or value in (None, ""):
            return value
        if isinstance(before, Mapping) and value in (before, before.get("name"), f"{before.get('id')}|{before.get('name')}"):
            return dict(before)
        found = find(field, value)
        return dict(found) if found else _typed(value)

    data = dict(told)
    for field in form.fields:
        before = kept.get(field.key)
        if field.type in _PARTIES:
            data[field.key] = party(field, told.get(field.key), before)
        elif isinstance(rows := told.get(field.key), list) and any(column.type in _PARTIES for column in field.columns):
            same = before if isinstance(before, list) and len(before) == len(rows) else [{}] * len(rows)
            data[field.key] = [
                {**row, **{column.key: party(column, row.get(column.key), old.get(column.key)) for column in field.columns}}
                for row, old in zip(rows, same, strict=True)
                if isinstance(row, dict) and isinstance(old, dict)
            ]
    return data


_PARTIES = (FieldType.PERSON, FieldType.ORG, FieldType.ENTRY)


def _typed(value: Any) -> str:
    return str(value.get("name") or "?") if isinstance(value, Mapping) else str(value).rpartition("|")[2]


def first_data(form: FormSpec) -> dict[str, Any]:
    """What stands in a new form by itself."""
    return {field.key: field.default for field in form.fields if field.default is not None}


def expressions_of(form: FormSpec) -> dict[str, Expression]:
    """Every expression of a form by where it stands (`seats.shown_if`, `rule 2`), for checks; raises `ExpressionFault`."""
    found: dict[str, str] = {f"{section.key}.shown_if": section.shown_if for section in form.sections}
    fields = [("", field) for field in form.fields]
    fields += [(f"{field.key}.", column) for field in form.fields for column in field.columns]
    for prefix, field in fields:
        found[f"{prefix}{field.key}.shown_if"] = field.shown_if
        found[f"{prefix}{field.key}.calculated"] = field.calculated
        found[f"{prefix}{field.key}.required"] = field.required if isinstance(field.required, str) else ""
    found |= {f"rule {number}": rule.check for number, rule in enumerate(form.rules, start=1)}
    return {place: compile_expression(text) for place, text in found.items() if text}
