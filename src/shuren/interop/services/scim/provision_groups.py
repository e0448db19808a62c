"""Groups written: departments of the client's own org, and who is staff in an org."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from scim2_models import Context, ForbiddenException, InvalidValueException, MutabilityException, PatchOp

from shuren.directory import api as directory
from shuren.directory.data import NewOrg, OrgData, OrgType, Role
from shuren.interop.rules.scim.resources import TOLERANT, Group
from shuren.interop.rules.scim.wishes import plain_patch
from shuren.interop.services.scim.callers import Caller, check_version, keep_record
from shuren.interop.services.scim.tell_groups import access_group, groups_of
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.errors import NotFound


@transaction.atomic
def create_group(caller: Caller, body: Mapping[str, Any]) -> Group:
    """A department of the client's own org; what else the tree holds comes from the roster."""
    caller.may_write()
    wanted = Group.model_validate(dict(body), scim_policy=TOLERANT)
    if not wanted.display_name or not wanted.display_name.strip():
        raise InvalidValueException(detail="displayName is required")
    if caller.home_id is None:
        raise ForbiddenException(detail="This client belongs to no org.")
    new = NewOrg(parent_id=caller.home_id, type=OrgType.DEPARTMENT, name=wanted.display_name.strip())
    org_id = directory.add_org(actor=caller.actor, org=new, now=caller.now).id
    keep_record(caller=caller, kind="group", row_id=org_id, external_id=wanted.external_id or "", is_own=True)
    org = directory.orgs_by_ids([org_id])[org_id]
    return _changed(caller, org, groups_of(caller, [org])[0], wanted)


@transaction.atomic
def replace_group(caller: Caller, group_id: str, body: Mapping[str, Any], *, if_match: str = "") -> Group:
    """PUT, as Okta sends groups: the members are those named, and no others; without `members` they stay."""
    caller.may_write()
    org = _held(caller, group_id)
    before = groups_of(caller, [org])[0]
    check_version(before, if_match)
    wanted = Group.model_validate(dict(body), scim_policy=TOLERANT)
    if "members" not in wanted.model_fields_set:
        wanted.members = before.members
    if not wanted.display_name:
        raise InvalidValueException(detail="displayName is required")
    return _changed(caller, org, before, wanted)


@transaction.atomic
def patch_group(caller: Caller, group_id: str, body: Mapping[str, Any], *, if_match: str = "") -> Group:
    """PATCH in the dialects of Entra and Okta; a removal that names members takes out these and no others."""
    caller.may_write()
    org = _held(caller, group_id)
    before = groups_of(caller, [org])[0]
    check_version(before, if_match)
    patch = PatchOp[Group].model_validate(plain_patch(body), scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=TOLERANT)
    wanted = before.model_copy(deep=True)
    patch.patch(wanted, TOLERANT)
    return _changed(caller, org, before, wanted)


@transaction.atomic
def delete_group(caller: Caller, group_id: str, *, if_match: str = "") -> None:
    """Close a department without departments below it; schools, grades and classes are closed in the roster."""
    caller.may_write()
    org = _held(caller, group_id)
    if if_match:
        check_version(groups_of(caller, [org])[0], if_match)
    if org.type is not OrgType.DEPARTMENT or directory.children_of(org.id):
        raise ForbiddenException(detail="Only a department without others below it can be deleted here.")
    directory.close_org(actor=caller.actor, org_id=org.id, now=caller.now)


def _held(caller: Caller, group_id: str) -> OrgData:
    """The org as it stands once nobody else is writing it."""
    org_id = access_group(caller, group_id).id
    directory.hold_org(org_id)
    return access_group(caller, group_id)


def _changed(caller: Caller, org: OrgData, before: Group, wanted: Group) -> Group:
    name = (wanted.display_name or "").strip()
    if name and name != before.display_name:
        directory.rename_org(actor=caller.actor, org_id=org.id, name=name, short_name=org.short_name, now=caller.now)
    if (wanted.external_id or "") != (before.external_id or ""):
        keep_record(caller=caller, kind="group", row_id=org.id, external_id=wanted.external_id or "")
    held, named = _person_ids(before), _person_ids(wanted)
    if held != named and org.type in (OrgType.CLASS, OrgType.GRADE):
        raise MutabilityException(attribute="members", detail="The members of classes come from the roster.")
    for person_id in sorted(named - held):
        _enter(caller, org, person_id)
    for person_id in sorted(held - named):
        _leave(caller, org, person_id)
    return groups_of(caller, [directory.orgs_by_ids([org.id])[org.id]])[0]


def _enter(caller: Caller, org: OrgData, person_id: int) -> None:
    if person_id not in directory.people_within(actor=caller.actor, person_ids=[person_id], now=caller.now):
        raise InvalidValueException(detail="A member is not a user within reach.")
    directory.affiliate(actor=caller.actor, person_id=person_id, org_id=org.id, role=Role.STAFF, is_primary=False, now=caller.now)


def _leave(caller: Caller, org: OrgData, person_id: int) -> None:
    held = directory.affiliation_ids(person_id=person_id, org_id=org.id, role=Role.STAFF, day=day_of(caller.now))
    if not held:
        raise MutabilityException(attribute="members", detail="This member's place comes from the roster.")
    for affiliation_id in held:
        directory.end_affiliation(actor=caller.actor, affiliation_id=affiliation_id, now=caller.now)


def _person_ids(group: Group) -> set[int]:
    found = set()
    for member in group.members or ():
        try:
            found.add(ids.decode("person", member.value or ""))
        except NotFound:
            raise InvalidValueException(detail="A member is not a user within reach.") from None
    return found
