"""What a file under `statistics/` of a pack says: a form, its lines and columns, where cells come from, what must balance."""

from datetime import date, timedelta
from typing import Literal

from pydantic import Field, model_validator

from shuren.casework.api import RowId, Spec, Words
from shuren.directory.data import OrgType, Role, Sex, TallySubject

_KEY = r"^[a-z][a-z0-9_]*$"
_DEFINITION = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$"
_SEXES = {"male": Sex.MALE, "female": Sex.FEMALE}
# One that lies in another of its kind would be counted twice.
UNITS = (OrgType.SCHOOL,)


class RangeSpec(Spec):
    """From one number to before another; a plain number is itself alone."""

    begin: int | None = Field(default=None, ge=0, le=10_000, alias="from")
    below: int | None = Field(default=None, ge=1, le=10_000)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, told: object) -> object:
        return {"from": told, "below": told + 1} if isinstance(told, int) and not isinstance(told, bool) else told

    @model_validator(mode="after")
    def _is_range(self) -> "RangeSpec":
        if self.begin is None and self.below is None:
            raise ValueError("a range has from, below or both")
        if self.begin is not None and self.below is not None and self.begin >= self.below:
            raise ValueError("a range begins before it ends")
        return self


class WhereSpec(Spec):
    """Who or what counts; what a line says goes before what its column says, and that before the form."""

    grades: tuple[str, ...] = ()
    sex: Literal["male", "female"] | None = None
    roles: tuple[Role, ...] = ()
    types: tuple[OrgType, ...] = ()
    age: RangeSpec | None = None
    size: RangeSpec | None = None
    new: bool | None = None

    @property
    def sexes(self) -> frozenset[Sex]:
        return frozenset({_SEXES[self.sex]}) if self.sex else frozenset()


class FigureSpec(Spec):
    """A figure over what registers and cases say. `where` of form, column and line hold together; `{school_year}` is the year.

    Where no row answers `among`, nothing is known, and the cell is asked.
    """

    over: str = ""
    measure: Literal["count", "sum"] | None = None
    field: str = ""
    where: str = ""
    among: str = ""


class SourceSpec(Spec):
    """Where cells come from: counted, a figure, a question to the lake that answers one number, or typed by hand.

    Of a column, a line and the form that say different things the first holds.
    """

    count: TallySubject | None = None
    where: WhereSpec = WhereSpec()
    figure: FigureSpec | None = None
    lake: str = Field(default="", max_length=4000)
    typed: bool = False

    @property
    def is_source(self) -> bool:
        return bool(self.count or self.lake or self.typed or (self.figure and self.figure.over))


class PartSpec(SourceSpec):
    """A line or a column. `sum` adds other lines or columns of the form; `blank` are those whose cells are crossed out."""

    key: str = Field(pattern=_KEY, max_length=30)
    code: str = Field(min_length=1, max_length=10)
    title: Words
    sum: tuple[str, ...] = ()
    blank: tuple[str, ...] = ()


class LineSpec(PartSpec):
    """`indent` is how deep the line stands below those it is a part of."""

    indent: int = Field(default=0, ge=0, le=4)


class ColumnSpec(PartSpec):
    """`groups` are the headings above it, outermost first; equal ones beside one another are one heading."""

    groups: tuple[Words, ...] = Field(default=(), max_length=3)
    places: int = Field(default=0, ge=0, le=4)


class CheckSpec(Spec):
    """What must hold, and what is said where it does not; a `warning` may stand once it is explained.

    With `each: column` names are lines, asked for every column (of `only`, if said), with `each: line` the other way round;
    without it `line.column`. `last.…` is the year before, and so are the forms that `forms` names; there, without `each`, a
    cell is `line_column`.
    """

    key: str = Field(pattern=_KEY, max_length=30)
    check: str = Field(min_length=1, max_length=1000)
    each: Literal["line", "column"] | None = None
    only: tuple[str, ...] = ()
    level: Literal["error", "warning"] = "error"
    message: Words
    forms: dict[str, str] = Field(default_factory=dict)


class DaySpec(Spec):
    """A day of every year."""

    month: int = Field(ge=1, le=12)
    day: int = Field(ge=1, le=28)


class FiledBySpec(Spec):
    """The kind of org that fills the form in; with `grades` only where there are classes of one of them."""

    type: OrgType = OrgType.SCHOOL
    grades: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_unit(self) -> "FiledBySpec":
        if self.type not in UNITS:
            raise ValueError("forms are filed by schools")
        return self


class TemplateSpec(SourceSpec):
    """A form of the national statistics. `reference` is the day it speaks of, in the first year of the school year."""

    key: str = Field(pattern=_DEFINITION, max_length=100)
    number: str = Field(min_length=1, max_length=20)
    title: Words
    note: Words | None = None
    authority: Words
    approval: Words | None = None
    unit: Words | None = None
    rows: tuple[RowId, ...] = ()
    filed_by: FiledBySpec = FiledBySpec()
    reference: DaySpec = DaySpec(month=9, day=1)
    due: DaySpec | None = None
    columns: tuple[ColumnSpec, ...] = Field(min_length=1, max_length=100)
    lines: tuple[LineSpec, ...] = Field(min_length=1, max_length=300)
    checks: tuple[CheckSpec, ...] = ()

    def day(self, year: int) -> date:
        return date(year, self.reference.month, self.reference.day)

    def since(self, year: int) -> date:
        """The day from which on whatever began is new in that year."""
        return date(year - 1, self.reference.month, self.reference.day) + timedelta(days=1)

    def due_day(self, year: int) -> date | None:
        """The last day for filing, on or after the day that is spoken of."""
        if self.due is None:
            return None
        day = date(year, self.due.month, self.due.day)
        return day if day >= self.day(year) else date(year + 1, self.due.month, self.due.day)


def school_year(year: int) -> str:
    return f"{year}-{year + 1}"
