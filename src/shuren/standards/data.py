"""Records of the words that other apps may hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Grade(StrEnum):
    """How carefully a fact is kept: public, internal, personal, sensitive personal."""

    PUBLIC = "L1"
    INTERNAL = "L2"
    PERSONAL = "L3"
    SENSITIVE = "L4"


class ElementType(StrEnum):
    TEXT = "text"
    CODE = "code"
    DATE = "date"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"


class Authority(StrEnum):
    """Who lays down a code set."""

    NATIONAL = "national"
    INDUSTRY = "industry"
    LOCAL = "local"


class MaskStyle(StrEnum):
    """What is shown to somebody who may not see a value: everything, or this much of it."""

    NONE = "none"
    NAME = "name"
    ID = "id"
    PHONE = "phone"
    EMAIL = "email"
    YEAR = "year"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ElementData:
    """A data element: what a column is called, what it holds and how carefully it is kept."""

    code: str
    name_zh: str
    name_en: str
    type: ElementType
    grade: Grade
    length: int | None = None
    unit: str = ""
    code_set: str = ""
    mask: MaskStyle = MaskStyle.NONE
    reference: str = ""
    owner_org_id: int | None = None

    def name(self, language: str) -> str:
        return self.name_en if language.startswith("en") else self.name_zh


@dataclass(frozen=True, slots=True)
class CodeData:
    """One code; valid from `begin` on and before `end`."""

    code: str
    name_zh: str
    name_en: str
    begin: date | None = None
    end: date | None = None
    replaced_by: str = ""

    def name(self, language: str) -> str:
        return self.name_en if language.startswith("en") else self.name_zh

    def is_valid_on(self, day: date | None) -> bool:
        return day is None or ((self.begin is None or self.begin <= day) and (self.end is None or day < self.end))


@dataclass(frozen=True, slots=True)
class CodeSetData:
    """A code set with its codes in the order of the standard."""

    code: str
    name_zh: str
    name_en: str
    authority: Authority
    reference: str = ""
    codes: Mapping[str, CodeData] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DivisionData:
    """A province, city or county of GB/T 2260, by its six digits."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class LoadCounts:
    """What loading the registry changed."""

    elements: int
    code_sets: int
    codes: int
