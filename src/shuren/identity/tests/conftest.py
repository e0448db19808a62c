"""The cast of identity's tests: a county with two schools, and people who would like to come in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest
from django.test import Client

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, NewOrg, NewPerson, OrgType, Role
from shuren.identity import api
from shuren.identity.models import Account
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM, Actor

NOW = datetime(2026, 10, 12, 1, 0, tzinfo=UTC)
BEGUN = date(2026, 9, 1)
PASSWORD = "kavu-mite-tane-4827"


@dataclass
class School:
    """Orgs and people by short names."""

    orgs: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)

    def actor(self, key: str) -> Actor:
        account = Account.objects.filter(person_id=self.people[key]).first()
        return Actor(person_id=self.people[key], account_id=account.pk if account else None, name=key)

    def account(self, key: str) -> Account:
        return Account.objects.get(person_id=self.people[key])

    def add_person(self, key: str, name: str, **facts: object) -> int:
        new = NewPerson(name=name, is_synthetic=True, **facts)  # type: ignore[arg-type]
        self.people[key] = directory.add_person(actor=SYSTEM, person=new, now=NOW).id
        return self.people[key]

    def employ(self, key: str, name: str, role: Role, org: str, **facts: object) -> None:
        directory.affiliate(
            actor=SYSTEM,
            person_id=self.people.get(key) or self.add_person(key, name, **facts),
            org_id=self.orgs[org],
            role=role,
            begin_date=BEGUN,
            now=NOW,
        )


@pytest.fixture
def school(db: None) -> School:
    school = School()
    for key, parent, kind in (
        ("county", "", OrgType.COUNTY),
        ("school", "county", OrgType.SCHOOL),
        ("other", "county", OrgType.SCHOOL),
        ("class", "school", OrgType.CLASS),
    ):
        new = NewOrg(parent_id=school.orgs[parent] if parent else None, type=kind, name=f"东湖{key}")
        school.orgs[key] = directory.add_org(actor=SYSTEM, org=new, now=NOW).id
    school.employ("officer", "周志强", Role.COUNTY_OFFICER, "county", email="Zhou@example.org")
    school.employ("admin", "赵文博", Role.SCHOOL_ADMIN, "school", phone="13000000001", staff_number="t-0042")
    school.employ("head", "陈立新", Role.HEAD, "school")
    school.employ("far_teacher", "何西", Role.TEACHER, "other")
    school.add_person("parent", "张父")
    for key, name in (("pupil", "张三"), ("classmate", "张小雨")):
        person_id = school.add_person(
            key, name, pupil_number=f"G51010420160504{len(school.people):04d}", birth_date=date(2016, 5, 4)
        )
        directory.enrol(
            actor=SYSTEM,
            person_id=person_id,
            class_id=school.orgs["class"],
            role=EnrollmentRole.STUDENT,
            is_primary=True,
            begin_date=BEGUN,
            now=NOW,
        )
    directory.link_guardian(
        actor=SYSTEM,
        guardian_id=school.people["parent"],
        ward_id=school.people["pupil"],
        relation="父亲",
        begin_date=BEGUN,
        now=NOW,
    )
    api.create_accounts(
        actor=SYSTEM, person_ids=school.people.values(), usernames={id: key for key, id in school.people.items()}, now=NOW
    )
    for person_id in school.people.values():
        api.set_password(actor=SYSTEM, person_id=person_id, password=PASSWORD, must_change=False, now=NOW)
    return school


@pytest.fixture
def sign_in(school: School) -> Callable[..., Client]:
    """Return a function that opens a browser in which this person is signed in."""

    def enter(key: str) -> Client:
        client = Client(headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/130 Edg/130"})
        assert client.post("/sign-in/", {"username": key, "password": PASSWORD}).status_code == 302
        return client

    return enter


@pytest.fixture
def today() -> datetime:
    return clock.now()
