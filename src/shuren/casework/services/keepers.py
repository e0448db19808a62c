"""Who answers for what: functions that the shipped flows name. Each gets a case and returns the ids of people."""

from collections.abc import Collection, Sequence
from datetime import datetime

from shuren.casework.data import CaseData, DefinitionKind
from shuren.casework.models import WorkItem
from shuren.casework.rules.one_source import Place, place_of
from shuren.casework.selectors.assignees import line_of
from shuren.casework.selectors.definitions import definition_named, spec_of
from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.kernel.errors import NotFound
from shuren.standards import api as standards

_OFFICERS = (Role.COUNTY_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)
_KEEPERS = (Role.SCHOOL_ADMIN, Role.HEAD, *_OFFICERS)


def record_keepers(case: CaseData, now: datetime) -> list[int]:
    """Those who keep the records of the case's org, or of the nearest one above it, but nobody in their own matter."""
    return _nearest(case.org_id, _KEEPERS, now, without=_parties(case))


def other_record_keepers(case: CaseData, now: datetime) -> list[int]:
    """The same without those who decided about the case already: a second pair of eyes."""
    decided = set(WorkItem.objects.filter(case_id=case.id, done_by__isnull=False).values_list("done_by_id", flat=True))
    return _nearest(case.org_id, _KEEPERS, now, without=decided | _parties(case))


def officers(case: CaseData, now: datetime) -> list[int]:
    """The officers of the case's own office, or of the nearest one above it."""
    return _nearest(case.org_id, _OFFICERS, now)


def source_keepers(case: CaseData, now: datetime) -> list[int]:
    """Those who keep the source of the element that the case is about: the register's keepers, else those of the records."""
    element = standards.known_element(str(case.data.get("element", "")))
    place, where = place_of(element.source) if element else (Place.NOWHERE, "")
    if place == Place.REGISTER:
        try:
            keep = spec_of(definition_named(DefinitionKind.REGISTER, where.rpartition(".")[0])).keep
        except NotFound:
            keep = ()
        found = _nearest(case.org_id, keep, now, without=_parties(case))
        if found:
            return found
    return record_keepers(case, now)


def _parties(case: CaseData) -> set[int]:
    return {person_id for person_id in (case.filer_person_id, case.subject_person_id) if person_id is not None}


def _nearest(org_id: int, roles: Sequence[Role], now: datetime, *, without: Collection[int] = ()) -> list[int]:
    for org in line_of(org_id):
        found: dict[int, None] = {}
        for role in roles:
            found |= dict.fromkeys(directory.holders_of(role, [org.id], now=now)[org.id])
        if people := [person_id for person_id in found if person_id not in without]:
            return people
    return []
