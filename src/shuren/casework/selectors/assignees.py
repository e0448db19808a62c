"""Whom a stage asks: the rules of a flow looked up in the directory and the registers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random, SystemRandom
from typing import Any

from shuren.casework.models import Case, Entry, WorkItem
from shuren.casework.rules.assignees import (
    Asked,
    Candidate,
    drawn,
    is_pooled,
    keeper_at,
    named_values,
    org_asked,
    without_conflicts,
)
from shuren.casework.rules.specs.flow import Decide, Who
from shuren.casework.rules.stages import values_of
from shuren.casework.selectors.definitions import register_of
from shuren.casework.selectors.work import holders_at
from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, OrgData, OrgType, Role
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.errors import NotFound
from shuren.standards import api as standards

Named = Callable[[str, Case, datetime], Sequence[int]]
_CHANCE = SystemRandom()


@dataclass(frozen=True, slots=True)
class Asking:
    """For which case and which way of deciding somebody is sought; `named` calls a function that an app registered."""

    case: Case
    decide: Decide
    now: datetime
    named: Named
    rng: Random = _CHANCE


def asked_by(who: Who, asking: Asking) -> list[Asked]:
    """Whom the rule finds, each once, in order; whoever stands behind `otherwise` where it finds nobody."""
    found = list(dict.fromkeys(_found(who, asking)))
    if not found and who.otherwise is not None:
        return asked_by(who.otherwise, asking)
    return found


def _found(who: Who, asking: Asking) -> list[Asked]:
    case = asking.case
    if who.filer:
        return _people([case.filer_id] if case.filer_id else [])
    if who.class_teacher:
        return _people(_class_teachers(case, asking.now))
    if who.named_in:
        return _named_in(who, asking)
    if who.pool:
        return _people(_from_pool(who, asking))
    if who.owner_of:
        return _owners(who, asking)
    if who.function:
        return _people(asking.named(who.function, case, asking.now))
    assert who.role is not None
    line = line_of(case.org_id)
    if who.each:
        orgs = directory.org_ids_within(case.org_path, types=[who.at]) if isinstance(who.at, OrgType) else []
        return [Asked(role=who.role, org_id=org_id) for org_id in orgs]
    org = org_asked(line, who.at)
    return _office(who.role, org, asking) if org else []


def line_of(org_id: int) -> list[OrgData]:
    """The org and those above it, from it upwards."""
    org = directory.orgs_by_ids([org_id])[org_id]
    return [org, *reversed(directory.ancestors_of(org_id))]


def _people(person_ids: Sequence[int]) -> list[Asked]:
    return [Asked(person_id=person_id) for person_id in person_ids]


def _office(role: Role, org: OrgData, asking: Asking) -> list[Asked]:
    """Whoever holds the role at that very org: as one office, or each of them. An office nobody holds is nobody."""
    holders = holders_at(role, [org.id], asking.now)[org.id]
    if is_pooled(asking.decide):
        return [Asked(role=role, org_id=org.id)] if holders else []
    return _people(holders)


def _class_teachers(case: Case, now: datetime) -> list[int]:
    day = day_of(now)
    org = directory.orgs_by_ids([case.org_id])[case.org_id]
    classes = [org.id] if org.type is OrgType.CLASS else []
    if case.subject_id and not classes:
        seats = directory.enrollments_of_people([case.subject_id], day=day)
        classes = [seat.class_id for seat in seats if seat.role is EnrollmentRole.STUDENT and seat.is_primary]
    found = directory.class_teachers_of(classes, day=day)
    return [person_id for class_id in classes for person_id in found.get(class_id, [])]


def _named_in(who: Who, asking: Asking) -> list[Asked]:
    values = named_values(values_of(asking.case.data, asking.case.written), who.named_in)
    if who.role is None:
        return _people([person_id for value in values if (person_id := id_named("person", value)) is not None])
    org_ids = [org_id for value in values if (org_id := id_named("org", value)) is not None]
    orgs = directory.orgs_by_ids(org_ids)
    return [one for org_id in org_ids if org_id in orgs for one in _office(who.role, orgs[org_id], asking)]


def id_named(kind: str, value: Any) -> int | None:
    """The person, org or entry that a field holds, if it holds one."""
    try:
        return ids.decode(kind, str(value.get("id", "")))
    except (AttributeError, NotFound):
        return None


def _from_pool(who: Who, asking: Asking) -> list[int]:
    """People of a register still in use, without conflicts, by chance."""
    case = asking.case
    entries = Entry.objects.filter(
        register__kind="register", register__key=who.pool, removed_at__isnull=True, subject__isnull=False
    )
    rows = entries.select_related("register").order_by("id")
    people = list(dict.fromkeys(row.subject_id for row in rows if row.subject_id and not _is_over(row)))
    paths = directory.duty_paths_of(people, now=asking.now)
    candidates = without_conflicts(
        [Candidate(person_id, paths.get(person_id, frozenset())) for person_id in people],
        avoid=who.avoid,
        org_path=case.org_path,
        branch_path=_branch(case),
        filer_id=case.filer_id,
        asked_before=set(WorkItem.objects.filter(case_id=case.pk, assignee__isnull=False).values_list("assignee_id", flat=True)),
    )
    return [candidate.person_id for candidate in drawn(candidates, who.count, asking.rng)]


def _is_over(entry: Entry) -> bool:
    """Whether the entry has come to a state that leads nowhere."""
    if not entry.state or entry.register.current_id is None:
        return False
    states = register_of(entry.register.current_id).states
    return len(states) > 1 and any(state.key == entry.state and not state.to for state in states)


def _branch(case: Case) -> str:
    office = org_asked(line_of(case.org_id), "above")
    return office.path if office else case.org_path


def _owners(who: Who, asking: Asking) -> list[Asked]:
    """The org that produces an element: the element itself is named, or a field of the form that holds its code."""
    code = str(asking.case.data.get(who.owner_of) or who.owner_of)
    try:
        element = standards.element(code)
    except NotFound:
        return []
    if element.owner_org_id is None:
        return []
    org = directory.orgs_by_ids([element.owner_org_id]).get(element.owner_org_id)
    return _office(who.role or keeper_at(org.type), org, asking) if org else []
