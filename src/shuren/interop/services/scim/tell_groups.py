"""Groups: orgs in reach, and who holds a place in them."""

from collections.abc import Sequence
from typing import Any

from scim2_models import NotFoundException, Reference, ResponseParameters, SearchRequest, TooManyException

from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgStatus, Permission
from shuren.interop.rules.scim.plans import GROUP_KEYS, Lookup, is_everything, lookups
from shuren.interop.rules.scim.resources import DEFAULT_COUNT, MAX_RESULTS, Group, Member, User
from shuren.interop.selectors.scim import records_of, removed_ids, row_ids_by_external
from shuren.interop.services.scim.callers import SCANNED, Caller, moments_of, stamp, wants
from shuren.interop.services.scim.tell_users import Found
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.errors import NotFound

MEMBERS = 10_000
_FOUND = 500


def groups_of(caller: Caller, orgs: Sequence[OrgData], *, with_members: bool = True) -> list[Group]:
    """Groups in the order of the orgs; 400 `tooMany` where together they have more than 10,000 members."""
    org_ids = [org.id for org in orgs]
    records = records_of(client_id=caller.client_id, kind="group", row_ids=org_ids)
    moments = moments_of({org_id: [f"org:{org_id}"] for org_id in org_ids}, {})
    members = directory.members_of_orgs(org_ids, day=day_of(caller.now), limit=MEMBERS) if with_members else {}
    if members is None:
        raise TooManyException(detail=f"More than {MEMBERS} members: ask with excludedAttributes=members.")
    visible = _visible(caller, {pk for held in members.values() for pk in held})
    groups = []
    for org in orgs:
        group = Group(
            id=org.public_id,
            external_id=records[org.id].external_id or None if org.id in records else None,
            display_name=org.name,
            members=[_member(caller, pk) for pk in members.get(org.id, ()) if pk in visible] or None,
        )
        stamp(group, caller=caller, kind="Group", moments=moments.get(org.id))
        groups.append(group)
    return groups


def access_group(caller: Caller, group_id: str) -> OrgData:
    """The org if it stands, the client reaches it and has not let it go; else 404."""
    try:
        org = directory.access_org(actor=caller.actor, id=ids.decode("org", group_id), now=caller.now)
    except NotFound:
        raise NotFoundException from None
    if org.status is not OrgStatus.ACTIVE or removed_ids(client_id=caller.client_id, kind="group", row_ids=[org.id]):
        raise NotFoundException
    return org


def find_groups(caller: Caller, asked: SearchRequest[Any]) -> Found:
    """One page of groups in order of the tree; filters and orders that no index holds are answered for up to 5,000."""
    count = min(DEFAULT_COUNT if asked.count is None else asked.count, MAX_RESULTS)
    start = asked.start_index or 1
    scope = caller.scope(Permission.VIEW_ORGS)
    condition = None if asked.filter is None or is_everything(asked.filter.ast) else asked.filter
    if condition is None and asked.sort_by is None:
        total, orgs = directory.orgs_reached(scope, skip=start - 1, size=count)
        return Found(total, start, groups_of(caller, orgs, with_members=wants(asked, "members")))
    questions = lookups(condition.ast, GROUP_KEYS) if condition is not None else None
    if questions is None:
        total, orgs = directory.orgs_reached(scope, size=SCANNED)
        if total > SCANNED:
            raise TooManyException(detail="No index answers this: filter by displayName, externalId or members with eq.")
    else:
        orgs = _answers(caller, questions)
    tests_members = condition is not None and "member" in str(condition).lower()
    matching = [
        group
        for group in groups_of(caller, orgs, with_members=wants(asked, "members") or tests_members)
        if condition is None or condition.match(group)
    ]
    if asked.sort_by is not None:
        matching = asked.sort(matching)
    return Found(len(matching), start, matching[start - 1 : start - 1 + count])


def group_told(caller: Caller, org: OrgData, asked: ResponseParameters[Any] | None) -> Group:
    return groups_of(caller, [org], with_members=wants(asked, "members"))[0]


def _answers(caller: Caller, questions: Sequence[Lookup]) -> list[OrgData]:
    scope = caller.scope(Permission.VIEW_ORGS)
    found: set[int] = set()
    for question in questions:
        found.update(_answer(caller, question))
    if len(found) > _FOUND:
        raise TooManyException(detail=f"More than {_FOUND} groups answer.")
    orgs = directory.orgs_by_ids(found).values()
    reached = [org for org in orgs if scope.covers(org.path) and org.status is OrgStatus.ACTIVE]
    gone = removed_ids(client_id=caller.client_id, kind="group", row_ids=[org.id for org in reached])
    return sorted((org for org in reached if org.id not in gone), key=lambda org: org.path)


def _answer(caller: Caller, question: Lookup) -> list[int]:
    if question.key == "externalid":
        return row_ids_by_external(client_id=caller.client_id, kind="group", external_id=question.value)
    if question.key == "displayname":
        return directory.org_ids_found_by(caller.scope(Permission.VIEW_ORGS), question.value)
    try:
        if question.key == "id":
            return [ids.decode("org", question.value)]
        person_id = ids.decode("person", question.value)
    except NotFound:
        return []
    day = day_of(caller.now)
    held = [affiliation.org_id for affiliation in directory.affiliations_of_people([person_id], day=day)]
    return held + [enrollment.class_id for enrollment in directory.enrollments_of_people([person_id], day=day)]


def _visible(caller: Caller, person_ids: set[int]) -> set[int]:
    return directory.people_within(actor=caller.actor, person_ids=person_ids, now=caller.now) if person_ids else set()


def _member(caller: Caller, person_id: int) -> Member:
    public_id = ids.encode("person", person_id)
    return Member(value=public_id, ref=Reference[User](f"{caller.base}/Users/{public_id}"), type="User")
