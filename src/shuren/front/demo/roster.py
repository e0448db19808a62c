"""The invented city as a OneRoster 1.2 package: schools with heads, classes with teachers, pupils with a parent each."""

import csv
import io
import random
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shuren.front.demo.names import ADULT_LETTERS, BOY_LETTERS, CITY, DISTRICTS, GIRL_LETTERS, person_name, school_names

SEED = 20110419
YEAR_ID, TERM_ID = "year-2025", "term-2025-2"
BEGIN = "2025-09-01"
_MOMENT = (2020, 1, 1, 0, 0, 0)
_ABSENT = (
    *("categories", "classResources", "courseResources", "lineItemLearningObjectiveIds", "lineItems", "lineItemScoreScales"),
    *("resources", "resultLearningObjectiveIds", "results", "resultScoreScales", "scoreScales", "userProfiles", "userResources"),
)
HEADERS = {
    "orgs": "sourcedId status dateLastModified name type identifier parentSourcedId metadata.orgType",
    "academicSessions": "sourcedId status dateLastModified title type startDate endDate parentSourcedId schoolYear",
    "courses": "sourcedId status dateLastModified schoolYearSourcedId title courseCode grades orgSourcedId subjects subjectCodes",
    "classes": (
        "sourcedId status dateLastModified title grades courseSourcedId classCode classType location schoolSourcedId "
        "termSourcedIds subjects subjectCodes periods"
    ),
    "users": (
        "sourcedId status dateLastModified enabledUser username userIds givenName familyName middleName identifier email sms "
        "phone agentSourcedIds grades password userMasterIdentifier preferredGivenName preferredMiddleName "
        "preferredFamilyName primaryOrgSourcedId pronouns metadata.fullName metadata.agentRelations metadata.isSynthetic "
        "metadata.sexCode"
    ),
    "roles": (
        "sourcedId status dateLastModified userSourcedId roleType role beginDate endDate orgSourcedId userProfileSourcedId "
        "metadata.role"
    ),
    "enrollments": (
        "sourcedId status dateLastModified classSourcedId schoolSourcedId userSourcedId role primary beginDate endDate"
    ),
}


@dataclass(frozen=True, slots=True)
class DemoPupil:
    """A pupil of the public data: the id it becomes, the class, and the one thing known of the person."""

    id: str
    class_id: str
    is_girl: bool


@dataclass(frozen=True, slots=True)
class DemoSchool:
    """A school of the public data and the invented district it is placed in."""

    id: str
    district: str
    pupils: tuple[DemoPupil, ...]


@dataclass(slots=True)
class _Roster:
    """Rows per file, by column."""

    draw: random.Random
    rows: dict[str, list[dict[str, str]]] = field(default_factory=lambda: {name: [] for name in HEADERS})

    def add(self, file: str, **cells: str) -> None:
        self.rows[file].append(cells)

    def add_person(
        self,
        id: str,
        name: tuple[str, str],
        sex: str,
        org: str,
        role: tuple[str, str],
        *,
        agents: str = "",
        relation: str = "",  # the standard's word
    ) -> None:
        family, given = name
        self.add(
            "users", sourcedId=id, enabledUser="true", username=id, givenName=given, familyName=family,
            agentSourcedIds=agents, primaryOrgSourcedId=org, grades="04" if role[1] == "pupil" else "",
            **{
                "metadata.fullName": family + given, "metadata.isSynthetic": "true", "metadata.sexCode": sex,
                "metadata.agentRelations": relation,
            },
        )  # fmt: skip
        self.add(
            "roles", sourcedId=f"r-{id}", userSourcedId=id, roleType="primary", role=role[0], beginDate=BEGIN, orgSourcedId=org,
            **{"metadata.role": role[1]},
        )  # fmt: skip

    def adult(self) -> tuple[str, str]:
        return person_name(self.draw, ADULT_LETTERS)

    def sex(self) -> str:
        return self.draw.choice("12")

    def enrol(self, class_id: str, school: str, person: str, role: str, *, is_primary: bool) -> None:
        self.add(
            "enrollments", sourcedId=f"e-{class_id}-{person}", classSourcedId=class_id, schoolSourcedId=school,
            userSourcedId=person, role=role, primary="true" if is_primary else "false", beginDate=BEGIN,
        )  # fmt: skip


def write_oneroster(target: Path, schools: Sequence[DemoSchool]) -> None:
    """Write the package; names are drawn from one seed, so the same schools always make the same bytes."""
    roster = _Roster(random.Random(SEED))  # noqa: S311  # names, not secrets
    _add_city(roster)
    for place, district in enumerate(DISTRICTS):
        inside = [school for school in schools if school.district == district]
        for school, name in zip(inside, school_names(district, len(inside)), strict=True):
            _add_school(roster, school, name, f"d{place + 1}")
    _write(target, roster)


def _add_city(roster: _Roster) -> None:
    roster.add("orgs", sourcedId="city", name=f"{CITY}教育局", type="district", **{"metadata.orgType": "city"})
    roster.add(
        "academicSessions", sourcedId=YEAR_ID, title="2025-2026 学年", type="schoolYear", startDate=BEGIN, endDate="2026-08-31",
        schoolYear="2026",
    )  # fmt: skip
    roster.add(
        "academicSessions", sourcedId=TERM_ID, title="2025-2026 学年第二学期", type="term", startDate="2026-02-20",
        endDate="2026-07-10", parentSourcedId=YEAR_ID, schoolYear="2026",
    )  # fmt: skip
    roster.add(
        "courses",
        sourcedId="course-homeroom",
        schoolYearSourcedId=YEAR_ID,
        title="四年级行政班",
        grades="04",
        orgSourcedId="city",
    )
    for number in (1, 2):
        roster.add_person(
            f"officer-city-{number}", roster.adult(), roster.sex(), "city", ("districtAdministrator", "city_officer")
        )
    for place, district in enumerate(DISTRICTS, start=1):
        org = f"d{place}"
        roster.add(
            "orgs", sourcedId=org, name=f"{district}教育局", type="district", parentSourcedId="city",
            **{"metadata.orgType": "county"},
        )  # fmt: skip
        for number in (1, 2):
            roster.add_person(
                f"officer-{org}-{number}", roster.adult(), roster.sex(), org, ("districtAdministrator", "county_officer")
            )


def _add_school(roster: _Roster, school: DemoSchool, name: str, district: str) -> None:
    roster.add("orgs", sourcedId=school.id, name=name, type="school", parentSourcedId=district, **{"metadata.orgType": "school"})
    roster.add_person(f"h-{school.id}", roster.adult(), roster.sex(), school.id, ("principal", "head"))
    for number, class_id in enumerate(sorted({pupil.class_id for pupil in school.pupils}), start=1):
        roster.add(
            "classes", sourcedId=class_id, title=f"四年级（{number}）班", grades="04", courseSourcedId="course-homeroom",
            classCode=f"4{number:02d}", classType="homeroom", schoolSourcedId=school.id, termSourcedIds=TERM_ID,
        )  # fmt: skip
        for kind, is_primary in (("t", True), ("m", False)):
            teacher = f"{kind}-{class_id}"
            roster.add_person(teacher, roster.adult(), roster.sex(), school.id, ("teacher", "teacher"))
            roster.enrol(class_id, school.id, teacher, "teacher", is_primary=is_primary)
    for pupil in school.pupils:
        _add_pupil(roster, pupil, school.id)


def _add_pupil(roster: _Roster, pupil: DemoPupil, school: str) -> None:
    is_mother = roster.draw.random() < 0.5
    name = person_name(roster.draw, GIRL_LETTERS if pupil.is_girl else BOY_LETTERS)
    parent = person_name(roster.draw, ADULT_LETTERS, "" if is_mother else name[0])
    parent_id = f"g-{pupil.id}"
    roster.add_person(parent_id, parent, "2" if is_mother else "1", school, ("parent", "parent"))
    roster.add_person(
        pupil.id, name, "2" if pupil.is_girl else "1", school, ("student", "pupil"), agents=parent_id,
        relation="母亲" if is_mother else "父亲",
    )  # fmt: skip
    roster.enrol(pupil.class_id, school, pupil.id, "student", is_primary=True)


def _write(target: Path, roster: _Roster) -> None:
    manifest = [
        ("propertyName", "value"),
        ("manifest.version", "1.0"),
        ("oneroster.version", "1.2"),
        *((f"file.{name}", "bulk") for name in HEADERS),
        *((f"file.{name}", "absent") for name in (*_ABSENT, "demographics")),
        ("source.systemName", "Shuren demonstration"),
    ]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        _member(archive, "manifest.csv", manifest)
        for name, header in HEADERS.items():
            columns = header.split()
            _member(
                archive, f"{name}.csv", [columns, *([row.get(column, "") for column in columns] for row in roster.rows[name])]
            )


def _member(archive: zipfile.ZipFile, name: str, rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    info = zipfile.ZipInfo(name, _MOMENT)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, text.getvalue().encode())
