"""The face of the directory: scope first, then orgs, people, grants; ids and `data` in and out.

Reads named `…_of` and `…_by_…` apply no scope: callers have asked `scope_of`, `access_org` or `access_person` before.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime

from shuren.directory.data import (
    DisclosedPerson,
    EnrollmentData,
    EnrollmentRole,
    GuardianData,
    OrgData,
    Permission,
    PersonData,
    PersonRow,
    Role,
    RoleOption,
)
from shuren.directory.rules.roster.kinds import roster_tables
from shuren.directory.rules.subject_data import register_subject_data
from shuren.directory.rules.tallies import counted, counts_as
from shuren.directory.selectors import held_roles, orgs, people, people_list, scope
from shuren.directory.selectors.consents import asked_texts, askings_of, consent_of
from shuren.directory.selectors.counts import count_of, counts_of
from shuren.directory.selectors.facts import member_facts, org_facts
from shuren.directory.selectors.grants import grants_of
from shuren.directory.selectors.held_sourced import held_sourced_ids, org_line, roster_ties
from shuren.directory.selectors.holders import app_paths_of, holders_of, offices_of, org_ids_within, role_paths_of
from shuren.directory.selectors.one_source import competing, told_of
from shuren.directory.selectors.orgs import (
    ancestors_of,
    children_of,
    count_orgs,
    geometries_of,
    org_ids_by_code,
    org_ids_by_sourced,
    orgs_above,
    orgs_after,
    orgs_by_ids,
    root_org,
    subtree,
)
from shuren.directory.selectors.people import (
    people_added_by,
    people_by_ids,
    person_ids_by_name_and_phone,
    person_ids_by_number,
    person_ids_by_sourced,
)
from shuren.directory.selectors.reach import duty_paths_of, people_in_charge, people_with_ties, permissions_of
from shuren.directory.selectors.reached import (
    affiliation_ids,
    affiliations_of_people,
    members_of_orgs,
    org_ids_found_by,
    orgs_reached,
    people_reached,
    person_ids_found_by,
    roster_moments,
)
from shuren.directory.selectors.roster_rows import roster_rows, roster_total, school_ids_above, session_ids_of
from shuren.directory.selectors.scope import joint_scope, scope_of
from shuren.directory.selectors.subjects import requests_left, subject_place
from shuren.directory.selectors.tallies import tallied_orgs, tallied_people, tally
from shuren.directory.selectors.viewers import list_targets
from shuren.directory.services.add_guardian import add_guardian
from shuren.directory.services.add_org import add_org
from shuren.directory.services.add_person import add_person
from shuren.directory.services.affiliate import affiliate, end_affiliation
from shuren.directory.services.break_glass import close_break_glass, open_break_glass, review_break_glass
from shuren.directory.services.check_roster.confirm import confirm_roster
from shuren.directory.services.close_org import close_org
from shuren.directory.services.confirm_grant import confirm_grant
from shuren.directory.services.consents.decide import decide_consent
from shuren.directory.services.consents.disclose import disclose_people
from shuren.directory.services.consents.publish import end_consent_text, publish_consent_text
from shuren.directory.services.consents.take_papers import papers_template
from shuren.directory.services.correct_org import correct_org, rename_org
from shuren.directory.services.correct_person import correct_person
from shuren.directory.services.decide_duplicate import merge_people
from shuren.directory.services.enrol import end_enrollment, enrol, transfer
from shuren.directory.services.export_roster.package import pack_roster, roster_headings
from shuren.directory.services.export_roster.service import export_roster
from shuren.directory.services.export_roster.workbook import roster_template
from shuren.directory.services.grant_role import grant_role
from shuren.directory.services.hold import hold_org, hold_person
from shuren.directory.services.link_guardian import link_guardian, unlink_guardian
from shuren.directory.services.merge_orgs import merge_orgs
from shuren.directory.services.move_org import move_org
from shuren.directory.services.rebuild_counts import rebuild_counts
from shuren.directory.services.refuse_competing import (
    CompetingWrite,
    note_competing,
    reason_of,
    refuse_competing_write,
    remedy_of,
)
from shuren.directory.services.revoke_grant import revoke_grant
from shuren.directory.services.seal_national_id import tells_national_id
from shuren.directory.services.subjects import erase_person, give_subject_data, hand_over_request
from shuren.directory.services.tend_grants import certify_grants, tend_grants
from shuren.directory.services.trace_roster import people_touched_by
from shuren.directory.services.undo_roster import may_undo_roster, undo_roster
from shuren.directory.services.write_province import write_province
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.paging import Page

__all__ = [
    "CompetingWrite",
    "access_org",
    "access_person",
    "add_guardian",
    "add_org",
    "add_person",
    "affiliate",
    "affiliation_ids",
    "affiliations_of_people",
    "ancestors_of",
    "app_paths_of",
    "asked_texts",
    "askings_of",
    "certify_grants",
    "children_of",
    "class_teachers_of",
    "close_break_glass",
    "close_org",
    "competing",
    "confirm_grant",
    "confirm_roster",
    "consent_of",
    "correct_org",
    "correct_person",
    "count_of",
    "count_orgs",
    "counted",
    "counts_as",
    "counts_of",
    "decide_consent",
    "disclosed_people",
    "duty_paths_of",
    "end_affiliation",
    "end_consent_text",
    "end_enrollment",
    "enrol",
    "enrollments_of_paths",
    "enrollments_of_people",
    "erase_person",
    "export_roster",
    "geometries_of",
    "give_subject_data",
    "grant_role",
    "grants_of",
    "guardians_of",
    "hand_over_request",
    "held_sourced_ids",
    "hold_org",
    "hold_person",
    "holders_of",
    "joint_scope",
    "link_guardian",
    "list_targets",
    "may_undo_roster",
    "member_facts",
    "members_of_org",
    "members_of_orgs",
    "merge_orgs",
    "merge_people",
    "move_org",
    "note_competing",
    "offices_of",
    "open_break_glass",
    "org_facts",
    "org_ids_by_code",
    "org_ids_by_sourced",
    "org_ids_found_by",
    "org_ids_within",
    "org_line",
    "orgs_above",
    "orgs_after",
    "orgs_by_ids",
    "orgs_reached",
    "pack_roster",
    "papers_template",
    "people_added_by",
    "people_by_ids",
    "people_in_charge",
    "people_of_org",
    "people_page",
    "people_reached",
    "people_touched_by",
    "people_with_ties",
    "people_within",
    "permissions_of",
    "person_ids_beginning",
    "person_ids_by_name_and_phone",
    "person_ids_by_number",
    "person_ids_by_sourced",
    "person_ids_found_by",
    "publish_consent_text",
    "reason_of",
    "rebuild_counts",
    "refuse_competing_write",
    "register_subject_data",
    "remedy_of",
    "rename_org",
    "requests_left",
    "review_break_glass",
    "revoke_grant",
    "role_options",
    "role_paths_of",
    "roles_among",
    "root_org",
    "roster_headings",
    "roster_moments",
    "roster_rows",
    "roster_tables",
    "roster_template",
    "roster_ties",
    "roster_total",
    "school_ids_above",
    "scope_of",
    "session_ids_of",
    "subject_place",
    "subtree",
    "tallied_orgs",
    "tallied_people",
    "tally",
    "tells_national_id",
    "tend_grants",
    "told_of",
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


def people_page(
    *,
    actor: Actor,
    permissions: Collection[Permission],
    org: OrgData | None = None,
    search: str = "",
    number: int = 1,
    size: int = 50,
    now: datetime,
) -> Page[PersonRow]:
    """A page of the people for whom `actor` holds one of the permissions, by name or number; flat however many there are."""
    found = people_list.people_list(actor=actor, now=now, org=org, search=search, permissions=permissions)
    return people_list.page_of_people(found, number=number, size=size)


def person_ids_beginning(search: str) -> list[int] | None:
    """Ids of the few people whose name or number begins so, or who once had that number; None where they are too many."""
    return people_list.matching_ids(search)


def members_of_org(org_id: int, *, roles: Collection[Role], day: date | None = None, limit: int = 10_000) -> list[PersonData]:
    """People of one org itself, not of those below it, in order of name; for `Role.PUPIL` those enrolled in the class."""
    return people.members_of_org(org_id=org_id, roles=roles, day=day or _today(), limit=limit)


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


def roles_among(person_id: int, roles: Collection[Role], *, now: datetime) -> frozenset[Role]:
    """Those of `roles` that the person holds now; cheaper than `role_options` where most roles are of no interest."""
    return held_roles.roles_among(person_id, frozenset(roles), now)


def disclosed_people(
    *,
    person_ids: Collection[int],
    elements: Sequence[str],
    purpose: str,
    recipient: str,
    now: datetime,
    actor: Actor = SYSTEM,
    brought: Mapping[str, Mapping[int, str]] | None = None,
) -> dict[int, DisclosedPerson]:
    """What `recipient` (an app's id; empty: the house itself) may be told of people, by person id, and why the rest is missing.

    `elements` are codes of `standards` (`person.name`, …). Values come whole, masked or not at all, by grade, purpose and
    consent; a line a day is kept per person for the page that says who saw them. The caller has checked that the recipient
    may ask about these people. `brought` are values, by element and person, of elements that the caller's app keeps.
    """
    return disclose_people(
        person_ids=person_ids,
        elements=elements,
        purpose=purpose,
        recipient=recipient,
        now=now,
        actor=actor,
        brought=brought,
    )


def _today() -> date:
    return clock.day_of(clock.now())
