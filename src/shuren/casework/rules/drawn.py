"""A form as it is drawn: every field with its value, its choices and what is wrong with it; no HTML yet."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import FieldFault
from shuren.casework.rules.codes import offered
from shuren.casework.rules.expressions import compile_expression
from shuren.casework.rules.sheet import Cells, Sheet
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.rules.values import longest_of, number_words, places_of, value_text

# More than so many choices are drawn as a list to open.
RADIOS = 5
# The number of the row that the browser copies.
BLANK = "__n__"


@dataclass(frozen=True, slots=True)
class Choice:
    code: str
    title: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """One field. `source` says where a value came from that is not asked again; `extra` what the type alone needs."""

    spec: FieldSpec
    path: str
    title: str
    help: str
    value: Any
    text: str
    faults: tuple[str, ...]
    is_shown: bool
    is_required: bool
    source: str = ""
    choices: tuple[Choice, ...] = ()
    rows: tuple["DrawnRow", ...] = ()
    blank: "DrawnRow | None" = None

    @property
    def id(self) -> str:
        return field_id(self.path)

    @property
    def kind(self) -> str:
        """The way it is drawn, which is the type but for what is not asked."""
        if self.spec.calculated:
            return "calculated"
        if self.source:
            return "locked"
        assert self.spec.type is not None
        return self.spec.type.value

    @property
    def as_radios(self) -> bool:
        return len(self.choices) <= RADIOS and BLANK not in self.path and "[" not in self.path

    @property
    def longest(self) -> int:
        return longest_of(self.spec)

    @property
    def describes(self) -> str:
        """The ids of what describes it to readers of screens."""
        told = [f"{self.id}-help"] * bool(self.help) + [f"{self.id}-error"] * bool(self.faults)
        return " ".join(told)

    @property
    def party_id(self) -> str:
        return str(self.value.get("id", "")) if isinstance(self.value, Mapping) else ""

    @property
    def party_name(self) -> str:
        return str(self.value.get("name") or self.party_id) if isinstance(self.value, Mapping) else str(self.value)

    @property
    def accept(self) -> str:
        return ",".join(ending for group in self.spec.accepts for ending in ENDINGS.get(group, ()))


@dataclass(frozen=True, slots=True)
class DrawnRow:
    number: int | str
    path: str
    cells: tuple[Drawn, ...]


@dataclass(frozen=True, slots=True)
class DrawnSection:
    key: str
    title: str
    note: str
    is_shown: bool
    fields: tuple[Drawn, ...]


# What a browser offers to choose from, by group; what a file is, is decided by its content.
ENDINGS: dict[str, tuple[str, ...]] = {
    "image": (".png", ".jpg", ".jpeg", ".webp", ".gif"),
    "pdf": (".pdf", ".ofd"),
    "office": (".docx", ".xlsx", ".pptx", ".doc", ".xls", ".ppt", ".wps", ".et", ".dps"),
    "text": (".txt", ".csv"),
    "zip": (".zip",),
    "audio": (".mp3", ".wav", ".m4a"),
    "video": (".mp4",),
}


def field_id(path: str) -> str:
    return "f-" + path.replace("[", "-").replace("].", "-").replace("]", "").replace(".", "-")


def fault_text(fault: FieldFault) -> str:
    if not fault.remedy:
        return fault.reason
    return _("%(reason)s。%(remedy)s") % {"reason": fault.reason.rstrip("。."), "remedy": fault.remedy}


class Drawer:
    """Draws one form over its data."""

    def __init__(
        self,
        form: FormSpec,
        data: Mapping[str, Any],
        *,
        today: date,
        language: str,
        faults: Sequence[FieldFault] = (),
        sources: Mapping[str, str] | None = None,
        blank_rows: Iterable[str] = (),
    ) -> None:
        self.form, self.data, self.language = form, data, language
        self.sheet = Sheet(form, data, today=today)
        self.sources = sources or {}
        self.blank_rows = list(blank_rows)
        self._faults: dict[str, list[str]] = {}
        for fault in faults:
            self._faults.setdefault(fault.path, []).append(fault_text(fault))

    def sections(self) -> list[DrawnSection]:
        found = []
        for section in self.form.sections:
            fields = tuple(self._field(field) for field in section.fields)
            note = section.note.text(self.language) if section.note else ""
            is_shown = any(field.is_shown for field in fields) or not section.shown_if
            found.append(DrawnSection(section.key, section.title.text(self.language), note, is_shown, fields))
        return found

    def _field(self, field: FieldSpec) -> Drawn:
        drawn = self._drawn(field, self.sheet, field.key)
        if field.type != FieldType.TABLE:
            return drawn
        rows = list(self.sheet.rows(field))
        wanted = max(field.minimum_rows, 0 if rows else 1) + self.blank_rows.count(field.key)
        numbers = range(min(max(wanted, len(rows) + self.blank_rows.count(field.key)), field.maximum_rows))
        empty = Sheet(self.form, {**self.data} | {field.key: [{"": BLANK}]}, today=self.sheet.today).rows(field)[0]
        drawn_rows = tuple(self._row(field, rows[number] if number < len(rows) else empty, number) for number in numbers)
        is_required = drawn.is_required or field.minimum_rows > 0
        return replace(drawn, rows=drawn_rows, blank=self._row(field, empty, BLANK), is_required=is_required)

    def _row(self, field: FieldSpec, cells: Cells, number: int | str) -> DrawnRow:
        path = f"{field.key}[{number}]"
        return DrawnRow(number, path, tuple(self._drawn(column, cells, f"{path}.{column.key}") for column in field.columns))

    def _drawn(self, field: FieldSpec, cells: Cells, path: str) -> Drawn:
        value = cells.kept(field) if cells.is_shown(field.key) else cells.told.get(field.key)
        return Drawn(
            spec=field,
            path=path,
            title=field.title.text(self.language) if field.title else field.key,
            help=field.help.text(self.language) if field.help else "",
            value=_in_box(field, value),
            text=_text(field, value, self.language),
            faults=tuple(self._faults.get(path, ())),
            is_shown=cells.is_shown(field.key),
            is_required=cells.is_required(field),
            source=self.sources.get(path, ""),
            choices=_choices(field, value, self.sheet.today, self.language),
        )


def _in_box(field: FieldSpec, value: Any) -> Any:
    """What stands in the box: numbers as they were rounded, without separators; parties as `id|name`."""
    if value is None:
        return ""
    if field.type == FieldType.DECIMAL and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.{places_of(field)}f}".rstrip("0").rstrip(".") if places_of(field) else f"{value:.0f}"
    return value


def _text(field: FieldSpec, value: Any, language: str) -> str:
    try:
        return value_text(field, value, language)
    except (TypeError, ValueError, AttributeError):
        return str(value)


def _choices(field: FieldSpec, value: Any, today: date, language: str) -> tuple[Choice, ...]:
    if field.type not in (FieldType.CODE, FieldType.CODES):
        return ()
    chosen = value if isinstance(value, list) else [value]
    return tuple(Choice(code, title.text(language), code in chosen) for code, title in offered(field, on=today).items())


@dataclass(frozen=True, slots=True)
class Shown:
    """A value on a page that is read: `files` and the rows of a table are drawn by their own."""

    key: str
    title: str
    text: str
    kind: str
    is_half: bool
    is_changed: bool = False
    files: tuple[Mapping[str, Any], ...] = ()
    signature: Mapping[str, Any] | None = None
    headings: tuple[tuple[str, bool], ...] = ()
    rows: tuple[tuple["Shown", ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ShownSection:
    key: str
    title: str
    values: tuple[Shown, ...]


# What is left of a personal value, told its text and its element.
Hide = Callable[[FieldSpec, str], str]


def shown_sections(
    form: FormSpec, data: Mapping[str, Any], *, today: date, language: str, hide: Hide, changed: Iterable[str] = ()
) -> list[ShownSection]:
    """What is filled in or was asked, section by section; `changed` are keys to be pointed out."""
    sheet, marked = Sheet(form, data, today=today), set(changed)
    found = []
    for section in form.sections:
        fields = [field for field in section.fields if field.key in data or sheet.is_shown(field.key)]
        values = tuple(_shown(field, data.get(field.key), language, hide, field.key in marked) for field in fields)
        if values:
            found.append(ShownSection(section.key, section.title.text(language), values))
    return found


def _shown(field: FieldSpec, value: Any, language: str, hide: Hide, is_changed: bool = False) -> Shown:
    text = _text(field, value, language)
    hidden = hide(field, text) if text and field.type != FieldType.TABLE else text
    is_whole = hidden == text
    own: dict[str, Any] = {}
    if field.type == FieldType.FILE and is_whole and isinstance(value, list):
        own["files"] = tuple(value)
    elif field.type == FieldType.SIGNATURE and isinstance(value, Mapping):
        own["signature"] = value
    elif field.type == FieldType.TABLE and isinstance(value, list):
        own["headings"] = tuple((_title(column, language), is_numeric(column)) for column in field.columns)
        own["rows"] = tuple(
            tuple(_shown(column, row.get(column.key), language, hide) for column in field.columns)
            for row in value
            if isinstance(row, Mapping)
        )
    kind = field.type.value if field.type else "text"
    unit = f" {field.unit}" if field.unit and hidden and is_numeric(field) and is_whole else ""
    return Shown(field.key, _title(field, language), f"{hidden}{unit}", kind, field.is_half, is_changed, **own)


def _title(field: FieldSpec, language: str) -> str:
    return field.title.text(language) if field.title else field.key


def is_numeric(field: FieldSpec) -> bool:
    return field.type in (FieldType.INTEGER, FieldType.DECIMAL)


def browser_form(form: FormSpec, *, today: date, language: str) -> dict[str, Any]:
    """What the browser needs to show, calculate and count by itself, expressions as trees."""
    return {
        "key": form.key,
        "today": today.isoformat(),
        "sections": [{"key": section.key, "shown_if": _tree(section.shown_if)} for section in form.sections],
        "fields": [_for_browser(field, section.key) for section in form.sections for field in section.fields],
        "rules": [
            {"check": _tree(rule.check), "message": rule.message.text(language), "at": rule.at, "is_warning": rule.is_warning}
            for rule in form.rules
        ],
    }


def _for_browser(field: FieldSpec, section: str = "") -> dict[str, Any]:
    told: dict[str, Any] = {
        "key": field.key,
        "type": field.type.value if field.type else "text",
        "section": section,
        "shown_if": _tree(field.shown_if),
        "calculated": _tree(field.calculated),
        "required": field.required if isinstance(field.required, bool) else _tree(field.required),
        "places": places_of(field) if field.type == FieldType.DECIMAL else 0,
        "unit": field.unit,
        "grouped": number_words(field, 1000) != "1000",
        "minimum": None if field.minimum is None else str(field.minimum),
        "maximum": None if field.maximum is None else str(field.maximum),
        "most": field.maximum_rows,
        "columns": [_for_browser(column) for column in field.columns],
    }
    return {name: value for name, value in told.items() if value not in (None, "", [], False)}


def _tree(text: str) -> list[Any] | None:
    return compile_expression(text).tree if text else None
