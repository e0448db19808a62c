"""Users: people in reach and their accounts, told as grade, purpose and consent allow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scim2_models import NotFoundException, Reference, SearchRequest, TooManyException

from shuren.directory import api as directory
from shuren.directory.data import DisclosedPerson, Permission
from shuren.identity import api as identity
from shuren.interop.rules.scim.plans import USER_KEYS, Lookup, is_everything, lookups
from shuren.interop.rules.scim.resources import (
    DEFAULT_COUNT,
    MAX_RESULTS,
    Email,
    Group,
    GroupOfUser,
    Name,
    PhoneNumber,
    User,
)
from shuren.interop.selectors.people import wished_of_people
from shuren.interop.selectors.scim import records_of, removed_ids, row_ids_by_external
from shuren.interop.services.scim.callers import SCANNED, Caller, keep_place, moments_of, place_before, stamp
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.errors import NotFound

_ELEMENTS = (
    "person.name",
    "person.family_name",
    "person.given_name",
    "person.number",
    "person.email",
    "person.phone",
)
_CHUNK = 500
_NAMED_BY = ("number", "pupil_number", "staff_number", "email", "phone")
_FACTS = {
    "displayname": "name",
    "name.formatted": "name",
    "emails": "email",
    "emails.value": "email",
    "phonenumbers": "phone",
    "phonenumbers.value": "phone",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A page of resources, and how many there are."""

    total: int
    start: int
    resources: Sequence[Any]


def users_of(caller: Caller, person_ids: Sequence[int]) -> list[User]:
    """Users in the order of the ids; the caller has checked the reach. Who was told of whom is kept on file."""
    told = _told(caller, person_ids)
    accounts = identity.accounts_of_people(person_ids)
    records = records_of(client_id=caller.client_id, kind="user", row_ids=person_ids)
    groups, types = _places(caller, person_ids)
    targets = {
        pk: [f"person:{pk}"] + ([f"account:{accounts[pk].id}"] if pk in accounts else []) for pk in person_ids if pk in told
    }
    moments = moments_of(targets, directory.roster_moments(person_ids))
    users = []
    for pk in person_ids:
        if pk not in told:
            continue
        person, account = told[pk], accounts.get(pk)
        values = person.values
        own_name = account.username if account else values.get("person.number", "")
        username = person.public_id if caller.recipient else own_name
        named = {
            "formatted": values.get("person.name"),
            "family_name": values.get("person.family_name"),
            "given_name": values.get("person.given_name"),
        }
        user = User(
            id=person.public_id,
            external_id=records[pk].external_id or None if pk in records else None,
            user_name=username,
            display_name=values.get("person.name") or person.public_id,
            active=account is not None and account.is_active,
            name=Name(**named) if any(named.values()) else None,
            emails=[Email(value=values["person.email"], type="work")] if "person.email" in values else None,
            phone_numbers=[PhoneNumber(value=values["person.phone"], type="mobile")] if "person.phone" in values else None,
            user_type=types.get(pk),
            preferred_language=(account.language or None) if account else None,
            groups=groups.get(pk),
        )
        stamp(user, caller=caller, kind="User", moments=moments.get(pk))
        users.append(user)
    return users


def _told(caller: Caller, person_ids: Sequence[int]) -> dict[int, DisclosedPerson]:
    """What the client is told of people.

    An app of the register is told nothing but what the version agreed to where they are asks for.
    """
    asked = dict.fromkeys(person_ids, frozenset(_ELEMENTS) - ({"person.number"} if caller.recipient else set()))
    if caller.app is not None and not caller.app.is_sandbox:
        wished = wished_of_people(caller.app, person_ids, now=caller.now)
        asked = {pk: elements & wished[pk] for pk, elements in asked.items()}
    alike: dict[frozenset[str], list[int]] = {}
    for pk, elements in asked.items():
        alike.setdefault(elements, []).append(pk)
    told: dict[int, DisclosedPerson] = {}
    for elements, group in alike.items():
        told |= directory.disclosed_people(
            person_ids=group,
            elements=sorted(elements),
            purpose=caller.purpose,
            recipient=caller.recipient,
            now=caller.now,
            actor=caller.actor,
        )
    return told


def access_user(caller: Caller, user_id: str) -> int:
    """The person's id if the client reaches them and has not let them go; else 404, as if they did not exist."""
    try:
        person_id = ids.decode("person", user_id)
    except NotFound:
        raise NotFoundException from None
    if person_id not in _reached(caller, [person_id]):
        raise NotFoundException
    return person_id


def find_users(caller: Caller, asked: SearchRequest[Any]) -> Found:
    """One page of users (RFC 7644 3.4.2). A filter or an order that no index holds is answered for up to 5,000 people."""
    count = min(DEFAULT_COUNT if asked.count is None else asked.count, MAX_RESULTS)
    start = asked.start_index or 1
    condition = asked.filter
    if condition is not None and is_everything(condition.ast):
        condition = None
    if condition is None and asked.sort_by is None:
        return _page(caller, start, count)
    questions = lookups(condition.ast, USER_KEYS) if condition is not None else None
    pool = _all_ids(caller) if questions is None else iter(sorted(_answers(caller, questions)))
    matching: list[User] = []
    for chunk in _chunks(pool):
        reached = _reached(caller, chunk)
        users = users_of(caller, [pk for pk in chunk if pk in reached])
        matching += [user for user in users if condition is None or condition.match(user)]
    if asked.sort_by is not None:
        matching = asked.sort(matching)
    return Found(len(matching), start, matching[start - 1 : start - 1 + count])


def _page(caller: Caller, start: int, count: int) -> Found:
    scope, day = caller.scope(Permission.VIEW_PEOPLE), day_of(caller.now)
    after = place_before(caller, "user", start) if start > 1 else None
    skip = start - 1 if after is None else 0
    total, found = directory.people_reached(scope, day=day, after=after or 0, skip=skip, size=count)
    if found:
        keep_place(caller, "user", start + len(found), found[-1])
    gone = removed_ids(client_id=caller.client_id, kind="user", row_ids=found)
    return Found(total, start, users_of(caller, [pk for pk in found if pk not in gone]))


def _all_ids(caller: Caller) -> Iterator[int]:
    scope, day = caller.scope(Permission.VIEW_PEOPLE), day_of(caller.now)
    _total, found = directory.people_reached(scope, day=day, size=SCANNED + 1)
    if len(found) > SCANNED or caller.recipient:
        raise TooManyException(detail="No index answers this: filter by userName, externalId, emails or id with eq.")
    return iter(found)


def _answers(caller: Caller, questions: Sequence[Lookup]) -> set[int]:
    found: set[int] = set()
    for question in questions:
        part = _answer(caller, question)
        if len(part) > _CHUNK:
            raise TooManyException(detail=f"More than {_CHUNK} resources have this {question.key}.")
        found.update(part)
    return found


def _answer(caller: Caller, question: Lookup) -> list[int]:
    if question.key == "externalid":
        return row_ids_by_external(client_id=caller.client_id, kind="user", external_id=question.value)
    if question.key == "id" or (question.key == "username" and caller.recipient):
        try:
            return [ids.decode("person", question.value)]
        except NotFound:
            return []
    if question.key == "username":
        account = identity.account_named(question.value)
        named = directory.person_ids_found_by("number", question.value.upper())
        return named + ([account.person_id] if account and account.person_id else [])
    return directory.person_ids_found_by(_FACTS[question.key], question.value)


def person_ids_named(name: str) -> set[int]:
    """People whose number, e-mail address or phone number this is."""
    spellings = {name, name.upper()}
    return {pk for column in _NAMED_BY for text in spellings for pk in directory.person_ids_found_by(column, text)}


def _reached(caller: Caller, person_ids: Sequence[int]) -> set[int]:
    reached = directory.people_within(actor=caller.actor, person_ids=person_ids, now=caller.now)
    known = directory.people_by_ids(reached)
    return set(known) - removed_ids(client_id=caller.client_id, kind="user", row_ids=reached)


def _places(caller: Caller, person_ids: Sequence[int]) -> tuple[dict[int, list[GroupOfUser]], dict[int, str]]:
    """Orgs in which people hold a place, as far as the client sees them, and what people are first of all."""
    day, scope = day_of(caller.now), caller.scope(Permission.VIEW_ORGS)
    places: dict[int, dict[int, None]] = {}
    types: dict[int, str] = {}
    for affiliation in directory.affiliations_of_people(person_ids, day=day):
        types.setdefault(affiliation.person_id, affiliation.role.value)
        if scope.covers(affiliation.org_path):
            places.setdefault(affiliation.person_id, {})[affiliation.org_id] = None
    for enrollment in directory.enrollments_of_people(person_ids, day=day):
        types.setdefault(enrollment.person_id, enrollment.role.value)
        if scope.covers(enrollment.class_path):
            places.setdefault(enrollment.person_id, {})[enrollment.class_id] = None
    orgs = directory.orgs_by_ids({org_id for held in places.values() for org_id in held})
    groups = {
        person_id: [
            GroupOfUser(
                value=orgs[org_id].public_id,
                ref=Reference[Group](f"{caller.base}/Groups/{orgs[org_id].public_id}"),
                display=orgs[org_id].name,
            )
            for org_id in held
            if org_id in orgs
        ]
        for person_id, held in places.items()
    }
    return groups, types


def _chunks(pool: Iterator[int]) -> Iterator[list[int]]:
    batch: list[int] = []
    for pk in pool:
        batch.append(pk)
        if len(batch) == _CHUNK:
            yield batch
            batch = []
    if batch:
        yield batch
