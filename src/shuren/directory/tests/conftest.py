"""The cast of the directory's tests: one city, two counties, three schools, and the people who work and learn there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import resolve
from django.utils import translation

from shuren.directory import api
from shuren.directory.data import EnrollmentRole, NewOrg, NewPerson, OrgData, OrgType, Role, Sex
from shuren.directory.models import Affiliation, ClassDetail, Enrollment, GuardianLink, Org, Person
from shuren.directory.rules.names import sort_key_of
from shuren.directory.services.issue_numbers import issue_numbers
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM, Actor

NOW = datetime(2026, 10, 12, 1, 0, tzinfo=UTC)
BEGUN = date(2026, 9, 1)


@dataclass
class Region:
    """Orgs and people by short names: `region.org["east"]`, `region.person["head"]`, `region.actor("head")`."""

    now: datetime = NOW
    org_ids: dict[str, int] = field(default_factory=dict)
    person: dict[str, int] = field(default_factory=dict)

    def add_org(self, key: str, parent: str | None, kind: OrgType, name: str) -> int:
        new = NewOrg(parent_id=self.org_ids[parent] if parent else None, type=kind, name=name)
        self.org_ids[key] = api.add_org(actor=SYSTEM, org=new, now=self.now).id
        return self.org_ids[key]

    def add_person(self, key: str, name: str, org: str = "", role: Role | None = None, **facts: object) -> int:
        new = NewPerson(name=name, **facts)  # type: ignore[arg-type]
        self.person[key] = api.add_person(actor=SYSTEM, person=new, now=self.now).id
        if role is not None:
            self.affiliate(key, org, role)
        return self.person[key]

    def affiliate(self, key: str, org: str, role: Role) -> int:
        return api.affiliate(
            actor=SYSTEM, person_id=self.person[key], org_id=self.org_ids[org], role=role, now=self.now, begin_date=BEGUN
        )

    def enrol(self, key: str, class_: str, role: EnrollmentRole = EnrollmentRole.STUDENT, is_primary: bool = True) -> int:
        return api.enrol(
            actor=SYSTEM,
            person_id=self.person[key],
            class_id=self.org_ids[class_],
            role=role,
            is_primary=is_primary,
            begin_date=BEGUN,
            now=self.now,
        )

    def grant(self, key: str, org: str, role: Role, **options: object) -> int:
        return api.grant_role(
            actor=SYSTEM, person_id=self.person[key], role=role, org_id=self.org_ids[org], now=self.now, **options
        )  # type: ignore[arg-type]

    def actor(self, key: str, role: Role | None = None) -> Actor:
        return Actor(person_id=self.person[key], account_id=None, name=key, role=role)

    def url(self, key: str, page: str = "") -> str:
        """The address of an org or a person of the cast."""
        if key in self.org_ids:
            return f"/orgs/{ids.encode('org', self.org_ids[key])}/{page}"
        return f"/people/{ids.encode('person', self.person[key])}/{page}"

    def org(self, key: str) -> OrgData:
        return api.orgs_by_ids([self.org_ids[key]])[self.org_ids[key]]

    def path(self, key: str) -> str:
        return self.org(key).path


_ORGS = (
    ("city", None, OrgType.CITY, "云岭市教育局"),
    ("east", "city", OrgType.COUNTY, "东川区教育局"),
    ("west", "city", OrgType.COUNTY, "西原区教育局"),
    ("school", "east", OrgType.SCHOOL, "东川一小"),
    ("other", "east", OrgType.SCHOOL, "东川二小"),
    ("far", "west", OrgType.SCHOOL, "西原小学"),
    ("grade", "school", OrgType.GRADE, "四年级"),
    ("class1", "grade", OrgType.CLASS, "四（1）班"),
    ("class2", "grade", OrgType.CLASS, "四（2）班"),
    ("far_class", "far", OrgType.CLASS, "四（1）班"),
)
_BOY, _GIRL = {"sex": Sex.MALE}, {"sex": Sex.FEMALE}
_PEOPLE = (
    ("city_officer", "高建国", "city", Role.CITY_OFFICER, {}),
    ("county_officer", "林县长", "east", Role.COUNTY_OFFICER, {}),
    ("head", "何校长", "school", Role.HEAD, {}),
    ("admin", "于管理", "school", Role.SCHOOL_ADMIN, {}),
    ("staff", "司会计", "school", Role.STAFF, {}),
    ("class_teacher", "班老师", "school", Role.TEACHER, {}),
    ("teacher", "任老师", "school", Role.TEACHER, {}),
    ("pupil", "王小明", "school", Role.PUPIL, _BOY | {"birth_date": date(2016, 5, 4), "phone": "13800000001"}),
    ("pupil2", "李小红", "school", Role.PUPIL, _GIRL | {"birth_date": date(2016, 8, 9)}),
    ("far_pupil", "赵远", "far", Role.PUPIL, _BOY | {"birth_date": date(2016, 1, 2)}),
    ("parent", "王大明", "school", Role.PARENT, {}),
)
_CLASSES = (
    ("class_teacher", "class1", EnrollmentRole.TEACHER, True),
    ("teacher", "class2", EnrollmentRole.TEACHER, False),
    ("pupil", "class1", EnrollmentRole.STUDENT, True),
    ("pupil2", "class2", EnrollmentRole.STUDENT, True),
    ("far_pupil", "far_class", EnrollmentRole.STUDENT, True),
)


@pytest.fixture
def region(db: None) -> Region:
    """Written straight into the tables: some three hundred tests start here, and the services have their own."""
    region, orgs, people = Region(), {}, {}
    first = (Org.objects.aggregate(last=Max("pk"))["last"] or 0) + 1_000_000
    for org_id, (key, parent, kind, name) in enumerate(_ORGS, start=first):
        path = f"{orgs[parent].path if parent else ''}{org_id}/"
        orgs[key] = Org(
            pk=org_id, sourced_id=key, type=kind, name=name, parent=orgs.get(parent), path=path, depth=path.count("/")
        )
    Org.objects.bulk_create(orgs.values())
    ClassDetail.objects.bulk_create(
        ClassDetail(org=org, class_type="homeroom") for org in orgs.values() if org.type == OrgType.CLASS
    )
    numbers = issue_numbers(len(_PEOPLE))
    for number, (key, name, _org, _role, facts) in zip(numbers, _PEOPLE, strict=True):
        people[key] = Person(sourced_id=key, number=number, name=name, sort_key=sort_key_of(name), **facts)
    Person.objects.bulk_create(people.values())
    Affiliation.objects.bulk_create(
        Affiliation(sourced_id=key, person=people[key], org=orgs[org], org_path=orgs[org].path, role=role, begin_date=BEGUN)
        for key, _name, org, role, _facts in _PEOPLE
    )
    Enrollment.objects.bulk_create(
        Enrollment(
            sourced_id=key,
            person=people[key],
            class_org=orgs[org],
            org_path=orgs[org].path,
            role=role,
            is_primary=is_primary,
            begin_date=BEGUN,
        )
        for key, org, role, is_primary in _CLASSES
    )
    GuardianLink.objects.create(guardian=people["parent"], ward=people["pupil"], relation="父亲", begin_date=BEGUN)
    region.org_ids = {key: org.pk for key, org in orgs.items()}
    region.person = {key: person.pk for key, person in people.items()}
    api.rebuild_counts(day=clock.day_of(NOW))
    return region


class Visitor:
    """Opens pages as somebody, below the middleware: what a view refuses is raised, not drawn."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def get(self, path: str, query: dict[str, str] | None = None, **headers: str) -> HttpResponse:
        return self._answer(RequestFactory(headers=headers).get(path, query or {}))

    def post(self, path: str, data: dict[str, object] | None = None) -> HttpResponse:
        return self._answer(RequestFactory().post(path, data or {}))

    def _answer(self, request: HttpRequest) -> HttpResponse:
        request.user = AnonymousUser()
        request.session = SessionBase()
        request.actor = self.actor  # type: ignore[attr-defined]
        request._messages = CookieStorage(request)  # type: ignore[attr-defined]
        match = resolve(request.path)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        response.notes = [str(note) for note in request._messages._queued_messages]  # type: ignore[attr-defined]
        return response


@pytest.fixture
def visit(region: Region) -> Callable[[str], Visitor]:
    return lambda key: Visitor(region.actor(key))


@pytest.fixture(autouse=True)
def _chinese() -> Iterator[None]:
    with translation.override("zh-hans"):
        yield
