"""Forms: sections of fields, tables, what is calculated, shown and checked."""

from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import Field, model_validator

from shuren.casework.rules.specs.words import DefinitionKey, Key, RowId, Spec, Words
from shuren.casework.rules.units import unit_text
from shuren.standards.data import Grade


class FieldType(StrEnum):
    """How a value is written and kept (see `docs/apps/casework.md`): as JSON, the same in drafts, cases and entries."""

    TEXT = "text"
    PARAGRAPH = "paragraph"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    CODE = "code"
    CODES = "codes"
    TABLE = "table"
    FILE = "file"
    SIGNATURE = "signature"
    PLACE = "place"
    PERSON = "person"
    ORG = "org"
    ENTRY = "entry"


class About(StrEnum):
    """Whose facts a form fills in by itself."""

    ORG = "org"
    PERSON = "person"
    NOTHING = "nothing"


class Option(Spec):
    """One value of a field that offers its own few, instead of a code set."""

    code: str = Field(max_length=40)
    title: Words


class FieldSpec(Spec):
    """One field. Bound to an `element`, its title, type, grade and code set are the element's unless said otherwise.

    `required`, `shown_if` and `calculated` are expressions over the other fields (`rules/expressions.py`); in a column of
    a table over the row first. A `calculated` field is never asked. `is_indexed` lets lists filter and sort by it.
    """

    key: Key
    title: Words | None = None
    element: str = ""
    type: FieldType | None = None
    help: Words | None = None
    required: bool | str = False
    shown_if: str = ""
    calculated: str = ""
    default: Any = None
    grade: Grade | None = None
    unit: str = ""
    length: int | None = Field(default=None, ge=1, le=20_000)
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    places: int | None = Field(default=None, ge=0, le=8)
    pattern: str = ""
    pattern_help: Words | None = None
    code_set: str = ""
    options: tuple[Option, ...] = ()
    columns: tuple["FieldSpec", ...] = ()
    minimum_rows: int = Field(default=0, ge=0)
    maximum_rows: int = Field(default=200, ge=1, le=5_000)
    register_key: str = Field(default="", alias="register")
    maximum_files: int = Field(default=5, ge=1, le=50)
    accepts: tuple[str, ...] = ("image", "pdf", "office")
    megabytes: int = Field(default=10, ge=1, le=200)
    is_indexed: bool = False
    is_half: bool = False

    @property
    def unit_text(self) -> str:
        """In the reader's language."""
        return unit_text(self.unit)

    @model_validator(mode="after")
    def _coherent(self) -> "FieldSpec":
        if not self.element and (self.title is None or self.type is None):
            raise ValueError("a field without an element has a title and a type")
        if (self.type == FieldType.TABLE) != bool(self.columns):
            raise ValueError("a table has columns, and no other field has")
        if any(column.type == FieldType.TABLE for column in self.columns):
            raise ValueError("a table does not lie in a table")
        if self.type == FieldType.ENTRY and not self.register_key:
            raise ValueError("a field of type entry names its register")
        return self


class SectionSpec(Spec):
    """Fields under one heading; `shown_if` hides them all."""

    key: Key
    title: Words
    note: Words | None = None
    shown_if: str = ""
    fields: tuple[FieldSpec, ...]


class RuleSpec(Spec):
    """A rule across fields: `check` must be true (or cannot be answered yet); `at` is the field that is pointed to."""

    check: str
    message: Words
    at: Key
    is_warning: bool = False


class FunctionRule(Spec):
    """A rule that YAML cannot say: a function registered by an app (`api.register_rule`), named here."""

    function: str
    at: Key


class FormSpec(Spec):
    """A form. `about` says whose facts are filled in from what the region already holds."""

    key: DefinitionKey
    title: Words
    note: Words | None = None
    rows: tuple[RowId, ...] = ()
    about: About = About.NOTHING
    sections: tuple[SectionSpec, ...] = Field(min_length=1)
    rules: tuple[RuleSpec, ...] = ()
    functions: tuple[FunctionRule, ...] = ()
    label: str = ""

    @property
    def fields(self) -> tuple[FieldSpec, ...]:
        return tuple(field for section in self.sections for field in section.fields)

    def field_named(self, key: str) -> FieldSpec | None:
        return next((field for field in self.fields if field.key == key), None)

    @model_validator(mode="after")
    def _keys_once(self) -> "FormSpec":
        keys = [field.key for field in self.fields]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise ValueError(f"fields twice: {', '.join(twice)}")
        return self
