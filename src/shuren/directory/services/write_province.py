"""Write a synthetic province as a roster, county by county."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from django.utils.translation import gettext as _

from shuren.directory.data import RosterForm
from shuren.directory.rules.province.calibration import COUNTIES_PER_CITY, MAX_PEOPLE, TEACHING_POINT
from shuren.directory.rules.province.counties import County, School, county_quotas, draw_county
from shuren.directory.rules.province.names import places, school_word
from shuren.directory.rules.province.people import (
    ROLES,
    ROSTER_ROLES,
    People,
    bureau_id,
    class_ids,
    draw_people,
    joined,
    padded,
    school_id,
)
from shuren.directory.rules.roster import oneroster
from shuren.directory.rules.roster.oneroster import FILES, FILES_OF_MANIFEST, FileSpec
from shuren.directory.rules.roster.workbook import MAX_ROWS
from shuren.directory.services.export_roster.convert import package_to_workbook
from shuren.directory.services.export_roster.package import write_zip
from shuren.kernel.errors import Invalid

Progress = Callable[[int, int], None]
YEAR = 2026
_COURSE = "HOMEROOM"
_DIGITS = "一二三四五六七八九"
_USER_EXTRAS = ("metadata.pupilNumber", "metadata.staffNumber", "metadata.nationalId", "metadata.isSynthetic")
_ORG_EXTRAS = ("metadata.orgType", "metadata.divisionCode", "metadata.isRural")
_WRITE = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")


def write_province(
    path: Path, *, people: int, seed: int = 1, form: RosterForm = RosterForm.ONEROSTER, on_progress: Progress
) -> dict[str, int]:
    """Write exactly `people` invented people with their orgs, roles and enrollments; returns the counts of rows.

    The same people and seed give the same bytes. Memory does not grow with the province: a county of about 60,000
    people is drawn at a time. Up to ten million people; as a workbook up to what fits on its sheets. The figures it is
    calibrated to stand in `rules.province.calibration`. National ids fail their check on purpose; everybody is marked
    synthetic.
    """
    if not 1 <= people <= MAX_PEOPLE:
        raise Invalid(_("人数应在 1 到 1000 万之间。"))
    if form is RosterForm.EXCEL and people > MAX_ROWS:
        raise Invalid(_("Excel 工作簿最多 20 万人。"), remedy=_("更大的名册请写成 OneRoster 压缩包。"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="shuren-province-", dir=path.parent) as scratch:
        folder = Path(scratch)
        with _Province(folder, seed) as province:
            province.write(people, on_progress)
        if form is RosterForm.ONEROSTER:
            write_zip(path, folder, sorted(file.name for file in folder.glob("*.csv")))
        else:
            package = folder / "province.zip"
            write_zip(package, folder, sorted(file.name for file in folder.glob("*.csv")))
            package_to_workbook(package, path, scratch=folder / "stage")
        on_progress(people, people)
        return province.counts


class _Province:
    """The open CSV files of a province being written."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self.counts = dict.fromkeys(FILES, 0)
        self._stack = ExitStack()
        self._files: dict[str, IO[bytes]] = {}
        extras = {
            "orgs": _ORG_EXTRAS,
            "classes": ("metadata.parentSourcedId",),
            "courses": ("metadata.isPlaceholder",),
            "users": _USER_EXTRAS,
        }
        extras["roles"] = ("metadata.role",)
        self._headers = {name: (*spec.header, *extras.get(name, ())) for name, spec in FILES.items()}

    def __enter__(self) -> "_Province":
        for name, header in self._headers.items():
            self._files[name] = self._stack.enter_context((self.folder / f"{name}.csv").open("wb"))
            self._files[name].write((",".join(header) + "\n").encode())
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def write(self, people: int, on_progress: Progress) -> None:
        rng = np.random.default_rng([self.seed, 0])
        quotas = county_quotas(people, rng)
        cities = -(-len(quotas) // COUNTIES_PER_CITY)
        names = places(min(380, 1 + cities + len(quotas)), rng)
        self._write_head(names, cities)
        serial = 1
        roles = enrollments = 0
        for number, quota in enumerate(quotas.tolist()):
            county = draw_county(number, quota, self.seed)
            place = names[(1 + cities + number) % len(names)]
            self._rows("orgs", _county_orgs(county, place))
            self._rows("classes", _county_classes(county))
            drawn = draw_people(county, first_serial=serial, seed=self.seed, year=YEAR)
            self._write_people(drawn, roles, enrollments)
            serial += len(drawn.serial)
            roles += len(drawn.serial)
            enrollments += len(drawn.enrolled)
            on_progress(serial - 1, people)
        manifest = [("manifest.version", "1.0"), ("oneroster.version", "1.2")]
        manifest += [(f"file.{name}", "bulk" if name in FILES else "absent") for name in FILES_OF_MANIFEST]
        manifest += [("source.systemName", "Shuren synthetic province"), ("source.systemCode", f"province-{people}-{self.seed}")]
        lines = ["propertyName,value", *(f"{name},{value}" for name, value in manifest)]
        (self.folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _write_head(self, names: list[str], cities: int) -> None:
        orgs: list[dict[str, str]] = [
            {"sourcedId": "P", "name": f"{names[0]}省", "type": "state", "metadata.orgType": "province"}
        ]
        orgs += [
            {
                "sourcedId": f"C{city + 1:03d}",
                "name": f"{names[1 + city]}市",
                "type": "district",
                "parentSourcedId": "P",
                "metadata.orgType": "city",
            }
            for city in range(cities)
        ]
        self._rows("orgs", orgs)
        year = {"type": "schoolYear", "startDate": f"{YEAR}-09-01", "endDate": f"{YEAR + 1}-08-31", "schoolYear": str(YEAR + 1)}
        sessions = [{"sourcedId": f"Y{YEAR}", "title": f"{YEAR}—{YEAR + 1} 学年", **year}]
        for term, (start, end) in enumerate(
            ((f"{YEAR}-09-01", f"{YEAR + 1}-01-31"), (f"{YEAR + 1}-02-01", f"{YEAR + 1}-08-31")), 1
        ):
            title = f"{YEAR}—{YEAR + 1} 学年第{_DIGITS[term - 1]}学期"
            sessions.append(
                {
                    **year,
                    "sourcedId": f"Y{YEAR}-{term}",
                    "title": title,
                    "type": "term",
                    "startDate": start,
                    "endDate": end,
                    "parentSourcedId": f"Y{YEAR}",
                }
            )
        self._rows("academicSessions", sessions)
        self._rows("courses", [{"sourcedId": _COURSE, "title": "行政班", "orgSourcedId": "P", "metadata.isPlaceholder": "true"}])

    def _rows(self, name: str, rows: list[dict[str, str]]) -> None:
        header = self._headers[name]
        text = "".join(",".join(row.get(heading, "") for heading in header) + "\n" for row in rows)
        self._files[name].write(text.encode())
        self.counts[name] += len(rows)

    def _columns(self, spec: FileSpec, rows: int, columns: dict[str, pa.Array]) -> None:
        empty = pa.array([""], pa.string()).take(pa.array(np.zeros(rows, dtype=np.int64)))
        table = pa.table(
            [columns.get(heading, empty) for heading in self._headers[spec.name]], names=list(self._headers[spec.name])
        )
        pyarrow.csv.write_csv(table, self._files[spec.name], _WRITE)
        self.counts[spec.name] += rows

    def _write_people(self, people: People, roles: int, enrollments: int) -> None:
        count = len(people.serial)
        user = joined("U", people.serial)
        is_pupil = pa.array(people.role == 3)
        true = pa.array(["true"]).take(pa.array(np.zeros(count, dtype=np.int64)))
        self._columns(
            oneroster.USERS,
            count,
            {
                "sourcedId": user,
                "enabledUser": true,
                "username": joined("u", people.serial),
                "givenName": people.given,
                "familyName": people.family,
                "phone": pc.if_else(is_pupil, "", joined("100", pc.utf8_slice_codeunits(people.serial, 1, 9))),
                "grades": people.grade,
                "primaryOrgSourcedId": people.org,
                "metadata.pupilNumber": pc.if_else(is_pupil, joined("G", people.national_id), ""),
                "metadata.staffNumber": pc.if_else(is_pupil, "", people.serial),
                "metadata.nationalId": people.national_id,
                "metadata.isSynthetic": true,
            },
        )
        sex = pc.if_else(people.is_male, "male", "female")
        self._columns(oneroster.DEMOGRAPHICS, count, {"sourcedId": user, "birthDate": people.birth_date, "sex": sex})
        role = pa.array(people.role)
        self._columns(
            oneroster.ROLES,
            count,
            {
                "sourcedId": joined("R", padded(np.arange(roles + 1, roles + count + 1), 9)),
                "userSourcedId": user,
                "roleType": pa.array(["primary"]).take(pa.array(np.zeros(count, dtype=np.int64))),
                "role": ROSTER_ROLES.take(role),
                "beginDate": people.begin,
                "orgSourcedId": people.org,
                "metadata.role": ROLES.take(role),
            },
        )
        ties = len(people.enrolled)
        self._columns(
            oneroster.ENROLLMENTS,
            ties,
            {
                "sourcedId": joined("E", padded(np.arange(enrollments + 1, enrollments + ties + 1), 9)),
                "classSourcedId": people.enrolled_in,
                "schoolSourcedId": people.enrolled_school,
                "userSourcedId": joined("U", people.enrolled),
                "role": people.enrolled_as,
                "primary": people.enrolled_primary,
            },
        )


def _county_orgs(county: County, place: str) -> list[dict[str, str]]:
    """The county, its bureau and groups, then its schools with their campuses; parents first."""
    own = f"D{county.number + 1:04d}"
    city = f"C{county.city + 1:03d}"
    code = f"99{county.city % 100:02d}{county.number % COUNTIES_PER_CITY + 1:02d}"
    kind = "区" if county.number % 3 == 0 else "县"
    rows = [
        {
            "sourcedId": own,
            "name": place + kind,
            "type": "district",
            "parentSourcedId": city,
            "metadata.orgType": "county",
            "metadata.divisionCode": code,
        },
        {
            "sourcedId": bureau_id(county),
            "name": f"{place}{kind}教育局",
            "type": "local",
            "parentSourcedId": own,
            "metadata.orgType": "agency",
        },
    ]
    groups = sorted({school.group for school in county.schools if school.group is not None})
    rows += [
        {
            "sourcedId": f"G{county.number + 1:04d}{group}",
            "name": f"{place}{school_word(group)}教育集团",
            "type": "local",
            "parentSourcedId": own,
            "metadata.orgType": "group",
        }
        for group in groups
    ]
    seen: dict[str, int] = {}
    for school in county.schools:
        seen[school.stage.name] = number = seen.get(school.stage.name, 0) + 1
        rows += _school_orgs(county, school, own, place, number)
    return rows


def _school_orgs(county: County, school: School, own: str, place: str, number: int) -> Iterator[dict[str, str]]:
    is_point = school.stage is TEACHING_POINT
    parent = f"G{county.number + 1:04d}{school.group}" if school.group is not None and not is_point else own
    ordinal = f"第{_chinese(number)}" if number <= 20 else school_word(number) + ("" if number <= 36 else _chinese(number))
    name = f"{place}{school_word(number)}{_chinese(number)}教学点" if is_point else f"{place}{ordinal}{school.stage.suffix}"
    prefix = {"primary": "21", "point": "21", "junior": "31", "senior": "34"}[school.stage.name]
    yield {
        "sourcedId": school_id(county, school),
        "name": name,
        "type": "school",
        "identifier": f"{prefix}99{county.number + 1:03d}{school.number + 1:03d}"[:10],
        "parentSourcedId": parent,
        "metadata.orgType": "teaching_point" if is_point else "school",
        "metadata.isRural": "true" if school.is_rural else "false",
    }
    if school.campus_from is not None:
        yield {
            "sourcedId": f"{school_id(county, school)}-E",
            "name": f"{name}东校区",
            "type": "school",
            "parentSourcedId": school_id(county, school),
            "metadata.orgType": "campus",
            "metadata.isRural": "false",
        }


def _county_classes(county: County) -> list[dict[str, str]]:
    rows = []
    for school in county.schools:
        grades = school.grades.tolist()
        for place, (sid, grade) in enumerate(zip(class_ids(county, school), grades, strict=True)):
            number = int(sid.rsplit("-", 1)[1])
            row = {
                "sourcedId": sid,
                "title": f"{_grade_name(grade)}({number})班",
                "grades": str(grade),
                "courseSourcedId": _COURSE,
                "classCode": str(number),
                "classType": "homeroom",
                "schoolSourcedId": school_id(county, school),
                "termSourcedIds": f"Y{YEAR}-1",
            }
            if school.campus_from is not None and place >= school.campus_from:
                row["metadata.parentSourcedId"] = f"{school_id(county, school)}-E"
            rows.append(row)
    return rows


def _grade_name(grade: int) -> str:
    if grade <= 6:
        return f"{_DIGITS[grade - 1]}年级"
    return f"{'初' if grade <= 9 else '高'}{_DIGITS[(grade - 7) % 3]}"


def _chinese(number: int) -> str:
    """1 to 99 in Chinese."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else f"{_DIGITS[tens - 1]}十")
    return (head + (_DIGITS[ones - 1] if ones else "")) if number < 100 else str(number)
