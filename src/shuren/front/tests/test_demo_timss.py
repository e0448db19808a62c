"""The real test becomes a roster and a results file that the importers take without a finding."""

import csv
import io
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from shuren.assessment import api as assessment
from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, OrgType, Role
from shuren.front.demo import simulated, timss
from shuren.front.demo.accounts import make_accounts
from shuren.front.demo.build import data_folder
from shuren.intake import api as intake
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.work.api import run_pending


def taken_in(kind: str, path: Path) -> None:
    import_id = intake.start_import(actor=SYSTEM, kind=kind, file_name=path.name, content=path, options={}, now=clock.now())
    run_pending()
    assert list(intake.kept_findings(import_id)) == []
    intake.request_apply(actor=SYSTEM, import_id=import_id, now=clock.now())
    run_pending()
    assert intake.import_state(import_id).status == "applied"


def rows_in(path: Path, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(path) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode())))


def test_the_same_data_make_the_same_bytes(tmp_path: Path) -> None:
    for write in (timss.write_roster, timss.write_results, simulated.write_first_results, simulated.write_results):
        first, second = (
            write(data_folder(), tmp_path / "a.zip").read_bytes(),
            write(data_folder(), tmp_path / "b.zip").read_bytes(),
        )
        assert first == second


def test_everybody_in_the_roster_is_marked_as_invented(tmp_path: Path) -> None:
    users = rows_in(timss.write_roster(data_folder(), tmp_path / "roster.zip"), "users")
    assert {row["metadata.isSynthetic"] for row in users} == {"true"}
    assert not any(row["phone"] or row["email"] or row["identifier"] for row in users)


def test_a_zone_lies_in_one_district(tmp_path: Path) -> None:
    rows = timss.rows_of(data_folder())
    zone_of = {f"s{int(row['IDSCHOOL']):04d}": row["JKCZONE"] for row in rows}
    pairs = {(zone_of[school.id], school.district) for school in timss.schools_of(rows)}
    assert len(pairs) == len({zone for zone, _district in pairs}) == 75
    assert min(Counter(school.district for school in timss.schools_of(rows)).values()) >= 15


@pytest.mark.django_db
def test_the_whole_city_comes_in(tmp_path: Path) -> None:
    taken_in("roster", timss.write_roster(data_folder(), tmp_path / "roster.zip"))
    taken_in("results", timss.write_results(data_folder(), tmp_path / "timss.zip"))
    taken_in("results", simulated.write_first_results(data_folder(), tmp_path / "first.zip"))
    taken_in("results", simulated.write_results(data_folder(), tmp_path / "school.zip"))
    city = directory.root_org()
    assert city is not None
    types = Counter(org.type for org in directory.subtree(city.path))
    assert (types[OrgType.COUNTY], types[OrgType.SCHOOL], types[OrgType.CLASS]) == (8, 158, 276)
    pupils = [row.person_id for row in directory.enrollments_of_paths([city.path], role=EnrollmentRole.STUDENT)]
    assert len(directory.guardians_of(pupils[:500])) == 500
    assert len(directory.people_of_org(city.path, roles={Role.HEAD})) == 158
    accounts = {account.role: account for account in make_accounts(now=clock.now())}
    administrators = [accounts[role] for role in ("system_admin", "security_admin", "audit_admin")]
    assert len({account.name for account in administrators}) == 3
    assert {account.place for account in administrators} == {city.name}
    opened = {}
    for role in ("audit_admin", "system_admin", "city_officer"):
        client = Client()
        client.post("/sign-in/", {"username": accounts[role].username, "password": accounts[role].password})
        opened[role] = client.get("/audit/").status_code
    assert opened == {"audit_admin": 200, "system_admin": 403, "city_officer": 403}
    real = assessment.responses_of(assessment.assessment_id_of_code(timss.CODE) or 0)
    assert real.scores.shape == (4668, 174)
    assert len(real.booklet_names) == 14
    assert len(np.unique(real.zones)) == 75
    means = [np.average(real.references[:, start : start + 5].mean(axis=1), weights=real.weights) for start in (0, 5)]
    np.testing.assert_allclose(means, [508.31, 531.50], atol=0.005)
    state = assessment.assessment_state(real.assessment_id)
    assert "TIMSS 2011" in state.source_note
    assert not state.is_simulated
    school_test = assessment.assessment_state(assessment.assessment_id_of_code(simulated.CODE) or 0)
    assert school_test.is_simulated
    assert (school_test.pupils, school_test.item_count) == (4668, 40)
    first = assessment.assessment_id_of_code(simulated.FIRST_CODE) or 0
    common = {item.code for item in assessment.items_of(first)} & {item.code for item in assessment.items_of(school_test.id)}
    assert common == {f"A{number:02d}" for number in range(1, simulated.ANCHORS + 1)}
