"""The face of the directory: scope first, then orgs, people, grants; ids and `data` in and out.

Reads named `…_of` and `…_by_…` apply no scope: callers have asked `scope_of`, `access_org` or `access_person` before.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime

from shuren.directory.data import (
    EnrollmentData,
    EnrollmentRole,
    GuardianData,
    OrgData,
    Permission,
    PersonData,
    Role,
    RoleOption,
)
from shuren.directory.selectors import orgs, people, scope
from shuren.directory.selectors.counts import count_of, counts_of
from shuren.directory.selectors.grants import grants_of
from shuren.directory.selectors.orgs import (
    ancestors_of,
    children_of,
    geometries_of,
    org_ids_by_code,
    org_ids_by_sourced,
    orgs_above,
    orgs_by_ids,
    root_org,
    subtree,
)
from shuren.directory.selectors.people import people_by_ids, person_ids_by_number, person_ids_by_sourced
from shuren.directory.selectors.reach import duty_paths_of, permissions_of
from shuren.directory.selectors.scope import scope_of
from shuren.directory.services.add_org import add_org
from shuren.directory.services.add_person import add_person
from shuren.directory.services.affiliate import affiliate, end_affiliation
from shuren.directory.services.check_roster.confirm import confirm_roster
from shuren.directory.services.close_org import close_org
from shuren.directory.services.correct_org import correct_org, rename_org
from shuren.directory.services.correct_person import correct_person
from shuren.directory.services.decide_duplicate import merge_people
from shuren.directory.services.enrol import end_enrollment, enrol, transfer
from shuren.directory.services.export_roster.service import export_roster
from shuren.directory.services.export_roster.workbook import roster_template
from shuren.directory.services.grant_role import grant_role
from shuren.directory.services.link_guardian import link_guardian, unlink_guardian
from shuren.directory.services.merge_orgs import merge_orgs
from shuren.directory.services.move_org import move_org
from shuren.directory.services.rebuild_counts import rebuild_counts
from shuren.directory.services.revoke_grant import revoke_grant
from shuren.directory.services.undo_roster import may_undo_roster, undo_roster
from shuren.directory.services.write_province import write_province
from shuren.kernel import clock
from shuren.kernel.data import Actor

__all__ = [
    "access_org",
    "access_person",
    "add_org",
    "add_person",
    "affiliate",
    "ancestors_of",
    "children_of",
    "class_teachers_of",
    "close_org",
    "confirm_roster",
    "correct_org",
    "correct_person",
    "count_of",
    "counts_of",
    "duty_paths_of",
    "end_affiliation",
    "end_enrollment",
    "enrol",
    "enrollments_of_paths",
    "enrollments_of_people",
    "export_roster",
    "geometries_of",
    "grant_role",
    "grants_of",
    "guardians_of",
    "link_guardian",
    "may_undo_roster",
    "merge_orgs",
    "merge_people",
    "move_org",
    "org_ids_by_code",
    "org_ids_by_sourced",
    "orgs_above",
    "orgs_by_ids",
    "people_by_ids",
    "people_of_org",
    "people_within",
    "permissions_of",
    "person_ids_by_number",
    "person_ids_by_sourced",
    "rebuild_counts",
    "rename_org",
    "revoke_grant",
    "role_options",
    "root_org",
    "roster_template",
    "scope_of",
    "subtree",
    "transfer",
    "undo_roster",
    "unlink_guardian",
    "wards_of",
    "write_province",
]


def access_org(*, actor: Actor, id: int, permission: Permission = Permission.VIEW_ORGS, now: datetime | None = None) -> OrgData:
    """The org with row id `id`, if `actor` holds `permission` on it; otherwise `NotFound`, as if it did not exist."""
    return orgs.access_org(actor=actor, id=id, permission=permission, now=now or clock.now())


def access_person(
    *, actor: Actor, id: int, permission: Permission = Permission.VIEW_PEOPLE, now: datetime | None = None
) -> PersonData:
    """The person with row id `id`, if `actor` holds `permission` on them; otherwise `NotFound`."""
    return people.access_person(actor=actor, id=id, permission=permission, now=now or clock.now())


def people_within(
    *, actor: Actor, person_ids: Collection[int], permission: Permission = Permission.VIEW_PEOPLE, now: datetime | None = None
) -> set[int]:
    """Those of `person_ids` for whom `actor` holds `permission`."""
    moment = now or clock.now()
    reach = scope.scope_of(actor=actor, permission=permission, now=moment)
    return people.people_within(reach, person_ids, day=clock.day_of(moment))


def people_of_org(
    path: str, *, roles: Collection[Role] | None = None, day: date | None = None, limit: int = 10_000
) -> list[PersonData]:
    """People affiliated in the branch `path` on `day` (today), at most `limit`, in order of org and role."""
    return people.people_of_org(path=path, roles=roles, day=day or _today(), limit=limit)


def enrollments_of_paths(
    paths: Sequence[str],
    *,
    role: EnrollmentRole | None = None,
    day: date | None = None,
    is_primary: bool | None = None,
) -> Iterator[EnrollmentData]:
    """Enrollments in the branches, streamed in order of class path; None does not filter."""
    return people.enrollments_of_paths(paths, role=role, day=day, is_primary=is_primary)


def enrollments_of_people(person_ids: Collection[int], *, day: date | None = None) -> list[EnrollmentData]:
    """Enrollments of these people, newest first; with `day` only those in force on it."""
    return people.enrollments_of_people(person_ids, day=day)


def class_teachers_of(class_ids: Collection[int], *, day: date | None = None) -> dict[int, list[int]]:
    """Person ids of the class teachers, per class id asked for."""
    return people.class_teachers_of(class_ids, day=day or _today())


def wards_of(guardian_ids: Collection[int], *, day: date | None = None) -> list[GuardianData]:
    """Guardian links in force, from the guardians' side."""
    return people.wards_of(guardian_ids, day=day or _today())


def guardians_of(ward_ids: Collection[int], *, day: date | None = None) -> list[GuardianData]:
    """Guardian links in force, from the wards' side."""
    return people.guardians_of(ward_ids, day=day or _today())


def role_options(person_id: int, *, now: datetime | None = None) -> list[RoleOption]:
    """The hats a person may put on, in the order of `Role`."""
    return people.role_options(person_id, now or clock.now())


def _today() -> date:
    return clock.day_of(clock.now())
