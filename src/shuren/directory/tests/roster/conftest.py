"""A small sound roster that tests spoil, and the short way from a file to the directory."""

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from shuren.directory.data import RosterForm
from shuren.directory.models import (
    AcademicSession,
    Affiliation,
    AppliedRoster,
    ClassDetail,
    Course,
    Enrollment,
    GuardianLink,
    Org,
    OrgHistory,
    Person,
)
from shuren.directory.rules.roster.oneroster import FILES, FILES_OF_MANIFEST
from shuren.directory.services.apply_roster.service import apply_roster
from shuren.directory.services.check_roster.service import check_roster
from shuren.directory.services.write_province import write_province
from shuren.intake import api as intake
from shuren.intake.data import Finding, ImportState
from shuren.kernel.data import SYSTEM, Actor

NOW = datetime(2026, 10, 12, 1, 0, tzinfo=UTC)
EXTRAS = {
    "orgs": ("metadata.orgType", "metadata.creditCode", "metadata.divisionCode"),
    "classes": ("metadata.parentSourcedId",),
    "users": ("metadata.pupilNumber", "metadata.nationalId", "metadata.agentRelations"),
    "roles": ("metadata.role",),
}


def quiet(done: int, total: int) -> None:
    """A progress that nobody watches."""


@dataclass
class Roster:
    """Rows of a OneRoster package by file; each row a dict by heading, missing headings empty."""

    rows: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    extra_members: dict[str, bytes] = field(default_factory=dict)

    def header(self, name: str) -> tuple[str, ...]:
        return (*FILES[name].header, *EXTRAS.get(name, ()))

    def row(self, name: str, sid: str) -> dict[str, str]:
        return next(row for row in self.rows[name] if row["sourcedId"] == sid)

    def line_of(self, name: str, sid: str) -> int:
        return 2 + next(at for at, row in enumerate(self.rows[name]) if row["sourcedId"] == sid)

    def drop(self, name: str, sid: str) -> None:
        self.rows[name].remove(self.row(name, sid))

    def content(self, name: str) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(self.header(name))
        writer.writerows([row.get(heading, "") for heading in self.header(name)] for row in self.rows[name])
        return text.getvalue().encode()

    def manifest(self) -> bytes:
        lines = ["propertyName,value", "manifest.version,1.0", "oneroster.version,1.2"]
        lines += [f"file.{name},{self.states.get(name, 'bulk') if name in self.rows else 'absent'}" for name in FILES_OF_MANIFEST]
        return "\r\n".join(lines).encode()

    def write(self, path: Path) -> Path:
        members = {
            "manifest.csv": self.manifest(),
            **{f"{name}.csv": self.content(name) for name in self.rows},
            **self.extra_members,
        }
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path


def _user(sid: str, family: str, given: str, **more: str) -> dict[str, str]:
    return {"sourcedId": sid, "enabledUser": "true", "username": sid.lower(), "familyName": family, "givenName": given, **more}


def _role(sid: str, user: str, role: str, org: str, **more: str) -> dict[str, str]:
    return {"sourcedId": sid, "userSourcedId": user, "roleType": "primary", "role": role, "orgSourcedId": org, **more}


def _enrollment(sid: str, class_: str, school: str, user: str, role: str, primary: str = "true") -> dict[str, str]:
    row = {"sourcedId": sid, "classSourcedId": class_, "schoolSourcedId": school, "userSourcedId": user, "role": role}
    return {**row, "primary": primary}


def small_roster() -> Roster:
    """A city with a county, two schools, three classes, a head, two teachers, four pupils and a mother of two."""
    orgs = [
        {"sourcedId": "C", "name": "青岫市", "type": "district", "metadata.orgType": "city"},
        {"sourcedId": "D", "name": "云洲县", "type": "district", "parentSourcedId": "C", "metadata.orgType": "county"},
        {"sourcedId": "S1", "name": "启明小学", "type": "school", "identifier": "2199000001", "parentSourcedId": "D"},
        {"sourcedId": "S2", "name": "育英小学", "type": "school", "identifier": "2199000002", "parentSourcedId": "D"},
    ]
    sessions = [
        {
            "sourcedId": "Y",
            "title": "2026—2027 学年",
            "type": "schoolYear",
            "startDate": "2026-09-01",
            "endDate": "2027-08-31",
            "schoolYear": "2027",
        },
        {
            "sourcedId": "Y1",
            "title": "第一学期",
            "type": "term",
            "startDate": "2026-09-01",
            "endDate": "2027-01-31",
            "parentSourcedId": "Y",
            "schoolYear": "2027",
        },
    ]
    courses = [{"sourcedId": "HR", "title": "行政班", "orgSourcedId": "C", "schoolYearSourcedId": "Y"}]
    classes = [
        {
            "sourcedId": sid,
            "title": title,
            "grades": "3",
            "courseSourcedId": "HR",
            "classType": "homeroom",
            "schoolSourcedId": school,
            "termSourcedIds": "Y1",
        }
        for sid, title, school in (("K1", "三年级(1)班", "S1"), ("K2", "三年级(2)班", "S1"), ("K3", "三年级(1)班", "S2"))
    ]
    users = [
        _user("H", "李", "明"),
        _user("T1", "王", "芳"),
        _user("T2", "欧阳", "静"),
        *(_user(f"P{n}", "张", given, grades="3", agentSourcedIds="M" if n < 3 else "") for n, given in enumerate("安宁康乐", 1)),
        _user("M", "陈", "丽"),
    ]
    users[3]["metadata.agentRelations"] = users[4]["metadata.agentRelations"] = "母亲"
    roles = [
        _role("RH", "H", "principal", "S1"),
        _role("RT1", "T1", "teacher", "S1", **{"metadata.role": "class_teacher"}),
        _role("RT2", "T2", "teacher", "S2", beginDate="2020-09-01"),
        *(_role(f"RP{n}", f"P{n}", "student", "S1" if n < 4 else "S2") for n in range(1, 5)),
        _role("RM", "M", "parent", "S1"),
    ]
    enrollments = [
        _enrollment("E1", "K1", "S1", "T1", "teacher"),
        _enrollment("E2", "K2", "S1", "T1", "teacher", "false"),
        _enrollment("E3", "K3", "S2", "T2", "teacher"),
        *(
            _enrollment(f"EP{n}", "K1" if n < 3 else f"K{n - 1}", "S1" if n < 4 else "S2", f"P{n}", "student")
            for n in range(1, 5)
        ),
    ]
    demographics = [
        {"sourcedId": f"P{n}", "birthDate": f"2017-0{n}-10", "sex": "male" if n % 2 else "female"} for n in range(1, 5)
    ]
    return Roster(
        {
            "orgs": orgs,
            "academicSessions": sessions,
            "courses": courses,
            "classes": classes,
            "users": users,
            "roles": roles,
            "enrollments": enrollments,
            "demographics": demographics,
        }
    )


@pytest.fixture
def roster() -> Roster:
    return small_roster()


def check(path: Path, *, actor: Actor = SYSTEM, now: datetime = NOW, **options: object) -> ImportState:
    """Bring a file in and check it in this process."""
    import_id = intake.start_import(actor=actor, kind="roster", file_name=path.name, content=path, options=options, now=now)
    intake.record_checking(import_id)
    check_roster(import_id=import_id, now=now, on_progress=quiet)
    return intake.import_state(import_id)


def apply(state: ImportState, *, now: datetime = NOW) -> ImportState:
    intake.request_apply(actor=SYSTEM, import_id=state.id, now=now)
    apply_roster(import_id=state.id, now=now, on_progress=quiet)
    return intake.import_state(state.id)


def take_in(path: Path, *, now: datetime = NOW, **options: object) -> ImportState:
    """Check and apply; the file must be sound."""
    state = check(path, now=now, **options)
    assert state.status == "ready", found(state)
    return apply(state, now=now)


def found(state: ImportState) -> list[Finding]:
    return list(intake.kept_findings(state.id))


def changes(state: ImportState) -> dict[str, tuple[int, int, int]]:
    """Added, changed and ended rows of the kinds where there were any."""
    told = {
        kind: (part["added"], part["changed"], part["ended"]) for kind, part in state.difference.items() if isinstance(part, dict)
    }
    return {kind: counts for kind, counts in told.items() if any(counts)}


@pytest.fixture(scope="session")
def province_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, RosterForm], Path]:
    """Provinces, each written once for the whole run."""
    folder = tmp_path_factory.mktemp("province")
    made: dict[tuple[int, RosterForm], Path] = {}

    def province(people: int, form: RosterForm = RosterForm.ONEROSTER) -> Path:
        if (people, form) not in made:
            path = folder / f"{people}.{'zip' if form is RosterForm.ONEROSTER else 'xlsx'}"
            write_province(path, people=people, seed=7, form=form, on_progress=quiet)
            made[people, form] = path
        return made[people, form]

    return province


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path / "data")


@pytest.fixture
def django_db_reset() -> Callable[[], None]:
    """Empty the directory between two files of one test."""

    def reset() -> None:
        for model in (GuardianLink, Enrollment, Affiliation, Person, ClassDetail, Course, OrgHistory, AppliedRoster):
            model._default_manager.all().delete()
        while leaves := list(Org.objects.filter(children__isnull=True).values_list("pk", flat=True)):
            Org.objects.filter(pk__in=leaves).delete()
        while terms := list(AcademicSession.objects.filter(terms__isnull=True).values_list("pk", flat=True)):
            AcademicSession.objects.filter(pk__in=terms).delete()

    return reset
