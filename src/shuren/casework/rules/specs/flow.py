"""Flows: who decides after whom, how, by when, and what comes of it."""

from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from shuren.casework.data import CaseResult
from shuren.casework.rules.specs.form import FieldSpec
from shuren.casework.rules.specs.words import DefinitionKey, Key, RowId, Span, Spec, Words
from shuren.directory.data import OrgType, Role

# Where an outcome leads besides a stage: back to whoever filed, or to an end (`end:<key>`).
TO_FILER = "filer"
END = "end:"


class Decide(StrEnum):
    """How many decide. `BLIND`: two score apart, a third where they differ by more than `tolerance`."""

    ONE = "one"
    ALL = "all"
    QUORUM = "quorum"
    SEQUENCE = "sequence"
    BLIND = "blind"


class Move(StrEnum):
    """What may be done at a stage besides deciding."""

    RETURN = "return"
    WITHDRAW = "withdraw"
    HAND_OVER = "hand_over"
    ADD_SIGNER = "add_signer"
    BATCH = "batch"


class Who(Spec):
    """Whom a stage asks: exactly one way of finding them, from the org of the case.

    `role` at the org itself (`at: here`), at the office above it (`above`), or at the nearest org of a type at or above it;
    with `each` at every org of that type below it. `named_in` is a field of persons or orgs (`experts.person` in a table).
    `pool` draws `count` people from a register, none of whom `avoid` excludes. `function` is registered by an app.
    `otherwise` is asked where nobody is found.
    """

    role: Role | None = None
    at: OrgType | Literal["here", "above"] = "here"
    each: bool = False
    filer: bool = False
    class_teacher: bool = False
    named_in: str = ""
    pool: str = ""
    count: int = Field(default=1, ge=1, le=1000)
    avoid: tuple[Literal["same_org", "same_branch", "filer", "asked_before"], ...] = ("same_org", "filer")
    owner_of: str = ""
    function: str = ""
    otherwise: "Who | None" = None

    @model_validator(mode="after")
    def _one_way(self) -> "Who":
        by_role = self.role is not None and not self.named_in
        ways = [
            by_role,
            self.filer,
            self.class_teacher,
            bool(self.named_in),
            bool(self.pool),
            bool(self.owner_of),
            bool(self.function),
        ]
        if sum(ways) != 1:
            raise ValueError("exactly one of role, filer, class_teacher, named_in, pool, owner_of, function")
        return self


class OutcomeSpec(Spec):
    """A button: `to` is a stage, `filer`, or `end:<key>`. The first outcome of a stage is the one that agrees."""

    key: Key
    title: Words
    to: str
    needs_reason: bool = False
    tone: Literal["good", "warn", "bad", "plain"] = "plain"


class Late(Spec):
    """What happens `after` the due time: `tell` hears of it, and `outcome` is then taken where one is named."""

    after: Span = Span(hours=0)
    tell: Who | None = None
    outcome: str = ""


class StageSpec(Spec):
    """A stage. It is skipped where `when` is false. `fields` are written down by whoever decides; `edits` names fields of the
    form that may be changed here. `remind` counts back from the due time.
    """

    key: Key
    title: Words
    who: Who
    decide: Decide = Decide.ONE
    quorum: int | None = Field(default=None, ge=1)
    score: str = ""
    tolerance: Decimal | None = None
    arbiter: Who | None = None
    outcomes: tuple[OutcomeSpec, ...] = Field(min_length=1)
    when: str = ""
    fields: tuple[FieldSpec, ...] = ()
    edits: tuple[Key, ...] = ()
    due: Span | None = None
    remind: tuple[Span, ...] = ()
    late: Late | None = None
    may: tuple[Move, ...] = tuple(Move)

    @model_validator(mode="after")
    def _coherent(self) -> "StageSpec":
        if (self.decide == Decide.QUORUM) != (self.quorum is not None):
            raise ValueError("a quorum has its number, and no other way of deciding has")
        if self.decide == Decide.BLIND and not (self.score and self.tolerance is not None and self.arbiter):
            raise ValueError("a blind stage names score, tolerance and arbiter")
        return self


class EntrySpec(Spec):
    """An entry that an end makes or changes: the one that a field of the form names, else a new one; only where `when` holds.

    `set` gives each field an expression over the case's fields. `org` is a field of orgs: the entry lies there from now on,
    instead of where it is or at the case's org. With `each` there is one for every row of that table, whose columns
    expressions, `org` and the entry's own field are looked for in first.
    """

    register_key: DefinitionKey = Field(alias="register")
    each: str = ""
    when: str = ""
    org: str = ""
    set: dict[Key, str] = Field(default_factory=dict)
    state: str = ""


class EndSpec(Spec):
    """How a case may end. `certificate` is a template of the region; `function` a call registered by an app below."""

    key: Key
    title: Words
    result: CaseResult
    certificate: str = ""
    entries: tuple[EntrySpec, ...] = ()
    function: str = ""


class FiledBy(Spec):
    """Who may file: holders of one of `roles` over the org (at one of the types), or `anyone` who is signed in."""

    roles: tuple[Role, ...] = ()
    at: tuple[OrgType, ...] = ()
    anyone: bool = False


class FlowSpec(Spec):
    """A flow over a form. `see` are roles that may read its cases in their branch, besides those who work on them."""

    key: DefinitionKey
    title: Words
    note: Words | None = None
    rows: tuple[RowId, ...] = ()
    form: DefinitionKey
    prefix: str = Field(default="", pattern=r"^[A-Z]{0,6}$")
    filed_by: FiledBy
    see: tuple[Role, ...] = ()
    promise: Span | None = None
    stages: tuple[StageSpec, ...] = Field(min_length=1)
    ends: tuple[EndSpec, ...] = Field(min_length=1)

    def stage(self, key: str) -> StageSpec | None:
        return next((stage for stage in self.stages if stage.key == key), None)

    def end(self, key: str) -> EndSpec | None:
        return next((end for end in self.ends if end.key == key), None)
