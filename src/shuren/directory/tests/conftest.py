"""The cast of the directory's tests: one city, two counties, three schools, and the people who work and learn there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import resolve
from django.utils import translation

from shuren.directory import api
from shuren.directory.data import EnrollmentRole, NewOrg, NewPerson, OrgData, OrgType, Role, Sex
from shuren.kernel import ids
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


@pytest.fixture
def region(db: None) -> Region:
    region = Region()
    region.add_org("city", None, OrgType.CITY, "云岭市教育局")
    region.add_org("east", "city", OrgType.COUNTY, "东川区教育局")
    region.add_org("west", "city", OrgType.COUNTY, "西原区教育局")
    region.add_org("school", "east", OrgType.SCHOOL, "东川一小")
    region.add_org("other", "east", OrgType.SCHOOL, "东川二小")
    region.add_org("far", "west", OrgType.SCHOOL, "西原小学")
    region.add_org("grade", "school", OrgType.GRADE, "四年级")
    region.add_org("class1", "grade", OrgType.CLASS, "四（1）班")
    region.add_org("class2", "grade", OrgType.CLASS, "四（2）班")
    region.add_org("far_class", "far", OrgType.CLASS, "四（1）班")
    region.add_person("city_officer", "高建国", "city", Role.CITY_OFFICER)
    region.add_person("county_officer", "林县长", "east", Role.COUNTY_OFFICER)
    region.add_person("head", "何校长", "school", Role.HEAD)
    region.add_person("admin", "于管理", "school", Role.SCHOOL_ADMIN)
    region.add_person("staff", "司会计", "school", Role.STAFF)
    region.add_person("class_teacher", "班老师", "school", Role.TEACHER)
    region.enrol("class_teacher", "class1", EnrollmentRole.TEACHER, is_primary=True)
    region.add_person("teacher", "任老师", "school", Role.TEACHER)
    region.enrol("teacher", "class2", EnrollmentRole.TEACHER, is_primary=False)
    region.add_person("pupil", "王小明", "school", Role.PUPIL, sex=Sex.MALE, birth_date=date(2016, 5, 4), phone="13800000001")
    region.enrol("pupil", "class1")
    region.add_person("pupil2", "李小红", "school", Role.PUPIL, sex=Sex.FEMALE, birth_date=date(2016, 8, 9))
    region.enrol("pupil2", "class2")
    region.add_person("far_pupil", "赵远", "far", Role.PUPIL, sex=Sex.MALE, birth_date=date(2016, 1, 2))
    region.enrol("far_pupil", "far_class")
    region.add_person("parent", "王大明", "school", Role.PARENT)
    api.link_guardian(actor=SYSTEM, guardian_id=region.person["parent"], ward_id=region.person["pupil"], relation="父亲", now=NOW)
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
