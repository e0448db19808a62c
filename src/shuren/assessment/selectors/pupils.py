"""Which person a text in a results file means, and where that pupil sat on the day of the test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt

from shuren.directory.api import (
    ancestors_of,
    enrollments_of_paths,
    org_ids_by_code,
    org_ids_by_sourced,
    orgs_by_ids,
    person_ids_by_number,
    person_ids_by_sourced,
    scope_of,
    subtree,
)
from shuren.directory.data import EnrollmentRole, OrgData, OrgType, Permission
from shuren.kernel.data import Actor

NO_CLASS = -1


@dataclass(frozen=True, slots=True)
class ClassPlace:
    """A class with the units above it; 0 where the tree has no such level."""

    class_id: int
    school_id: int
    district_id: int
    path: str


@dataclass(frozen=True, slots=True)
class Seating:
    """Who sat in which class: `person_ids` ascend, `places[k]` indexes `classes`."""

    person_ids: npt.NDArray[np.int64]
    places: npt.NDArray[np.int32]
    classes: Sequence[ClassPlace]
    units: Mapping[int, tuple[str, str]]

    def places_of(self, person_ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """The place of each person's class, `NO_CLASS` where there is none."""
        if not len(self.person_ids):
            return np.full(len(person_ids), NO_CLASS, np.int32)
        spots = np.minimum(np.searchsorted(self.person_ids, person_ids), len(self.person_ids) - 1)
        return np.where(self.person_ids[spots] == person_ids, self.places[spots], np.int32(NO_CLASS))


def org_of_text(text: str) -> OrgData | None:
    """An org by its sourced id, else by its code."""
    found = org_ids_by_sourced([text]) or org_ids_by_code([text])
    return orgs_by_ids(found.values()).get(next(iter(found.values()))) if found else None


def may_import_into(org: OrgData, *, actor: Actor, now: datetime) -> bool:
    return actor.is_system or scope_of(actor=actor, permission=Permission.IMPORT_RESULTS, now=now).covers(org.path)


def person_ids_of(texts: Sequence[str], *, by_number: bool) -> npt.NDArray[np.int64]:
    """Row ids in the order of the texts, 0 for a text that nobody answers to."""
    askable = [text for text in texts if text and "\x00" not in text]
    found = person_ids_by_number(askable) if by_number else person_ids_by_sourced(askable)
    return np.fromiter((found.get(text, 0) for text in texts), np.int64, len(texts))


def seating_of(org: OrgData, day: date) -> Seating:
    """Every pupil enrolled in the branch of `org` on `day`; a primary enrollment goes before any other."""
    classes = _classes(org)
    spot_of = {place.class_id: spot for spot, place in enumerate(classes)}
    persons: list[int] = []
    spots: list[int] = []
    is_primary: list[bool] = []
    for enrollment in enrollments_of_paths([org.path], role=EnrollmentRole.STUDENT, day=day):
        if enrollment.class_id in spot_of:
            persons.append(enrollment.person_id)
            spots.append(spot_of[enrollment.class_id])
            is_primary.append(enrollment.is_primary)
    ids = np.array(persons, np.int64)
    order = np.lexsort((~np.array(is_primary, bool), ids)) if persons else np.empty(0, np.int64)
    ids = ids[order]
    is_first = np.ones(len(ids), bool)
    is_first[1:] = ids[1:] != ids[:-1]
    units = {one.id: (one.path, one.type.value) for one in subtree(org.path, _UNITS, with_ended=True)}
    return Seating(ids[is_first], np.array(spots, np.int32)[order][is_first], classes, units)


_UNITS = (OrgType.COUNTY, OrgType.SCHOOL, OrgType.CLASS)


def _classes(org: OrgData) -> list[ClassPlace]:
    known = {one.id: one.type for one in ancestors_of(org.id)}
    branch = subtree(org.path, with_ended=True)
    known |= {one.id: one.type for one in branch}
    return [_class_place(one, known) for one in branch if one.type == OrgType.CLASS]


def _class_place(one: OrgData, types: Mapping[int, OrgType]) -> ClassPlace:
    chain = [int(part) for part in one.path.strip("/").split("/")]
    schools = [id for id in chain if types.get(id) == OrgType.SCHOOL]
    districts = [id for id in chain if types.get(id) == OrgType.COUNTY]
    return ClassPlace(one.id, schools[-1] if schools else 0, districts[-1] if districts else 0, one.path)
