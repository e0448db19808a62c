"""One county at a time: its schools, campuses, classes and how many people each has.

A county is drawn from its own random stream (seed, county), so that the province streams and any county can be drawn
again alone.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from shuren.directory.rules.province import calibration as cal
from shuren.directory.rules.province.calibration import Stage

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class School:
    """One school with its classes in order of grade; `campus_from` is the first class taught on the second campus."""

    stage: Stage
    number: int
    is_rural: bool
    group: int | None
    campus_from: int | None
    grades: Ints
    sizes: Ints
    teachers: int

    @property
    def pupils(self) -> int:
        return int(self.sizes.sum())


@dataclass(frozen=True, slots=True)
class County:
    """A county with its schools; people = pupils + teachers + officers."""

    number: int
    city: int
    officers: int
    schools: tuple[School, ...] = field(default_factory=tuple)

    @property
    def pupils(self) -> int:
        return sum(school.pupils for school in self.schools)

    @property
    def people(self) -> int:
        return self.officers + self.pupils + sum(school.teachers for school in self.schools)


def county_quotas(people: int, rng: np.random.Generator) -> Ints:
    """People per county: about 60,000 each, uneven, summing to the whole."""
    count = max(1, round(people / cal.PEOPLE_PER_COUNTY))
    shares = rng.uniform(0.6, 1.4, count)
    bounds = np.rint(np.cumsum(shares) / shares.sum() * people).astype(np.int64)
    quotas: Ints = np.diff(bounds, prepend=0)
    return quotas


def draw_county(number: int, people: int, seed: int) -> County:
    """A county of exactly `people` people."""
    rng = np.random.default_rng([seed, 1, number])
    officers = min(cal.OFFICERS_PER_BUREAU, max(0, people - 1))
    left = people - officers
    per_pupil = 1 + sum(stage.share / stage.pupils_per_teacher for stage in cal.STAGES)
    schools: list[School] = []
    for stage in cal.STAGES:
        quota = round(left / per_pupil * stage.share * (1 + 1 / stage.pupils_per_teacher))
        for school in _draw_stage(stage, quota, rng, len(schools)):
            schools.append(school)
    return County(number, number // cal.COUNTIES_PER_CITY, officers, _fitted(schools, left))


def _draw_stage(stage: Stage, quota: int, rng: np.random.Generator, first: int) -> list[School]:
    """Schools of one stage until their people reach the quota (the last one may stop short of it)."""
    schools: list[School] = []
    filled = 0
    while True:
        is_rural = bool(rng.random() < stage.rural_share)
        mean = stage.classes_per_grade * (_rural_part(stage) if is_rural else _urban_part(stage))
        parallel = max(1, int(rng.poisson(max(0.0, mean - 1)) + 1))
        grades = np.repeat(np.arange(stage.first_grade, stage.first_grade + stage.grades), parallel)
        sizes = _class_sizes(stage, len(grades), rng, is_rural=is_rural)
        school = _school(stage, first + len(schools), is_rural, grades, sizes, rng)
        people = school.pupils + school.teachers
        if filled + people / 2 > quota:
            return schools
        schools.append(school)
        filled += people


def _rural_part(stage: Stage) -> float:
    """Rural schools have half the parallel classes of urban ones, the mean of both staying as counted."""
    return 1 / (stage.rural_share + 2 * (1 - stage.rural_share))


def _urban_part(stage: Stage) -> float:
    return 2 * _rural_part(stage)


def _class_sizes(stage: Stage, count: int, rng: np.random.Generator, *, is_rural: bool) -> Ints:
    """Class sizes around the stage's mean, with the counted shares of large and very large classes."""
    rural = cal.RURAL_FACTOR if stage.rural_share < 1 else 1.0
    # Rural schools hold about half as many classes, so they weigh half as much in the mean.
    weight = stage.rural_share / (stage.rural_share + 2 * (1 - stage.rural_share))
    mean = stage.class_size * (rural if is_rural else 1.0) / (weight * rural + (1 - weight))
    sizes = np.rint(rng.normal(mean, stage.class_spread, count)).clip(3, cal.LARGEST_USUAL).astype(np.int64)
    if stage.rural_share < 1:
        draw = rng.random(count)
        sizes = np.where(draw < cal.LARGE_SHARE, rng.integers(56, 66, count), sizes)
        sizes = np.where(draw > 1 - cal.HUGE_SHARE, rng.integers(66, 71, count), sizes)
    return sizes


def _school(stage: Stage, number: int, is_rural: bool, grades: Ints, sizes: Ints, rng: np.random.Generator) -> School:
    in_group = not is_rural and bool(rng.random() < cal.GROUP_SHARE)
    has_campus = not is_rural and len(sizes) >= 12 and bool(rng.random() < cal.CAMPUS_SHARE)
    return School(
        stage=stage,
        number=number,
        is_rural=is_rural,
        group=int(rng.integers(1, 3)) if in_group else None,
        campus_from=int(len(sizes) * 2 // 3) if has_campus else None,
        grades=grades,
        sizes=sizes,
        teachers=max(1, round(int(sizes.sum()) / stage.pupils_per_teacher)),
    )


def _fitted(schools: list[School], people: int) -> tuple[School, ...]:
    """Take schools away, then pupils out of or into classes, until the people are exactly as many as asked for."""
    while schools and sum(school.pupils + school.teachers for school in schools) > people + 400:
        schools.pop()
    missing = people - sum(school.pupils + school.teachers for school in schools)
    if not schools:
        if people <= 0:
            return ()
        teachers = min(people - 1, max(1, people // 16)) if people > 1 else 0
        pupils = people - teachers
        count = max(1, -(-pupils // 40))
        sizes = np.full(count, pupils // count, dtype=np.int64)
        sizes[: pupils % count] += 1
        grades = np.arange(count) % 6 + 1
        return (School(cal.PRIMARY, 0, False, None, None, np.sort(grades), sizes, teachers),)
    step = 1 if missing > 0 else -1
    fitted = list(schools)
    at = 0
    idle = 0
    while missing and idle < 4 * len(fitted):
        place = at % len(fitted)
        school = fitted[place]
        room = school.sizes < cal.LARGEST_USUAL if step > 0 else (school.sizes > 5) & (school.sizes <= cal.LARGEST_USUAL)
        chosen = np.flatnonzero(room)[: abs(missing)]
        idle = idle + 1 if len(chosen) == 0 else 0
        sizes = school.sizes.copy()
        sizes[chosen] += step
        missing -= step * len(chosen)
        fitted[place] = School(
            school.stage, school.number, school.is_rural, school.group, school.campus_from, school.grades, sizes, school.teachers
        )
        at += 1
    if missing:
        last = fitted[-1]
        fitted[-1] = School(
            last.stage,
            last.number,
            last.is_rural,
            last.group,
            last.campus_from,
            last.grades,
            last.sizes,
            max(0, last.teachers + missing),
        )
    return tuple(fitted)
