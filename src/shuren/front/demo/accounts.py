"""One person per role of the demonstration, each with a password that is printed."""

import random
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, NewPerson, OrgData, OrgType, PersonData, Role
from shuren.front.demo.names import ADULT_LETTERS, person_name
from shuren.front.services.role_holders import TITLES, add_role_holders
from shuren.identity import api as identity
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import NotFound

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
SEED = 20260901


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Somebody to sign in as, and where they work or learn."""

    role: str
    name: str
    place: str
    username: str
    password: str


def first_person(path: str, role: Role) -> PersonData:
    people = directory.people_of_org(path, roles={role}, limit=1)
    if not people:
        raise NotFound(f"The demonstration has no {role} under {path}.")
    return people[0]


def demo_class(district: OrgData) -> OrgData:
    """The fullest class of the district: its report has nothing suppressed."""
    classes = directory.subtree(district.path, types={OrgType.CLASS})
    sizes = dict.fromkeys((row.id for row in classes), 0)
    for enrollment in directory.enrollments_of_paths([district.path], role=EnrollmentRole.STUDENT):
        sizes[enrollment.class_id] = sizes.get(enrollment.class_id, 0) + 1
    return max(classes, key=lambda row: (sizes[row.id], -row.id))


def demo_people() -> dict[str, tuple[PersonData, OrgData]]:
    """The cast, by the key under which the account is kept: officers, a head, a class teacher, a pupil, a parent."""
    city = directory.root_org()
    if city is None:
        raise NotFound("The demonstration roster has not been applied.")
    district = directory.subtree(city.path, types={OrgType.COUNTY})[0]
    home = demo_class(district)
    school = next(org for org in directory.ancestors_of(home.id) if org.type is OrgType.SCHOOL)
    pupil_id = next(directory.enrollments_of_paths([home.path], role=EnrollmentRole.STUDENT)).person_id
    teacher_id = directory.class_teachers_of([home.id])[home.id][0]
    parent_id = directory.guardians_of([pupil_id])[0].guardian_id
    people = directory.people_by_ids([pupil_id, teacher_id, parent_id])
    return {
        "city_officer": (first_person(city.path, Role.CITY_OFFICER), city),
        "district_officer": (first_person(district.path, Role.COUNTY_OFFICER), district),
        "head": (first_person(school.path, Role.HEAD), school),
        "class_teacher": (people[teacher_id], home),
        "pupil": (people[pupil_id], home),
        "parent": (people[parent_id], home),
    }


def demo_administrators(*, now: datetime) -> dict[str, tuple[PersonData, OrgData]]:
    """The three separated administrators, who belong to no roster: invented people with a grant on the whole city."""
    city = directory.root_org()
    if city is None:
        raise NotFound("The demonstration roster has not been applied.")
    draw = random.Random(SEED)  # noqa: S311  # names, not secrets
    people = {role: NewPerson(name="".join(person_name(draw, ADULT_LETTERS)), is_synthetic=True) for role in TITLES}
    added = add_role_holders(people, org_id=city.id, now=now)
    found = directory.people_by_ids(added.values())
    return {role.value: (found[person_id], city) for role, person_id in added.items()}


def make_accounts(*, now: datetime) -> list[DemoAccount]:
    """Give the cast accounts named after their roles, with fresh passwords that need not be changed."""
    return open_accounts(demo_people() | demo_administrators(now=now), now=now)


def open_accounts(cast: Mapping[str, tuple[PersonData, OrgData]], *, now: datetime) -> list[DemoAccount]:
    """Accounts named after the keys of `cast`; who has one already keeps its name and gets a new password."""
    usernames = {person.id: role.replace("_", "-") for role, (person, _org) in cast.items()}
    identity.create_accounts(actor=SYSTEM, person_ids=list(usernames), usernames=usernames, now=now)
    opened = identity.accounts_of_people(usernames)
    accounts = []
    for role, (person, org) in cast.items():
        password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
        identity.set_password(actor=SYSTEM, person_id=person.id, password=password, must_change=False, now=now)
        accounts.append(DemoAccount(role, person.name, org.name, opened[person.id].username, password))
    return accounts


def as_json(accounts: list[DemoAccount]) -> dict[str, dict[str, str]]:
    return {account.role: asdict(account) for account in accounts}
