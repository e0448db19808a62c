"""What a register's definition decides: who reaches which branch, which state follows which, what is indexed and hidden."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, TypeVar

from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.rules.specs.register import RegisterSpec, StateSpec
from shuren.standards.data import Grade

TEXT_LENGTH = 120
HIDDEN = "***"
# These are not one value that a list could filter by.
_NOT_INDEXED = frozenset({FieldType.TABLE, FieldType.FILE, FieldType.SIGNATURE, FieldType.PLACE, FieldType.PARAGRAPH})
NUMERIC = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.DATE})
_PERSONAL = frozenset({Grade.PERSONAL, Grade.SENSITIVE})
_CALLED = frozenset({FieldType.PERSON, FieldType.ENTRY})

Mask = Callable[[str, str], str]
Form = TypeVar("Form", bound=FormSpec)


@dataclass(frozen=True, slots=True)
class RegisterAccess:
    """The branches in which somebody reads, writes and sees what is sensitive; `is_public` opens L1 to everybody.

    With `hides_names` labels that hold what is personal are hidden too, and what people and entries are called: from apps.
    """

    read_paths: tuple[str, ...] = ()
    write_paths: tuple[str, ...] = ()
    sensitive_paths: tuple[str, ...] = ()
    is_public: bool = False
    hides_names: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.read_paths

    def may_read(self, path: str) -> bool:
        return _covers(self.read_paths, path)

    def may_write(self, path: str) -> bool:
        return _covers(self.write_paths, path)

    def sees_sensitive(self, path: str) -> bool:
        return _covers(self.sensitive_paths, path)


def _covers(paths: tuple[str, ...], path: str) -> bool:
    return any(path.startswith(branch) for branch in paths)


def first_state(spec: RegisterSpec) -> str:
    return spec.states[0].key if spec.states else ""


def state_of(spec: RegisterSpec, key: str) -> StateSpec | None:
    return next((state for state in spec.states if state.key == key), None)


def moves_from(spec: RegisterSpec, key: str) -> tuple[StateSpec, ...]:
    """The states a thing may go to from `key`; from a state that the register no longer knows, to any."""
    here = state_of(spec, key)
    if here is None:
        return spec.states
    return tuple(state for state in spec.states if state.key in here.to)


class Indexed(NamedTuple):
    """A value as lists filter and sort by it."""

    field: str
    text: str
    number: float | None


def indexed_fields(spec: FormSpec) -> tuple[FieldSpec, ...]:
    """The fields that lists filter and sort by."""
    return tuple(field for field in spec.fields if field.is_indexed and field.type not in _NOT_INDEXED)


def is_sortable(field: FieldSpec) -> bool:
    """Whether every entry has exactly one value of it."""
    return field.type not in _NOT_INDEXED | {FieldType.CODES}


def indexed_values(spec: FormSpec, data: Mapping[str, Any]) -> list[Indexed]:
    """What is kept for every indexed field, empty ones too, and for every other entry that this one names."""
    found: list[Indexed] = []
    for field in indexed_fields(spec):
        value = data.get(field.key)
        several = value if isinstance(value, list) and value else [value]
        found.extend(Indexed(field.key, indexed_text(one), indexed_number(field, one)) for one in several)
    named = {one.field for one in found}
    found.extend(
        Indexed(path, public_id, None) for path, public_id in dict.fromkeys(related_ids(spec, data)) if path not in named
    )
    return found


def related_ids(spec: FormSpec, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The entries that an entry names: the path of the field, and the public id."""
    for field in spec.fields:
        value = data.get(field.key)
        if field.type is FieldType.ENTRY and isinstance(value, Mapping) and value.get("id"):
            yield field.key, str(value["id"])
        elif field.type is FieldType.TABLE and isinstance(value, list):
            for column in field.columns:
                if column.type is FieldType.ENTRY:
                    rows = (row.get(column.key) for row in value if isinstance(row, Mapping))
                    path = f"{field.key}.{column.key}"[:60]
                    yield from ((path, str(one["id"])) for one in rows if isinstance(one, Mapping) and one.get("id"))


def indexed_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return str(value.get("id", ""))[:TEXT_LENGTH]
    return str(value)[:TEXT_LENGTH]


def indexed_number(field: FieldSpec, value: Any) -> float | None:
    """A number as it is, a date as its day count; anything else has none."""
    if field.type not in NUMERIC or value is None or value == "":
        return None
    try:
        return float(date.fromisoformat(str(value)).toordinal()) if field.type is FieldType.DATE else float(value)
    except ValueError:
        return None


def place_of(spec: RegisterSpec, data: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Longitude and latitude of an entry, from the field that the register names as its place."""
    value = data.get(spec.place) if spec.place else None
    if not isinstance(value, Mapping) or value.get("lon") is None or value.get("lat") is None:
        return None, None
    return float(value["lon"]), float(value["lat"])


def is_personal(field: FieldSpec) -> bool:
    """Whether only those who may see what is sensitive see it whole."""
    return field.grade in _PERSONAL or any(column.grade in _PERSONAL for column in field.columns)


def is_sensitive(field: FieldSpec) -> bool:
    """Whether seeing it whole is written into the audit trail."""
    return field.grade is Grade.SENSITIVE or any(column.grade is Grade.SENSITIVE for column in field.columns)


def has_sensitive(spec: FormSpec, data: Mapping[str, Any]) -> bool:
    return any(is_sensitive(field) and data.get(field.key) not in (None, "", [], {}) for field in spec.fields)


def tells_name(field: FieldSpec) -> bool:
    """Whether its value tells what somebody, or another entry, is called."""
    return field.type in _CALLED


def nameless_data(spec: FormSpec, data: Mapping[str, Any]) -> dict[str, Any]:
    """The data without what the people and entries in it are called: their ids stay."""
    return {
        key: _nameless(field, value) if (field := spec.field_named(key)) is not None else value for key, value in data.items()
    }


def _nameless(field: FieldSpec, value: Any) -> Any:
    if tells_name(field) and isinstance(value, Mapping):
        return {key: one for key, one in value.items() if key != "name"}
    if field.type is FieldType.TABLE and isinstance(value, list):
        columns = {column.key: column for column in field.columns}
        return [{key: _nameless(columns[key], one) if key in columns else one for key, one in row.items()} for row in value]
    return value


def public_fields(spec: FormSpec) -> tuple[FieldSpec, ...]:
    """The fields that anybody may read."""
    return tuple(
        field
        for field in spec.fields
        if field.grade is Grade.PUBLIC and all(column.grade is Grade.PUBLIC for column in field.columns)
    )


def masked_data(spec: FormSpec, data: Mapping[str, Any], *, mask: Mask, sensitive_only: bool = False) -> dict[str, Any]:
    """The data with every personal value hidden; `mask` is told text and element, and hides all where that has no mask.

    With `sensitive_only` only L4 is hidden: what lists and files show those who may see it on the page of the entry.
    """
    hides = is_sensitive if sensitive_only else is_personal
    return {
        key: _hidden(field, value, mask) if (field := spec.field_named(key)) is not None and hides(field) else value
        for key, value in data.items()
    }


def _hidden(field: FieldSpec, value: Any, mask: Mask) -> Any:
    if value in (None, "", [], {}):
        return value
    if field.type in (FieldType.TEXT, FieldType.PARAGRAPH, FieldType.DATE) and field.element and isinstance(value, str):
        left = mask(value, field.element)
        return HIDDEN if left == value else left
    return HIDDEN


def form_without(spec: Form, is_left_out: Callable[[FieldSpec], bool]) -> Form:
    """The form without some of its fields, for a page that does not ask them; sections left empty go too."""
    sections = (
        section.model_copy(update={"fields": tuple(field for field in section.fields if not is_left_out(field))})
        for section in spec.sections
    )
    return spec.model_copy(update={"sections": tuple(section for section in sections if section.fields)})


class Change(NamedTuple):
    """One field that is not what it was."""

    field: FieldSpec
    before: Any
    after: Any


def changes_between(spec: FormSpec, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What changed, in the order of the form; nothing and an empty text are the same."""
    return [
        Change(field, before.get(field.key), after.get(field.key))
        for field in spec.fields
        if _bare(before.get(field.key)) != _bare(after.get(field.key))
    ]


def _bare(value: Any) -> Any:
    return None if value in ("", [], {}) else value
