"""Records of the words that other apps may hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
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
    """A data element: what a column is called, what it holds and how carefully it is kept.

    `source` is the one place where its values come from (一数一源): `register:<register>.<field>`, `directory:org.<attribute>`,
    `directory:person.<attribute>` or `lake:<indicator>`; `department` is who produces them there. Both are empty for a fact
    that is asked wherever it is needed.
    """

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
    source: str = ""
    department: str = ""

    def name(self, language: str) -> str:
        return self.name_en if language.startswith("en") else self.name_zh


class Door(StrEnum):
    """The ways by which a value may come into the region's records."""

    FORM = "form"
    REGISTER = "register"
    REGISTER_IMPORT = "register_import"
    API = "api"
    ROSTER = "roster"
    DIRECTORY = "directory"
    SCIM = "scim"
    ONEROSTER = "oneroster"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class ProducerData:
    """Who alone may write an element: through these doors, from the branches of these orgs; none named means any."""

    element: str
    doors: frozenset[Door] = frozenset()
    org_ids: frozenset[int] = frozenset()
    note: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefusalData:
    """Competing writes of one element through one door by one org on one day; `org_id` is None where an app acted."""

    element: str
    door: Door
    org_id: int | None
    role: str
    client_id: str
    day: date
    count: int
    last_at: datetime


class Parents(StrEnum):
    """How a code finds the one above it: 112 under 11, 12 under 10, 440103 under 440100."""

    NONE = ""
    PREFIX = "prefix"
    ZEROS = "zeros"
    PAIRS = "pairs"


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
        return self.name_en if self.name_en and language.startswith("en") else self.name_zh

    def is_valid_on(self, day: date | None) -> bool:
        return day is None or ((self.begin is None or self.begin <= day) and (self.end is None or day < self.end))


@dataclass(frozen=True, slots=True)
class CodeSetData:
    """A code set with its codes in the order of the standard.

    `part_of` names the wider set whose codes it takes over; `note` says what was mended in the source.
    """

    code: str
    name_zh: str
    name_en: str
    authority: Authority
    reference: str = ""
    codes: Mapping[str, CodeData] = field(default_factory=dict)
    parents: Parents = Parents.NONE
    part_of: str = ""
    note: str = ""

    def name(self, language: str) -> str:
        return self.name_en if self.name_en and language.startswith("en") else self.name_zh


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


class UseKind(StrEnum):
    """What uses a word."""

    ELEMENT = "element"
    FORM = "form"
    REGISTER = "register"
    DATASET = "dataset"
    TABLE = "table"
    EXCHANGE = "exchange"


@dataclass(frozen=True, slots=True)
class WordUse:
    """A place that names an element or a code set; `place` in the reader's language."""

    kind: UseKind
    place: str
    element: str = ""
    code_set: str = ""


@dataclass(frozen=True, slots=True)
class EditionRow:
    """One line of a new edition, as the file states it; `row` and `sheet` say where."""

    sheet: str
    row: int
    code: str
    name_zh: str
    name_en: str = ""
    former_name: str = ""
    begin: date | None = None
    end: date | None = None
    replaced_by: str = ""


@dataclass(slots=True)
class SetDraft:
    """A code set as a new edition states it, whole. `ends_on` is the day from which the set is no more."""

    code: str
    sheet: str
    row: int
    name_zh: str = ""
    name_en: str = ""
    authority: Authority | None = None
    reference: str = ""
    ends_on: date | None = None
    rows: dict[str, EditionRow] = field(default_factory=dict)


class BreakKind(StrEnum):
    """What a new edition breaks, or would if it were taken."""

    CODE_GONE = "code_gone"
    CODE_ENDS = "code_ends"
    RENAMED = "renamed"
    REUSED = "reused"
    NO_SUCCESSOR = "no_successor"
    CIRCLE = "circle"
    SET_GONE = "set_gone"
    OWN_SET = "own_set"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that a new edition breaks; an error keeps it from being taken."""

    kind: BreakKind
    code_set: str
    code: str
    sheet: str
    row: int
    value: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class EditionData:
    """An edition that was taken: what it brought, when and by whom, and whether it is in force."""

    number: int
    title: str
    digest: str
    body: str
    code_sets: tuple[str, ...]
    counts: Mapping[str, int]
    breaks: Mapping[str, int]
    taken_at: datetime
    taken_by: str
    undone_at: datetime | None
    undone_by: str
    import_id: int | None

    @property
    def is_in_force(self) -> bool:
        return self.undone_at is None


@dataclass(frozen=True, slots=True)
class ExchangeField:
    """A field of an exchange format: the element it carries, or its own type where there is none.

    A field with values or a pattern writes its element in words of its own. `jyt` is its name in JY/T 1002 to 1004. What a
    field without an element is called stands in its titles.
    """

    name: str
    element: str = ""
    is_required: bool = False
    type: ElementType = ElementType.TEXT
    values: tuple[str, ...] = ()
    pattern: str = ""
    jyt: str = ""
    note: str = ""
    title_zh: str = ""
    title_en: str = ""

    def title(self, language: str) -> str:
        return self.title_en if self.title_en and language.startswith("en") else self.title_zh


@dataclass(frozen=True, slots=True)
class ExchangeFormat:
    """A format that data is exchanged in, record by record."""

    code: str
    name_zh: str
    name_en: str
    reference: str
    fields: tuple[ExchangeField, ...]

    def name(self, language: str) -> str:
        return self.name_en if self.name_en and language.startswith("en") else self.name_zh


@dataclass(frozen=True, slots=True)
class RecordFault:
    """What is wrong with one field of a record."""

    field: str
    reason: str
