"""Faults in data become cases of whoever holds them, once, and end by themselves."""

from datetime import timedelta
from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.data import CaseState
from shuren.casework.models import Case, WorkItem
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.route_quality import route_findings
from shuren.datahub import api as datahub
from shuren.directory import api as directory
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.models import Event
from shuren.work.api import run_pending

MEMBER = "directory.member"


@pytest.fixture
def measured(cast: Cast) -> Cast:
    datahub.measure_quality(now=cast.now)
    return cast


def members(cast: Cast, key: str) -> list[dict[str, Any]]:
    rows = datahub.read_partition(MEMBER, {"state": "now"}).to_pylist()
    return [row for row in rows if row["org_path"].startswith(cast.orgs[key].path)]


def test_a_school_gets_one_case_with_what_to_mend(measured: Cast) -> None:
    assert route_findings(dataset=MEMBER, now=measured.now)["opened"] > 0
    case = Case.objects.get(origin=f"quality:{MEMBER}:{measured.orgs['school'].id}")
    faults = {fault["rule"]: fault for fault in case.data["faults"]}
    assert faults["学籍号已填"]["failed"] >= 1
    assert case.data["address"].endswith(f"{measured.orgs['school'].public_id}/")
    asked = WorkItem.objects.filter(case=case).values_list("assignee_id", flat=True)
    assert measured.people["school_admin"].id in asked
    assert route_findings(dataset=MEMBER, now=measured.now)["opened"] == 0


def test_the_news_of_a_run_reaches_the_school(measured: Cast) -> None:
    assert Event.objects.filter(name="datahub.quality_measured").count() == 2
    run_pending()
    assert Case.objects.filter(origin__startswith="quality:").exists()


def test_data_that_pass_end_the_case(measured: Cast) -> None:
    route_findings(dataset=MEMBER, now=measured.now)
    origin = f"quality:{MEMBER}:{measured.orgs['far_school'].id}"
    for number, row in enumerate(members(measured, "far_school")):
        years = 10 if row["role"] == "pupil" else 40
        changes = {
            "name": "测试员",
            "sex": "1",
            "birth_date": clock.day_of(measured.now) - timedelta(days=366 * years),
            "pupil_number": f"G99000020160101{number:04d}",
            "staff_number": f"J{number}",
            "phone": f"138000{number:05d}",
            "grade": "g4",
            "national_id": f"99000020160101{number:04d}",
        }
        directory.correct_person(actor=SYSTEM, person_id=row["person_id"], changes=changes, now=measured.now)
    datahub.measure_quality(now=measured.now)
    assert measured.orgs["far_school"].id not in {finding.org_id for finding in datahub.quality_findings(MEMBER)}
    assert route_findings(dataset=MEMBER, now=measured.now)["ended"] == 1
    case = Case.objects.get(origin=origin)
    assert (case.state, case.closed_at is not None) == (CaseState.WITHDRAWN.value, True)


def test_who_said_mended_is_not_asked_again_within_the_week(measured: Cast) -> None:
    route_findings(dataset=MEMBER, now=measured.now)
    case = Case.objects.get(origin=f"quality:{MEMBER}:{measured.orgs['school'].id}")
    item = WorkItem.objects.filter(case=case, assignee_id=measured.people["school_admin"].id).get()
    decide_work(actor=measured.actor("school_admin"), work_id=item.pk, outcome="mended", now=measured.now)
    opened = route_findings(dataset=MEMBER, now=measured.now + timedelta(days=1))["opened"]
    assert opened == 0
    assert route_findings(dataset=MEMBER, now=measured.now + timedelta(days=9))["opened"] == 1
