"""What is issued, offered and drawn: collections, service items, double-random draws, indicators."""

from typing import Literal

from pydantic import Field, model_validator

from shuren.casework.data import FigureAsked
from shuren.casework.rules.specs.flow import FiledBy
from shuren.casework.rules.specs.words import DefinitionKey, Key, RowId, Span, Spec, Words
from shuren.directory.data import OrgType, Role


class CollectionSpec(Spec):
    """A collection that comes again: `form` is issued to the orgs `to`, reviewed by `flow`, due `due` after its issue."""

    key: DefinitionKey
    title: Words
    note: Words | None = None
    rows: tuple[RowId, ...] = ()
    form: DefinitionKey
    flow: str = ""
    to: tuple[OrgType, ...] = (OrgType.SCHOOL,)
    filled_by: tuple[Role, ...] = (Role.SCHOOL_ADMIN, Role.HEAD)
    every: Literal["week", "month", "term", "year", "once"] = "once"
    due: Span = Span(working_days=10)


class MaterialSpec(Spec):
    """What an applicant must bring. With `element` or `register` it is taken from what the region holds instead of asked."""

    key: Key
    title: Words
    element: str = ""
    register_key: str = Field(default="", alias="register")
    field: str = ""
    is_optional: bool = False

    @property
    def is_shared(self) -> bool:
        return bool(self.element or self.register_key)


class ItemSpec(Spec):
    """A service item of the hall (办事指南): who may apply, what for, with what, how long it takes.

    `filed_at` says where its cases belong: to the school of whoever it is about, or to the nearest office of `level` above it.
    """

    key: DefinitionKey
    title: Words
    rows: tuple[RowId, ...] = ()
    flow: DefinitionKey
    kind: Literal["permit", "confirm", "service", "enrolment", "complaint", "consultation", "disclosure"] = "service"
    level: tuple[OrgType, ...] = (OrgType.COUNTY,)
    for_whom: tuple[Literal["citizen", "parent", "pupil", "teacher", "school", "institution"], ...] = ("citizen",)
    applies: FiledBy = FiledBy(anyone=True)
    topic: Literal["pupil", "enrolment", "teacher", "school", "safety", "open", "other"] = "other"
    filed_at: Literal["office", "school"] = "office"
    guide: Words
    conditions: tuple[Words, ...] = ()
    steps: tuple[Words, ...] = ()
    basis: Words | None = None
    materials: tuple[MaterialSpec, ...] = ()
    statutory: Span
    promise: Span
    fee: Words = Words(zh="不收费", en="Free of charge")
    visits: int = Field(default=0, ge=0, le=5)
    certificate: str = ""
    is_rated: bool = True

    @model_validator(mode="after")
    def _promise_within(self) -> "ItemSpec":
        statutory, promised = self.statutory.working_days, self.promise.working_days
        if statutory is not None and promised is not None and promised > statutory:
            raise ValueError("the promise is longer than the statutory time")
        return self


class ConflictSpec(Spec):
    """Who may not inspect whom: `same_org`, or an expression over `object.<field>` and `inspector.<field>`."""

    same_org: bool = False
    when: str = ""
    reason: Words


class DrawSpec(Spec):
    """A double-random draw: `count` or `percent` of the objects, `inspectors_each` people for every one of them.

    `strata` is a field of the objects' register: the share is then drawn from every stratum.
    """

    key: DefinitionKey
    title: Words
    rows: tuple[RowId, ...] = ()
    objects: DefinitionKey
    inspectors: DefinitionKey
    object_filter: str = ""
    inspector_filter: str = ""
    count: int | None = Field(default=None, ge=1)
    percent: int | None = Field(default=None, ge=1, le=100)
    strata: str = ""
    inspectors_each: int = Field(default=2, ge=1, le=10)
    conflicts: tuple[ConflictSpec, ...] = ()
    flow: str = ""
    run_by: tuple[Role, ...] = (Role.COUNTY_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)

    @model_validator(mode="after")
    def _one_size(self) -> "DrawSpec":
        if (self.count is None) == (self.percent is None):
            raise ValueError("exactly one of count, percent")
        return self


class IndicatorSpec(Spec):
    """A figure over a register or the cases of a flow, for plans: how many, what sum or what share of the rows `where`.

    The number of rows (or the sum of `field`) is divided by those of `among` where that is said, times `scale`. A `ratio` is
    the sum of `field` over that of `base`, of the rows that hold both. Over a flow, what its stages write may be named too.
    With `per`, orgs, periods or pairs of both are counted instead of rows, each once however many rows it has. `period` is
    a field: a text says it as it is, a date by its week; without one it is the week of the row. `orgs` are the types of orgs
    that are counted, rows further below among theirs; a share is then one of all of them in the branch, in every period
    that anybody in the region has a row in.
    """

    key: DefinitionKey
    title: Words
    rows: tuple[RowId, ...] = ()
    over: str = Field(pattern=r"^(register|flow|form):")
    measure: Literal["count", "sum", "mean", "share", "ratio"] = "count"
    field: str = ""
    base: str = ""
    where: str = ""
    among: str = ""
    per: tuple[Literal["org", "period"], ...] = ()
    period: str = ""
    orgs: tuple[OrgType, ...] = ()
    unit: str = ""
    scale: int = 1


def figure_spec(asked: FigureAsked) -> IndicatorSpec:
    """A figure of an app above as the indicator that it is; a `ValidationError` where it is none."""
    facts = {"over": asked.over, "measure": asked.measure, "field": asked.field, "where": asked.where}
    return IndicatorSpec.model_validate({"key": "asked.figure", "title": asked.over, **facts})
