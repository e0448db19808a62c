"""A synthetic province is the same every time, as large as asked, like the real thing in size, and nobody real."""

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.directory.data import RosterForm
from shuren.directory.rules.province import calibration as cal
from shuren.directory.rules.province.counties import county_quotas, draw_county
from shuren.directory.rules.province.people import draw_people
from shuren.directory.services.write_province import write_province
from shuren.directory.tests.roster.conftest import quiet
from shuren.kernel.errors import Invalid

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def rows_of(path: Path, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.csv") as member:
        return list(csv.DictReader(io.TextIOWrapper(member, encoding="utf-8", newline="")))


@given(people=st.integers(1, 3_000), seed=st.integers(0, 2**31), number=st.integers(0, 200))
def test_county_has_exactly_the_people_asked_for(people: int, seed: int, number: int) -> None:
    county = draw_county(number, people, seed)
    assert county.people == people
    assert all(school.teachers >= 0 and (school.sizes > 0).all() for school in county.schools)
    drawn = draw_people(county, first_serial=1, seed=seed, year=2026)
    assert len(drawn.serial) == people
    assert len(drawn.enrolled) >= county.pupils


@given(people=st.integers(1, 10_000_000), seed=st.integers(0, 2**31))
def test_quotas_sum_to_the_whole(people: int, seed: int) -> None:
    quotas = county_quotas(people, np.random.default_rng(seed))
    assert quotas.sum() == people
    assert len(quotas) <= 170


@pytest.mark.parametrize("form", list(RosterForm))
def test_same_people_and_seed_give_the_same_bytes(tmp_path: Path, form: RosterForm) -> None:
    files = [tmp_path / name for name in ("a", "b", "c")]
    for path, seed in zip(files, (3, 3, 4), strict=True):
        write_province(path, people=500, seed=seed, form=form, on_progress=quiet)
    assert files[0].read_bytes() == files[1].read_bytes() != files[2].read_bytes()
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_nobody_is_real(province_file: Callable[..., Path]) -> None:
    users = rows_of(province_file(3_000), "users")
    ids = [user["metadata.nationalId"] for user in users]
    assert len(set(ids)) == len(ids) == 3_000
    for text in ids:
        assert re.fullmatch(r"99\d{4}(19|20)\d{6}000[0-9X]", text)
        assert "10X98765432"[sum(int(digit) * weight for digit, weight in zip(text, WEIGHTS, strict=False)) % 11] != text[17]
    assert all(user["metadata.isSynthetic"] == "true" for user in users)
    phones = [user["phone"] for user in users if user["phone"]]
    assert all(phone.startswith("100") and len(phone) == 11 for phone in phones)


def test_sizes_come_near_the_counts() -> None:
    schools = [school for number in range(12) for school in draw_county(number, 60_000, 5).schools]
    for stage, pupils_per_class in ((cal.PRIMARY, 38.5), (cal.JUNIOR, 48.1), (cal.SENIOR, 50.0)):
        sizes = np.concatenate([school.sizes for school in schools if school.stage is stage])
        assert abs(sizes.mean() - pupils_per_class) < 1.5
        pupils = sum(school.pupils for school in schools if school.stage is stage)
        teachers = sum(school.teachers for school in schools if school.stage is stage)
        assert abs(pupils / teachers - stage.pupils_per_teacher) < 0.5
    sizes = np.concatenate([school.sizes for school in schools if school.stage.first_grade < 10])
    assert abs(((sizes > 55) & (sizes < 66)).mean() - cal.LARGE_SHARE) < 0.005
    assert (sizes > 65).mean() < 0.002
    # Of 35.9 pupils a class counted over schools and teaching points together.
    young = np.concatenate([school.sizes for school in schools if school.stage in (cal.PRIMARY, cal.TEACHING_POINT)])
    assert abs(young.mean() - 35.9) < 2.5


def test_enrollments_are_about_one_and_a_fifth_a_person(tmp_path: Path) -> None:
    counts = write_province(tmp_path / "p.zip", people=20_000, seed=2, on_progress=quiet)
    assert counts["users"] == counts["roles"] == counts["demographics"] == 20_000
    assert 1.05 < counts["enrollments"] / counts["users"] < 1.3


def test_every_level_is_there_and_every_pupil_has_a_class(province_file: Callable[..., Path]) -> None:
    path = province_file(3_000)
    kinds = Counter(row["metadata.orgType"] for row in rows_of(path, "orgs"))
    assert {"province", "city", "county", "agency", "school"} <= set(kinds)
    pupils = {row["userSourcedId"] for row in rows_of(path, "roles") if row["role"] == "student"}
    placed = Counter(row["userSourcedId"] for row in rows_of(path, "enrollments") if row["role"] == "student")
    assert set(placed) == pupils
    assert set(placed.values()) == {1}
    names = [row["name"] for row in rows_of(path, "orgs")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("people", "form"), [(0, RosterForm.ONEROSTER), (10_000_001, RosterForm.ONEROSTER), (200_001, RosterForm.EXCEL)]
)
def test_sizes_beyond_the_limits_are_refused(tmp_path: Path, people: int, form: RosterForm) -> None:
    with pytest.raises(Invalid):
        write_province(tmp_path / "p", people=people, seed=1, form=form, on_progress=quiet)
