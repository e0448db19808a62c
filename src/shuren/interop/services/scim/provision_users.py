"""Users written: accounts opened for people of the roster, suspended, resumed; new staff where the token allows it."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from scim2_models import (
    Context,
    ForbiddenException,
    InvalidValueException,
    MutabilityException,
    PatchOp,
    UniquenessException,
)

from shuren.directory import api as directory
from shuren.directory.data import NewPerson, Permission, Role
from shuren.identity import api as identity
from shuren.interop.rules.scim.resources import TOLERANT, User
from shuren.interop.rules.scim.wishes import plain_patch, plain_resource
from shuren.interop.selectors.scim import records_of, removed_ids
from shuren.interop.services.scim.callers import Caller, check_version, keep_record
from shuren.interop.services.scim.tell_users import access_user, person_ids_named, users_of
from shuren.kernel import audit
from shuren.kernel.clock import day_of
from shuren.standards.data import Door

_TAKEN = "This userName belongs to somebody who has an account, or is out of reach."


@transaction.atomic
def create_user(caller: Caller, body: Mapping[str, Any]) -> User:
    """Open the account of the person of the roster whose number, e-mail address or phone number the userName is.

    A person whom the client deleted comes back. Where the roster has nobody of that name, a client with `scim.people`
    enters a new member of staff at its own org; any other is refused. 409 where the account or the name exists.
    """
    caller.may_write()
    wanted = _user_in(body)
    if not wanted.user_name or not wanted.user_name.strip():
        raise InvalidValueException(detail="userName is required")
    person_id = _person_of(caller, wanted) or _new_person(caller, wanted)
    if person_id not in identity.accounts_of_people([person_id]):
        identity.provision_account(actor=caller.actor, person_id=person_id, username=wanted.user_name, now=caller.now)
    keep_record(caller=caller, kind="user", row_id=person_id, external_id=wanted.external_id or "", removed_at=None)
    _turn(caller, person_id, is_active=wanted.active is not False)
    audit.record(actor=caller.actor, action="interop.scim_user_created", target=f"person:{person_id}", now=caller.now)
    return users_of(caller, [person_id])[0]


@transaction.atomic
def replace_user(caller: Caller, user_id: str, body: Mapping[str, Any], *, if_match: str = "") -> User:
    """PUT: what is left out stays, except `externalId`, which is the client's own; read-only attributes are passed over."""
    caller.may_write()
    person_id = access_user(caller, user_id)
    directory.hold_person(person_id)
    before = users_of(caller, [person_id])[0]
    check_version(before, if_match)
    wanted = _user_in(body)
    if wanted.user_name and wanted.user_name.lower() != (before.user_name or "").lower():
        raise MutabilityException(attribute="userName", detail="userName is immutable")
    wanted.user_name = before.user_name
    if "active" not in wanted.model_fields_set or wanted.active is None:
        wanted.active = before.active
    for field in ("display_name", "emails", "phone_numbers"):
        if field not in wanted.model_fields_set:
            setattr(wanted, field, getattr(before, field))
    return _changed(caller, person_id, before, wanted)


@transaction.atomic
def patch_user(caller: Caller, user_id: str, body: Mapping[str, Any], *, if_match: str = "") -> User:
    """PATCH in the dialects of Entra and Okta as well as by the letter."""
    caller.may_write()
    person_id = access_user(caller, user_id)
    directory.hold_person(person_id)
    before = users_of(caller, [person_id])[0]
    check_version(before, if_match)
    patch = PatchOp[User].model_validate(plain_patch(body), scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=TOLERANT)
    wanted = before.model_copy(deep=True)
    patch.patch(wanted, TOLERANT)
    return _changed(caller, person_id, before, wanted)


@transaction.atomic
def delete_user(caller: Caller, user_id: str, *, if_match: str = "") -> None:
    """The account sleeps and the client no longer sees the person; the roster keeps them, unless the client entered them."""
    caller.may_write()
    person_id = access_user(caller, user_id)
    directory.hold_person(person_id)
    if if_match:
        check_version(users_of(caller, [person_id])[0], if_match)
    if person_id in identity.accounts_of_people([person_id]):
        identity.suspend_account(actor=caller.actor, person_id=person_id, now=caller.now)
    record = records_of(client_id=caller.client_id, kind="user", row_ids=[person_id]).get(person_id)
    if record is not None and record.is_own and caller.home_id is not None:
        _leave_home(caller, person_id)
    keep_record(caller=caller, kind="user", row_id=person_id, removed_at=caller.now)
    audit.record(actor=caller.actor, action="interop.scim_user_deleted", target=f"person:{person_id}", now=caller.now)


def _user_in(body: Mapping[str, Any]) -> User:
    """What a client sent as a user, whatever else it said. `active` may be missing or a word (Entra sends "False")."""
    return User.model_validate(plain_resource(body), scim_policy=TOLERANT)


def _person_of(caller: Caller, wanted: User) -> int | None:
    """The one person meant: of the roster and without an account, or one whom this client deleted."""
    name = (wanted.user_name or "").strip()
    account = identity.account_named(name)
    found = {account.person_id} if account and account.person_id else person_ids_named(name)
    if not found:
        if account is not None:
            raise UniquenessException(attribute="userName", detail=_TAKEN)
        return None
    reached = directory.people_within(
        actor=caller.actor, person_ids=found, permission=Permission.ISSUE_CREDENTIALS, now=caller.now
    )
    gone = removed_ids(client_id=caller.client_id, kind="user", row_ids=found)
    for person_id in gone - reached:
        _come_home(caller, person_id)
    meant = reached | gone
    if len(meant) != 1 or len(found) != 1:
        raise UniquenessException(attribute="userName", detail=_TAKEN)
    person_id = meant.pop()
    if person_id not in gone and person_id in identity.accounts_of_people([person_id]):
        raise UniquenessException(attribute="userName", detail=_TAKEN)
    return person_id


def _new_person(caller: Caller, wanted: User) -> int:
    if caller.home_id is None or not _may_manage_home(caller):
        raise ForbiddenException(detail="The roster has nobody of this userName; scim.people is needed to enter a person.")
    named = wanted.name
    parts = (named.family_name, named.given_name) if named else ()
    name = wanted.display_name or (named.formatted if named else None) or "".join(part or "" for part in parts)
    if not name:
        raise InvalidValueException(detail="displayName is required to enter a person")
    new = NewPerson(name=name[:80], email=_email(wanted), phone=_phone(wanted))
    person_id = directory.add_person(actor=caller.actor, person=new, now=caller.now, door=Door.SCIM).id
    keep_record(caller=caller, kind="user", row_id=person_id, is_own=True)
    _come_home(caller, person_id)
    return person_id


def _come_home(caller: Caller, person_id: int) -> None:
    assert caller.home_id is not None
    directory.affiliate(actor=caller.actor, person_id=person_id, org_id=caller.home_id, role=Role.STAFF, now=caller.now)


def _leave_home(caller: Caller, person_id: int) -> None:
    assert caller.home_id is not None
    held = directory.affiliation_ids(person_id=person_id, org_id=caller.home_id, role=Role.STAFF, day=day_of(caller.now))
    for affiliation_id in held:
        directory.end_affiliation(actor=caller.actor, affiliation_id=affiliation_id, now=caller.now)


def _may_manage_home(caller: Caller) -> bool:
    assert caller.home_id is not None
    home = directory.orgs_by_ids([caller.home_id])[caller.home_id]
    return caller.scope(Permission.MANAGE_PEOPLE).covers(home.path)


def _changed(caller: Caller, person_id: int, before: User, wanted: User) -> User:
    changes = {
        key: new
        for key, old, new in (
            ("name", before.display_name or "", wanted.display_name or ""),
            ("email", _email(before), _email(wanted)),
            ("phone", _phone(before), _phone(wanted)),
        )
        if old != new
    }
    if changes:
        if caller.scope(Permission.MANAGE_PEOPLE).is_empty:
            raise ForbiddenException(detail="scim.people is needed to change names and addresses.")
        directory.correct_person(actor=caller.actor, person_id=person_id, changes=changes, now=caller.now, door=Door.SCIM)
    if (wanted.external_id or "") != (before.external_id or ""):
        keep_record(caller=caller, kind="user", row_id=person_id, external_id=wanted.external_id or "")
    if wanted.active is not None and wanted.active != before.active:
        _turn(caller, person_id, is_active=wanted.active)
    return users_of(caller, [person_id])[0]


def _turn(caller: Caller, person_id: int, *, is_active: bool) -> None:
    account = identity.accounts_of_people([person_id]).get(person_id)
    if account is None and is_active:
        identity.provision_account(actor=caller.actor, person_id=person_id, now=caller.now)
    elif account is not None and account.is_active != is_active:
        turn = identity.resume_account if is_active else identity.suspend_account
        turn(actor=caller.actor, person_id=person_id, now=caller.now)


def _email(user: User) -> str:
    return (user.emails[-1].value or "") if user.emails else ""


def _phone(user: User) -> str:
    return (user.phone_numbers[-1].value or "") if user.phone_numbers else ""
