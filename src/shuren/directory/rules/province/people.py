"""The people of one county as Arrow columns: who they are, their roles and their enrollments."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shuren.directory.rules.province.counties import County, School
from shuren.directory.rules.province.names import person_names

Ints = npt.NDArray[np.int64]
# 137 has no divisor in common with 365: a run of serials visits every day of the year once before any comes again.
_DAY_STEP = 137
_DAYS = 365
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = np.array(list("10X98765432"))
_HEAD, _TEACHER, _CLASS_TEACHER, _PUPIL, _OFFICER = range(5)
ROLES = pa.array(["head", "teacher", "class_teacher", "pupil", "county_officer"])
ROSTER_ROLES = pa.array(["principal", "teacher", "teacher", "student", "districtAdministrator"])


@dataclass(frozen=True, slots=True)
class People:
    """Columns of equal length, one row per person; then one row per enrollment."""

    serial: pa.Array
    family: pa.Array
    given: pa.Array
    is_male: pa.Array
    birth_date: pa.Array
    national_id: pa.Array
    grade: pa.Array
    role: Ints
    org: pa.Array
    begin: pa.Array
    enrolled: pa.Array
    enrolled_in: pa.Array
    enrolled_as: pa.Array
    enrolled_primary: pa.Array
    enrolled_school: pa.Array


def padded(numbers: Ints, width: int) -> pa.Array:
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")


def joined(prefix: str, *parts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(pa.scalar(prefix), *parts, "")


def school_id(county: County, school: School) -> str:
    return f"S{county.number + 1:04d}{school.number + 1:04d}"


def class_ids(county: County, school: School) -> list[str]:
    """Class ids: school, grade, class number within the grade."""
    ids = []
    last, number = 0, 0
    for grade in school.grades.tolist():
        number = number + 1 if grade == last else 1
        last = grade
        ids.append(f"{school_id(county, school)}-{grade}-{number:02d}")
    return ids


def bureau_id(county: County) -> str:
    return f"B{county.number + 1:04d}"


def draw_people(county: County, *, first_serial: int, seed: int, year: int) -> People:
    """Everybody of a county, numbered from `first_serial`: officers, then school by school teachers and pupils."""
    rng = np.random.default_rng([seed, 2, county.number])
    roles: list[Ints] = [np.full(county.officers, _OFFICER)]
    grades: list[Ints] = [np.zeros(county.officers, dtype=np.int64)]
    places: list[Ints] = [np.zeros(county.officers, dtype=np.int64)]
    ties: list[tuple[Ints, Ints, npt.NDArray[np.bool_], Ints]] = []
    org_names = [bureau_id(county)]
    class_names: list[str] = []
    class_school: list[int] = []
    done = county.officers
    for place, school in enumerate(county.schools, 1):
        org_names.append(school_id(county, school))
        first_class = len(class_names)
        class_names += class_ids(county, school)
        class_school += [place] * len(school.sizes)
        classes = np.arange(first_class, first_class + len(school.sizes))
        roles.append(_staff_roles(school))
        roles.append(np.full(school.pupils, _PUPIL))
        grades.append(np.zeros(school.teachers, dtype=np.int64))
        grades.append(np.repeat(school.grades, school.sizes))
        places.append(np.full(school.teachers + school.pupils, place))
        ties.append(_teaching(school, classes, done))
        pupils = np.arange(done + school.teachers, done + school.teachers + school.pupils)
        ties.append(
            (pupils, np.repeat(classes, school.sizes), np.ones(school.pupils, dtype=bool), np.ones(school.pupils, dtype=np.int64))
        )
        done += school.teachers + school.pupils
    role, grade, at = np.concatenate(roles), np.concatenate(grades), np.concatenate(places)
    serial = np.arange(first_serial, first_serial + done, dtype=np.int64)
    birth_year = np.where(role == _PUPIL, year - 6 - grade, rng.integers(year - 59, year - 23, done))
    is_male = rng.random(done) < np.where(role == _PUPIL, 0.53, np.where(role == _HEAD, 0.6, 0.32))
    family, given = person_names(birth_year, is_male, rng)
    born = _birth_dates(serial, birth_year)
    begin = np.where(
        role == _PUPIL, year - (grade - 1) % 3 * (grade > 6) - (grade - 1) * (grade <= 6), np.maximum(birth_year + 23, 1985)
    )
    return People(
        serial=padded(serial, 9),
        family=family,
        given=given,
        is_male=pa.array(is_male),
        birth_date=pa.array(born).cast(pa.string()),
        national_id=_national_ids(serial, born),
        grade=pc.if_else(pa.array(role == _PUPIL), pa.array(grade).cast(pa.string()), ""),
        role=role,
        org=pa.array(org_names).take(pa.array(at)),
        begin=joined("", pa.array(begin).cast(pa.string()), pa.scalar("-09-01")),
        **_enrollments(ties, class_names, class_school, org_names, first_serial),
    )


def _staff_roles(school: School) -> Ints:
    """A head where there are five teachers, a class teacher per class as far as they go, the rest teachers."""
    roles = np.full(school.teachers, _TEACHER, dtype=np.int64)
    start = 1 if school.teachers >= 5 else 0
    roles[start : start + len(school.sizes)] = _CLASS_TEACHER
    roles[:start] = _HEAD
    return roles


def _teaching(school: School, classes: Ints, first_person: int) -> tuple[Ints, Ints, npt.NDArray[np.bool_], Ints]:
    """Who teaches which class: the class teacher first, then as many others as there are subjects."""
    start = 1 if school.teachers >= 5 else 0
    staff = school.teachers - start
    per_class = min(school.stage.subjects, staff)
    if per_class == 0:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty, np.zeros(0, dtype=bool), empty
    own = np.arange(len(classes))
    teacher = (own[:, None] + np.arange(per_class)[None, :] * max(1, staff // per_class)) % staff
    is_primary = np.zeros(teacher.shape, dtype=bool)
    is_primary[:, 0] = True
    people = first_person + start + teacher.ravel()
    return people, np.repeat(classes, per_class), is_primary.ravel(), np.zeros(teacher.size, dtype=np.int64)


def _enrollments(
    ties: list[tuple[Ints, Ints, npt.NDArray[np.bool_], Ints]],
    class_names: list[str],
    class_school: list[int],
    org_names: list[str],
    first: int,
) -> dict[str, pa.Array]:
    if not ties:
        empty = pa.array([], pa.string())
        return dict.fromkeys(("enrolled", "enrolled_in", "enrolled_as", "enrolled_primary", "enrolled_school"), empty)
    person, place, is_primary, is_student = (np.concatenate(column) for column in zip(*ties, strict=True))
    return {
        "enrolled": padded(person + first, 9),
        "enrolled_in": pa.array(class_names).take(pa.array(place)),
        "enrolled_as": pc.if_else(pa.array(is_student == 1), "student", "teacher"),
        "enrolled_primary": pc.if_else(pa.array(is_primary), "true", "false"),
        "enrolled_school": pa.array(org_names).take(pa.array(np.array(class_school, dtype=np.int64)[place])),
    }


def _birth_dates(serial: Ints, birth_year: Ints) -> npt.NDArray[np.datetime64]:
    """A school year's cohort is born from 1 September on; the day follows from the serial (see `_national_ids`)."""
    starts = (birth_year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + np.timedelta64(8, "M")
    born: npt.NDArray[np.datetime64] = starts.astype("datetime64[D]") + (serial * _DAY_STEP % _DAYS).astype("timedelta64[D]")
    return born


def _national_ids(serial: Ints, born: npt.NDArray[np.datetime64]) -> pa.Array:
    """Ids that cannot belong to anybody: region 99…, sequence 000, and a check letter that is always wrong.

    No id comes twice: serials that share a birthday differ in `serial // 365`, which the last four digits of the region
    and the choice among ten wrong check letters tell apart up to 36 million people.
    """
    lap = serial // _DAYS
    months = born.astype("datetime64[M]").astype(np.int64)
    day = (born - born.astype("datetime64[M]")).astype(np.int64) + 1
    number = (1970 + months // 12) * 10_000 + (months % 12 + 1) * 100 + day
    region = 990_000 + lap % 10_000
    digits = [region // 10**place % 10 for place in range(5, -1, -1)] + [number // 10**place % 10 for place in range(7, -1, -1)]
    right = sum(digit * weight for digit, weight in zip(digits, _WEIGHTS, strict=False)) % 11
    wrong = (right + 1 + lap // 10_000 % 10) % 11
    return joined(
        "", pa.array(region).cast(pa.string()), pa.array(number).cast(pa.string()), pa.scalar("000"), pa.array(_CHECKS[wrong])
    )
