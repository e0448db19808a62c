"""What changes between two versions of a definition, in words, and whether what runs on the old one can follow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.rules.pack_files import joined, name_of
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec

# A value of the first type is one of the second, as it stands.
_WIDER = {
    (FieldType.TEXT, FieldType.PARAGRAPH),
    (FieldType.INTEGER, FieldType.DECIMAL),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change. With `loses` an answer already given would be lost or refused; `path` is the field it is about."""

    path: str
    words: str
    loses: bool = False


def form_changes(before: FormSpec, after: FormSpec) -> list[Change]:
    """Changes of the fields of a bound form; `loses` says which of them open cases that filled the field in cannot follow."""
    old, new = _fields(before), _fields(after)
    changes = []
    for path, field in old.items():
        if path not in new:
            changes.append(Change(path, _("去掉字段“%(name)s”") % {"name": _name(field)}, loses=not field.calculated))
        else:
            changes += _field_changes(path, field, new[path])
    for path, field in new.items():
        if path in old:
            continue
        if field.required is True and not field.calculated and field.default is None:
            changes.append(Change(path, _("增加必填字段“%(name)s”") % {"name": _name(field)}, loses=True))
        else:
            changes.append(Change(path, _("增加字段“%(name)s”") % {"name": _name(field)}))
    return changes


def blocking(changes: list[Change], used: Mapping[str, int], open_cases: int) -> list[Change]:
    """Those that keep a change from coming into force: `used` counts by path the open cases that filled a field in.

    A new field that must be filled concerns every open case; any other only those that hold a value there.
    """
    return [
        change for change in changes if change.loses and (used.get(change.path, 0) or (change.path not in used and open_cases))
    ]


def _fields(form: FormSpec) -> dict[str, FieldSpec]:
    found = {}
    for field in form.fields:
        found[field.key] = field
        found |= {f"{field.key}.{column.key}": column for column in field.columns}
    return found


def _name(field: FieldSpec) -> str:
    return str(field.title) if field.title else field.key


def _field_changes(path: str, old: FieldSpec, new: FieldSpec) -> Iterator[Change]:
    said = {"name": _name(old)}
    if old.type != new.type:
        told = said | {"old": old.type, "new": new.type}
        words = _("“%(name)s”的类型由 %(old)s 改为 %(new)s") % told
        yield Change(path, words, loses=(old.type, new.type) not in _WIDER)
    if str(old.title or "") != str(new.title or ""):
        yield Change(path, _("“%(name)s”改名为“%(new)s”") % (said | {"new": _name(new)}))
    if gone := sorted({option.code for option in old.options} - {option.code for option in new.options}):
        yield Change(path, _("“%(name)s”去掉选项 %(codes)s") % (said | {"codes": "、".join(gone)}), loses=True)
    if come := sorted({option.code for option in new.options} - {option.code for option in old.options}):
        yield Change(path, _("“%(name)s”增加选项 %(codes)s") % (said | {"codes": "、".join(come)}))
    if old.code_set != new.code_set:
        yield Change(path, _("“%(name)s”换了代码集：%(new)s") % (said | {"new": new.code_set or "—"}), loses=True)
    if new.required is True and old.required is not True:
        yield Change(path, _("“%(name)s”改为必填") % said)
    elif old.required is True and new.required is not True:
        yield Change(path, _("“%(name)s”不再必填") % said)
    yield from _limit_changes(path, old, new)


def _limit_changes(path: str, old: FieldSpec, new: FieldSpec) -> Iterator[Change]:
    """A narrowed limit loses nothing by itself: what stands outside it is pointed out when the case is submitted again."""
    for attribute in ("minimum", "maximum", "length", "places", "pattern", "shown_if", "calculated", "unit"):
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before != after:
            said = {"name": _name(old), "attribute": attribute, "old": _told(before), "new": _told(after)}
            yield Change(path, _("“%(name)s”的 %(attribute)s 由 %(old)s 改为 %(new)s") % said)


def body_changes(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """Every difference of two bodies, place by place, for definitions of any kind."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            here = joined(path, str(key))
            if key not in after:
                yield Change(here, _("去掉 %(path)s（原为 %(old)s）") % {"path": here, "old": _told(before[key])})
            elif key not in before:
                yield Change(here, _("增加 %(path)s：%(new)s") % {"path": here, "new": _told(after[key])})
            else:
                yield from body_changes(before[key], after[key], here)
    elif isinstance(before, list) and isinstance(after, list) and all(map(name_of, [*before, *after])):
        yield from body_changes({name_of(item): item for item in before}, {name_of(item): item for item in after}, path)
        old, new = [name_of(item) for item in before], [name_of(item) for item in after]
        if [name for name in old if name in new] != [name for name in new if name in old]:
            yield Change(path, _("%(path)s 的顺序变了") % {"path": path})
    elif before != after:
        said = {"path": path, "old": _told(before), "new": _told(after)}
        yield Change(path, _("%(path)s 由 %(old)s 改为 %(new)s") % said)


def _told(value: Any) -> str:
    """A value in a sentence: the Chinese of a text in two languages, the name of a thing, a short form of anything long."""
    if value is None or value == "":
        return "—"
    if isinstance(value, Mapping):
        return str(value.get("zh") or name_of(value) or "…")
    if isinstance(value, list | tuple):
        return "、".join(name_of(item) or str(item) for item in value)[:80]
    return str(value)[:80]
