"""The cast of the directory's tests: one city, two counties, three schools, and the people who work and learn there."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from shuren.directory import api
from shuren.directory.data import EnrollmentRole, NewOrg, NewPerson, OrgData, OrgType, Role, Sex
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
    region.add_person(
        "pupil", "王小明", "school", Role.PUPIL, sex=Sex.MALE, birth_date=date(2016, 5, 4), phone="13800000001"
    )
    region.enrol("pupil", "class1")
    region.add_person("pupil2", "李小红", "school", Role.PUPIL, sex=Sex.FEMALE, birth_date=date(2016, 8, 9))
    region.enrol("pupil2", "class2")
    region.add_person("far_pupil", "赵远", "far", Role.PUPIL, sex=Sex.MALE, birth_date=date(2016, 1, 2))
    region.enrol("far_pupil", "far_class")
    region.add_person("parent", "王大明", "school", Role.PARENT)
    api.link_guardian(
        actor=SYSTEM, guardian_id=region.person["parent"], ward_id=region.person["pupil"], relation="父亲", now=NOW
    )
    return region
