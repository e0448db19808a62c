"""The cast of the portal's tests: a small province, and one person for every role, with accounts to sign in."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import models
from django.test import Client

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, NewOrg, NewPerson, OrgData, OrgType, PersonData, Role, Sex
from shuren.directory.models import (
    Affiliation,
    ClassDetail,
    Enrollment,
    Grant,
    GuardianLink,
    NumberSequence,
    Org,
    OrgCount,
    Person,
)
from shuren.identity import api as identity
from shuren.identity.models import Account
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.models import AuditEntry, Event
from shuren.work.models import Job

PASSWORD = "kavu-mite-tane-4827"

# key: (parent, type, name)
ORGS: dict[str, tuple[str, OrgType, str]] = {
    "province": ("", OrgType.PROVINCE, "云岭省"),
    "city": ("province", OrgType.CITY, "临江市"),
    "other_city": ("province", OrgType.CITY, "海州市"),
    "county": ("city", OrgType.COUNTY, "东湖区"),
    "other_county": ("city", OrgType.COUNTY, "西山区"),
    "far_county": ("other_city", OrgType.COUNTY, "城北区"),
    "school": ("county", OrgType.SCHOOL, "东湖区实验小学"),
    "other_school": ("county", OrgType.SCHOOL, "东湖区第二小学"),
    "west_school": ("other_county", OrgType.SCHOOL, "西山区育才小学"),
    "far_school": ("far_county", OrgType.SCHOOL, "城北区重庆路小学"),
    "class": ("school", OrgType.CLASS, "四年级1班"),
    "other_class": ("school", OrgType.CLASS, "四年级2班"),
    "west_class": ("west_school", OrgType.CLASS, "四年级1班"),
    "far_class": ("far_school", OrgType.CLASS, "四年级1班"),
}

# key: (name, how the role comes about, org)
STAFF: dict[str, tuple[str, str, str]] = {
    "teacher": ("李晓敏", "teaches", "class"),
    "class_teacher": ("王建国", "leads", "class"),
    "head": ("陈立新", "affiliated", "school"),
    "school_admin": ("赵文博", "affiliated", "school"),
    "staff": ("孙丽华", "affiliated", "school"),
    "county_officer": ("周志强", "affiliated", "county"),
    "city_officer": ("吴雅琴", "affiliated", "city"),
    "province_officer": ("郑国栋", "affiliated", "province"),
    "expert": ("冯学文", "granted", "county"),
    "vendor": ("褚云帆", "granted", "school"),
    "system_admin": ("卫长青", "granted", "province"),
    "security_admin": ("蒋安民", "granted", "province"),
    "audit_admin": ("沈明察", "granted", "province"),
    "far_head": ("韩海生", "affiliated", "far_school"),
    "far_class_teacher": ("杨帆", "leads", "far_class"),
}

# key: (name, class)
PUPILS: dict[str, tuple[str, str]] = {
    "pupil": ("张三", "class"),
    "classmate": ("张小雨", "class"),
    "other_pupil": ("刘洋", "other_class"),
    "west_pupil": ("何西", "west_class"),
    "far_pupil": ("张远山", "far_class"),
}

# key: (name, ward)
PARENTS: dict[str, tuple[str, str]] = {"parent": ("张父", "pupil"), "far_parent": ("张远父", "far_pupil")}


@dataclass
class Cast:
    """Orgs, people and accounts by short names; a role's name is the key of the person who holds it."""

    now: datetime
    orgs: dict[str, OrgData] = field(default_factory=dict)
    people: dict[str, PersonData] = field(default_factory=dict)

    def actor(self, key: str, role: Role | None = None) -> Actor:
        person = self.people[key]
        account = identity.accounts_of_people([person.id])[person.id]
        return Actor(person_id=person.id, account_id=account.id, name=person.name, role=role)

    def username(self, key: str) -> str:
        return key.replace("_", ".")

    def client(self, key: str) -> Client:
        """A browser in which this person is signed in, through the door."""
        client = Client()
        answer = client.post("/sign-in/", {"username": self.username(key), "password": PASSWORD})
        assert answer.status_code == 302, answer.content.decode()
        return client


# All that writing the cast fills, what is named by others first.
_FILLED: tuple[type[models.Model], ...] = (
    Org,
    ClassDetail,
    OrgCount,
    NumberSequence,
    Person,
    Account,
    Affiliation,
    Enrollment,
    Grant,
    GuardianLink,
    AuditEntry,
    Event,
)
_LIKE_NEW = timedelta(minutes=30)


@dataclass(frozen=True)
class _Written:
    cast: Cast
    rows: dict[type[models.Model], list[models.Model]]


_written: list[_Written] = []


def build_cast() -> Cast:
    """Write the province through the services of directory and identity; the next test gets the same rows, ten times as fast.

    Only into a database without any, and only while the rows are young: a test that turns the clock gets its own.
    """
    now, is_empty = clock.now(), not any(model._default_manager.exists() for model in (Org, AuditEntry, Event))
    if is_empty and _written and timedelta() <= now - _written[0].cast.now < _LIKE_NEW:
        for model, rows in _written[0].rows.items():
            model._default_manager.bulk_create(rows)
        return Cast(now, dict(_written[0].cast.orgs), dict(_written[0].cast.people))
    cast = _write_cast(now)
    if is_empty:
        _written[:] = [_Written(cast, {model: list(model._default_manager.order_by("pk")) for model in _FILLED})]
    return cast


def _write_cast(now: datetime) -> Cast:
    cast = Cast(now)
    _add_orgs(cast)
    begun = clock.day_of(cast.now) - timedelta(days=60)
    for key, (name, how, org) in STAFF.items():
        _add_staff(cast, key, name, how, org, begun)
    for key, (name, class_key) in PUPILS.items():
        _add_person(cast, key, name, birth_date=date(2016, 5, 4))
        school_id = cast.orgs[ORGS[class_key][0]].id
        directory.affiliate(
            actor=SYSTEM, person_id=cast.people[key].id, org_id=school_id, role=Role.PUPIL, begin_date=begun, now=cast.now
        )
        _enrol(cast, key, class_key, EnrollmentRole.STUDENT, is_primary=True, begun=begun)
    for key, (name, ward) in PARENTS.items():
        _add_person(cast, key, name)
        school_id = cast.orgs[ORGS[PUPILS[ward][1]][0]].id
        directory.affiliate(
            actor=SYSTEM, person_id=cast.people[key].id, org_id=school_id, role=Role.PARENT, begin_date=begun, now=cast.now
        )
        directory.link_guardian(
            actor=SYSTEM,
            guardian_id=cast.people[key].id,
            ward_id=cast.people[ward].id,
            relation="父亲",
            begin_date=begun,
            now=cast.now,
        )
    _open_accounts(cast)
    return cast


def forget_news() -> None:
    """Drop what the making of the cast set going: a play that does not look for people waits for its own jobs only."""
    Event.objects.all().delete()
    Job.objects.all().delete()


def _add_orgs(cast: Cast) -> None:
    for key, (parent, kind, name) in ORGS.items():
        new = NewOrg(parent_id=cast.orgs[parent].id if parent else None, type=kind, name=name)
        org_id = directory.add_org(actor=SYSTEM, org=new, now=cast.now).id
        cast.orgs[key] = directory.orgs_by_ids([org_id])[org_id]


def _add_person(cast: Cast, key: str, name: str, **facts: object) -> None:
    new = NewPerson(name=name, sex=Sex.UNKNOWN, is_synthetic=True, **facts)  # type: ignore[arg-type]
    person_id = directory.add_person(actor=SYSTEM, person=new, now=cast.now).id
    cast.people[key] = directory.people_by_ids([person_id])[person_id]


def _add_staff(cast: Cast, key: str, name: str, how: str, org: str, begun: date) -> None:
    _add_person(cast, key, name)
    person_id, org_id = cast.people[key].id, cast.orgs[org].id
    role = Role(key.removeprefix("far_"))
    if how == "affiliated":
        directory.affiliate(actor=SYSTEM, person_id=person_id, org_id=org_id, role=role, begin_date=begun, now=cast.now)
    elif how == "granted":
        directory.grant_role(
            actor=SYSTEM, person_id=person_id, role=role, org_id=org_id, begin_at=cast.now - timedelta(days=30), now=cast.now
        )
    else:
        _enrol(cast, key, org, EnrollmentRole.TEACHER, is_primary=how == "leads", begun=begun)


def _enrol(cast: Cast, key: str, class_key: str, role: EnrollmentRole, *, is_primary: bool, begun: date) -> None:
    directory.enrol(
        actor=SYSTEM,
        person_id=cast.people[key].id,
        class_id=cast.orgs[class_key].id,
        role=role,
        is_primary=is_primary,
        begin_date=begun,
        now=cast.now,
    )


def _open_accounts(cast: Cast) -> None:
    usernames = {person.id: cast.username(key) for key, person in cast.people.items()}
    identity.create_accounts(actor=SYSTEM, person_ids=list(usernames), usernames=usernames, now=cast.now)
    for person_id in usernames:
        identity.set_password(actor=SYSTEM, person_id=person_id, password=PASSWORD, must_change=False, now=cast.now)
