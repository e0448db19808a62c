"""Pure decisions of collections: which orgs are asked, where an org stands, what changed since the last period."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from shuren.casework.data import FINAL_STATES, CaseResult, CaseState, TargetState
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.directory.data import OrgData, OrgType, Role
from shuren.standards.data import Grade

URGE_PAUSE = timedelta(hours=1)
# Of these something is still to come.
OPEN_STATES = (TargetState.MISSING, TargetState.DRAFT, TargetState.RETURNED)
HANDED_IN = (TargetState.SUBMITTED, TargetState.ACCEPTED)
COUNTED = (FieldType.INTEGER, FieldType.DECIMAL)


@dataclass(frozen=True, slots=True)
class Choice:
    """What narrows the orgs of a branch: only these (empty: all), only rural or only urban ones, and who is exempt."""

    org_ids: frozenset[int] = frozenset()
    is_rural: bool | None = None
    exempt_ids: frozenset[int] = frozenset()

    def takes(self, org: OrgData) -> bool:
        if self.org_ids and org.id not in self.org_ids:
            return False
        return self.is_rural is None or org.is_rural is self.is_rural

    def kept(self) -> dict[str, Any]:
        """As the row of a collection keeps it."""
        return {"org_ids": sorted(self.org_ids), "is_rural": self.is_rural, "exempt_ids": sorted(self.exempt_ids)}


def choice_in(kept: Mapping[str, Any]) -> Choice:
    return Choice(frozenset(kept.get("org_ids", ())), kept.get("is_rural"), frozenset(kept.get("exempt_ids", ())))


@dataclass(frozen=True, slots=True)
class NewCollection:
    """A collection to be issued: `form` (and `flow`, if somebody reviews) to the orgs of `types` in the branch of `org_id`.

    `collection` is the key of the definition it is issued from, if from one; `is_repeated` has it come again as that one says.
    """

    title: str
    form: str
    org_id: int
    due_at: datetime
    types: tuple[OrgType, ...] = (OrgType.SCHOOL,)
    filled_by: tuple[Role, ...] = (Role.SCHOOL_ADMIN, Role.HEAD)
    flow: str = ""
    collection: str = ""
    note: str = ""
    period: str = ""
    choice: Choice = field(default_factory=Choice)
    is_repeated: bool = False


def target_state(state: CaseState, result: str) -> TargetState:
    """Where an org stands whose case stands so; what was refused at the end is to be filled in again."""
    if state is CaseState.CLOSED:
        return TargetState.RETURNED if result == CaseResult.REFUSED else TargetState.ACCEPTED
    return {
        CaseState.DRAFT: TargetState.DRAFT,
        CaseState.RUNNING: TargetState.SUBMITTED,
        CaseState.RETURNED: TargetState.RETURNED,
        CaseState.WITHDRAWN: TargetState.DRAFT,
        CaseState.CANCELLED: TargetState.MISSING,
    }[state]


def takes_new_case(state: CaseState, result: str) -> bool:
    """Whether the org begins a new case, with what the old one says: the old one is over and nothing was accepted by it."""
    return state in FINAL_STATES and target_state(state, result) is not TargetState.ACCEPTED


def is_late(state: TargetState, due_at: datetime, now: datetime) -> bool:
    return state in OPEN_STATES and due_at < now


def may_be_urged(state: TargetState, urged_at: datetime | None, now: datetime) -> bool:
    """Once an hour at most, so that pressing twice does not ring twice."""
    return state in OPEN_STATES and (urged_at is None or urged_at <= now - URGE_PAUSE)


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure then and now; `ratio` is now over then, None where there was nothing to divide by."""

    was: float | None
    is_now: float | None
    change: float | None
    ratio: float | None
    is_flagged: bool


def difference(was: object, is_now: object, *, factor: float) -> Difference:
    """How a figure changed; flagged where it grew or shrank by more than `factor`, appeared out of nothing or went to nothing."""
    then, now = _number(was), _number(is_now)
    if then is None or now is None:
        return Difference(then, now, None, None, False)
    if then == 0 or now == 0 or (then < 0) != (now < 0):
        return Difference(then, now, now - then, now / then if then else None, then != now)
    ratio = now / then
    return Difference(then, now, now - then, ratio, ratio > factor or ratio < 1 / factor)


def _number(told: object) -> float | None:
    if isinstance(told, bool) or told is None:
        return None
    if isinstance(told, int | float | Decimal):
        return float(told)
    try:
        return float(str(told))
    except ValueError:
        return None


def counted_fields(form: FormSpec) -> list[FieldSpec]:
    """The fields of a form that can be compared as figures."""
    return [field for field in form.fields if field.type in COUNTED]


def form_grade(fields: Iterable[FieldSpec]) -> Grade:
    """The highest grade among the fields: what a dataset made of them is graded."""
    grades = [
        grade
        for field in fields
        for grade in (field.grade or Grade.INTERNAL, *([form_grade(field.columns)] if field.columns else []))
    ]
    return max(grades, key=lambda grade: grade.value, default=Grade.INTERNAL)


def dataset_name(form: str, table: str = "") -> str:
    """The lake's name for what a form collects, and for one of its tables: `casework.collect_basics`, `…__rooms`."""
    name = f"casework.{form.replace('.', '_')}" + (f"__{table}" if table else "")
    return name if len(name) <= 80 else f"{name[:70]}_{sha256(name.encode()).hexdigest()[:8]}"
