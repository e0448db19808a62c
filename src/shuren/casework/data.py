"""Records and words of casework that other apps may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class DefinitionKind(StrEnum):
    """What is defined as data; the folder of a pack is named by it."""

    FORM = "form"
    FLOW = "flow"
    REGISTER = "register"
    COLLECTION = "collection"
    ITEM = "item"
    DRAW = "draw"
    INDICATOR = "indicator"


class DefinitionStatus(StrEnum):
    """`DRAFT` is being built, `RETIRED` takes nothing new; cases keep the version they began with."""

    DRAFT = "draft"
    IN_FORCE = "in_force"
    RETIRED = "retired"


class CaseState(StrEnum):
    """`DRAFT` is only the filer's own; `RETURNED` waits for the filer to correct; the last three are final."""

    DRAFT = "draft"
    RUNNING = "running"
    RETURNED = "returned"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


FINAL_STATES = (CaseState.CLOSED, CaseState.WITHDRAWN, CaseState.CANCELLED)


class CaseResult(StrEnum):
    """What a closed case came to, whatever its flow calls it."""

    GRANTED = "granted"
    REFUSED = "refused"
    DONE = "done"


class WorkKind(StrEnum):
    """Why somebody is asked; an added signer's opinion is heard before the one who added them decides."""

    DECIDE = "decide"
    ADDED = "added"
    ARBITRATE = "arbitrate"


class WorkState(StrEnum):
    """`WAITING` follows others in a sequence; `DROPPED` was not needed any more."""

    WAITING = "waiting"
    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class Act(StrEnum):
    """What is written into the history of a case; past tense, as it happened."""

    FILED = "filed"
    SUBMITTED = "submitted"
    ENTERED = "entered"
    DECIDED = "decided"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    HANDED_OVER = "handed_over"
    DELEGATED = "delegated"
    SIGNER_ADDED = "signer_added"
    CLAIMED = "claimed"
    URGED = "urged"
    REMINDED = "reminded"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    ARBITRATED = "arbitrated"
    CORRECTED = "corrected"
    OBJECTED = "objected"
    DELIVERED = "delivered"
    RATED = "rated"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class CollectionState(StrEnum):
    """`FREEZING`: nothing is taken any more, the figures are being written; `FROZEN`: they are in the lake and stay."""

    ISSUING = "issuing"
    OPEN = "open"
    FREEZING = "freezing"
    FROZEN = "frozen"
    CANCELLED = "cancelled"


class TargetState(StrEnum):
    """Where one org stands in a collection."""

    MISSING = "missing"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    EXEMPT = "exempt"


class Satisfaction(StrEnum):
    """The five grades of 好差评; the last two are bad and are put right."""

    VERY_GOOD = "5"
    GOOD = "4"
    FAIR = "3"
    BAD = "2"
    VERY_BAD = "1"


class DrawState(StrEnum):
    """`COMMITTED`: pools and the digest of the secret are published; `CONTRIBUTED`: the independent value is there; `DRAWN`:
    the secret is told and anybody can draw again. `ABANDONED` is never kept: it is what a draw is when a time has run out.
    """

    PREPARING = "preparing"
    COMMITTED = "committed"
    CONTRIBUTED = "contributed"
    DRAWN = "drawn"
    PUBLISHED = "published"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case to be filed. `org_id` is whom it is about, or else where it is handled; `origin` says what made it.

    `origin` is `<kind>:<row id>` in the words of the app that asks, for instance `app_submission:12`.
    """

    flow: str
    org_id: int
    data: Mapping[str, Any]
    subject_person_id: int | None = None
    title: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class CaseData:
    """A case as other apps see it. `org_path` is where it belongs; `due_at` when the whole is promised.

    `built_within` is the branch of the org that built its definition, empty where that came with a pack.
    """

    id: int
    public_id: str
    number: str
    title: str
    flow: str
    form: str
    state: CaseState
    stage: str
    result: CaseResult | None
    end: str
    org_id: int
    org_path: str
    filer_person_id: int | None
    subject_person_id: int | None
    origin: str
    filed_at: datetime
    submitted_at: datetime | None
    due_at: datetime | None
    closed_at: datetime | None
    data: Mapping[str, Any] = field(default_factory=dict)
    built_within: str = ""

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES


@dataclass(frozen=True, slots=True)
class WorkData:
    """One thing somebody is asked to decide; without `assignee_person_id` whoever holds `role` at `org_id` may."""

    id: int
    public_id: str
    case_id: int
    stage: str
    kind: WorkKind
    state: WorkState
    assignee_person_id: int | None
    role: str
    org_id: int | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class EntryData:
    """A thing in a register."""

    id: int
    public_id: str
    register: str
    label: str
    state: str
    org_id: int
    org_path: str
    data: Mapping[str, Any]
    revision: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one value, told to whoever fills the form.

    `path` is the key of the field, `rooms[2].seats` in a table; `reason` says what is wrong, `remedy` how to mend it.
    """

    path: str
    title: str
    reason: str
    remedy: str = ""
    is_error: bool = True


@dataclass(frozen=True, slots=True)
class BroughtCertificate:
    """A certificate that a pack brings along, for the app that makes templates; the words are those of its templates."""

    name: str
    name_en: str
    kind: str
    criteria: str
    wording: str
    layout: str
    seal_text: str
    valid_months: int | None
    levels: tuple[str, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a definition, told to whoever writes it.

    `path` names the place by keys (`sections.basic.fields.name.shown_if`); `file` and `line` are said where it was read from
    a file. A finding that is no error does not keep the definition from coming into force. `link` leads to where what is asked
    for can be had.
    """

    path: str
    reason: str
    remedy: str = ""
    is_error: bool = True
    file: str = ""
    line: int | None = None
    link: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return " ".join(part for part in (place, self.path, self.reason, self.remedy) if part)


@dataclass(frozen=True, slots=True)
class FigureAsked:
    """A figure over what a register, or the cases of a form or flow, say: how many rows `where`, or the sum of their `field`.

    It is unknown, which is not zero, where no row answers `among`.
    """

    over: str
    measure: str = "count"
    field: str = ""
    where: str = ""
    among: str = ""


@dataclass(frozen=True, slots=True)
class PackCounts:
    """What installing a pack changed: definitions that are new, that changed, that stayed, that left the pack."""

    key: str
    version: str
    added: int = 0
    changed: int = 0
    same: int = 0
    retired: int = 0


@dataclass(frozen=True, slots=True)
class PackData:
    """A pack on disk and as installed; `installed` is empty where it never was, `overridden` names the region's files."""

    key: str
    title_zh: str
    title_en: str
    version: str
    installed: str
    is_shipped: bool
    is_current: bool
    overridden: tuple[str, ...]
    definitions: int
    level: str
