"""Who may open which report, and what a report says."""

from datetime import date

import pytest
from django.apps import apps
from django.utils import translation

from shuren.assessment.api import assessment_state
from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.evaluation.api import (
    access_run,
    done_runs_of,
    latest_reports,
    pupil_report,
    report_of,
    reports_of_people,
    truth_check,
    visible_runs,
)
from shuren.evaluation.data import Level, RunStatus
from shuren.evaluation.models import EvaluationRun
from shuren.evaluation.selectors.pupils import pupils_of_class
from shuren.evaluation.selectors.runs import anchor_runs
from shuren.evaluation.tests.conftest import NOW, SOURCE, Region, add_assessment, finished_run
from shuren.kernel.data import ANONYMOUS, SYSTEM
from shuren.kernel.errors import NotFound

IN_SCOPE = {
    "city_officer": {"city", "east", "east1", "east1c1", "west", "west1"},
    "county_officer": {"east", "east1", "east1c1"},
    "head": {"east1", "east1c1"},
    "class_teacher": {"east1c1"},
    "teacher": set(),
    "pupil": set(),
    "parent": set(),
}
ORGS = ("city", "east", "east1", "east1c1", "west", "west1")


@pytest.mark.parametrize("key", IN_SCOPE)
def test_reports_open_inside_the_branch_and_do_not_exist_outside(region: Region, run_id: int, key: str) -> None:
    for org in ORGS:
        if org in IN_SCOPE[key]:
            report = report_of(actor=region.actor(key), run_id=run_id, org_id=region.orgs[org], now=NOW)
            assert report.unit_id == region.orgs[org]
        else:
            with pytest.raises(NotFound):
                report_of(actor=region.actor(key), run_id=run_id, org_id=region.orgs[org], now=NOW)


def test_a_stranger_and_an_unfinished_run_see_nothing(region: Region, run_id: int) -> None:
    with pytest.raises(NotFound):
        report_of(actor=ANONYMOUS, run_id=run_id, org_id=region.orgs["city"], now=NOW)
    EvaluationRun.objects.filter(pk=run_id).update(status=RunStatus.RUNNING)
    with pytest.raises(NotFound):
        report_of(actor=SYSTEM, run_id=run_id, org_id=region.orgs["city"], now=NOW)


@pytest.mark.parametrize(
    ("key", "own", "far"),
    [
        ("pupil", True, False),
        ("parent", True, False),
        ("class_teacher", True, False),
        ("head", True, False),
        ("teacher", False, False),
        ("county_officer", False, False),
        ("city_officer", False, False),
    ],
)
def test_pupil_reports_are_for_pupil_family_and_school(region: Region, run_id: int, key: str, own: bool, far: bool) -> None:
    for person, may in (("pupil", own), ("far_pupil", far)):
        if may:
            report = pupil_report(actor=region.actor(key), run_id=run_id, person_id=region.people[person], now=NOW)
            assert report.level is Level.PUPIL
        else:
            with pytest.raises(NotFound):
                pupil_report(actor=region.actor(key), run_id=run_id, person_id=region.people[person], now=NOW)


def test_somebody_who_did_not_take_part_has_no_report(region: Region, run_id: int) -> None:
    with pytest.raises(NotFound):
        pupil_report(actor=SYSTEM, run_id=run_id, person_id=region.people["head"], now=NOW)


def test_a_role_narrows_what_is_seen(region: Region, run_id: int) -> None:
    with pytest.raises(NotFound):
        report_of(actor=region.actor("head", Role.PARENT), run_id=run_id, org_id=region.orgs["east1"], now=NOW)


def test_the_document_names_what_it_speaks_of(region: Region, run_id: int) -> None:
    report = report_of(actor=region.actor("head"), run_id=run_id, org_id=region.orgs["east1"], now=NOW)
    body = report.body
    assert body["schema"] == "shuren.report/1"
    assert body["unit"]["name"] == "east区第1小学"
    assert [step["name"] for step in body["unit"]["path"]] == ["云岭市", "east区", "east区第1小学"]
    assert [row["name"] for row in body["above"]] == ["east区", "云岭市"]
    assert {row["name"] for row in body["children"]} == {"四（1）班", "四（2）班"}
    assert [level["name"] for level in body["levels"]] == ["待达基础", "基础", "中等", "良好", "优秀"]
    assert body["run"]["source_note"] == SOURCE
    assert body["run"]["is_simulated"] is True
    assert [crumb.url != "" for crumb in report.crumbs] == [True, False, False, True]


def test_a_head_learns_nothing_of_other_schools_by_name(region: Region, run_id: int) -> None:
    report = report_of(actor=region.actor("head"), run_id=run_id, org_id=region.orgs["east1"], now=NOW)
    assert "east区第2小学" not in str(report.body)
    beside = report.body["beside"]
    assert beside["count"] == len(beside["means"]) == 5
    own = (round(report.body["mean"]["value"], 1), round(report.body["mean"]["se"], 1))
    assert own in zip(beside["means"], beside["ses"], strict=True)


def test_small_units_and_those_that_would_give_them_away_are_withheld(region: Region, run_id: int) -> None:
    hidden = {
        key
        for key, org_id in region.orgs.items()
        if report_of(actor=SYSTEM, run_id=run_id, org_id=org_id, now=NOW).body["is_withheld"]
    }
    assert {"north3", "north3c1", "north1c2"} <= hidden
    assert "north1" in hidden or "north2" in hidden
    assert "city" not in hidden
    assert "north" not in hidden
    north = report_of(actor=SYSTEM, run_id=run_id, org_id=region.orgs["north"], now=NOW).body
    assert sum(row["is_withheld"] for row in north["children"]) >= 2
    assert not any("mean" in row for row in north["children"] if row["is_withheld"])


def test_findings_are_sentences_in_the_readers_language(region: Region, run_id: int) -> None:
    def first(org: str) -> str:
        return report_of(actor=SYSTEM, run_id=run_id, org_id=region.orgs[org], now=NOW).body["findings"][0]

    assert first("city").startswith("全市平均 500 分（±")
    assert "全市" in first("east")
    assert "差异" in first("east") or "持平" in first("east")
    with translation.override("en"):
        assert first("city").startswith("The city averages 500 points (±")
        assert "significant" in first("east") or "level with" in first("east")


def test_class_item_tables_fill_when_everybody_sat_every_item(region: Region, run_id: int) -> None:
    body = report_of(actor=SYSTEM, run_id=run_id, org_id=region.orgs["west1c1"], now=NOW).body
    shown = [row for row in body["items"] if not row.get("is_suppressed")]
    assert len(shown) == 24
    assert all(row["n"] >= 10 for row in shown)
    assert shown[0]["label"] == "第1题"


def test_pupil_report_speaks_without_rank(region: Region, run_id: int) -> None:
    body = pupil_report(actor=region.actor("parent"), run_id=run_id, person_id=region.people["pupil"], now=NOW).body
    assert body["score"]["low"] < body["score"]["value"] < body["score"]["high"]
    assert body["level"]["name"] in {"待达基础", "基础", "中等", "良好", "优秀"}
    assert body["next_steps"]
    assert {row["kind"] for row in body["domains"]} == {"content", "cognitive"}
    assert {row["name"] for row in body["units"]} == {"分数", "面积", "统计图"}
    assert body["shows_items"] is True
    assert len(body["wrong_items"]) > 0
    assert "rank" not in str(body).lower()
    assert "第几名" not in str(body)


def test_marks_of_a_pupil_add_up(region: Region, run_id: int) -> None:
    body = pupil_report(actor=SYSTEM, run_id=run_id, person_id=region.people["pupil"], now=NOW).body
    content = [row for row in body["domains"] if row["kind"] == "content"]
    cognitive = [row for row in body["domains"] if row["kind"] == "cognitive"]
    assert sum(row["gained"] for row in content) == sum(row["gained"] for row in cognitive)
    assert sum(row["stake"] for row in content) == 27
    lost = sum(row["stake"] - row["gained"] for row in body["wrong_items"])
    assert lost == sum(row["stake"] - row["gained"] for row in content)


def test_the_class_list_holds_only_pupils_one_may_open(region: Region, run_id: int) -> None:
    def listed(key: str, org: str) -> int:
        report = report_of(actor=SYSTEM, run_id=run_id, org_id=region.orgs[org], now=NOW)
        return len(pupils_of_class(actor=region.actor(key), report=report, now=NOW))

    assert listed("class_teacher", "east1c1") == 16
    assert listed("head", "east1c2") == 14
    assert listed("class_teacher", "east1c2") == 0
    assert listed("county_officer", "east1c1") == 0
    assert listed("head", "east1") == 0


def test_runs_are_listed_for_whom_they_concern(region: Region, run_id: int) -> None:
    for key in ("city_officer", "county_officer", "head", "class_teacher"):
        assert visible_runs(actor=region.actor(key), now=NOW).total == 1, key
    for key in ("teacher", "parent"):
        assert visible_runs(actor=region.actor(key), now=NOW).total == 0, key
    EvaluationRun.objects.filter(pk=run_id).update(status=RunStatus.FAILED)
    assert visible_runs(actor=region.actor("head"), now=NOW).total == 0
    assert visible_runs(actor=region.actor("city_officer"), now=NOW).total == 1
    with pytest.raises(NotFound):
        access_run(actor=region.actor("head"), id=run_id, now=NOW)


def test_homes_get_the_newest_reports_of_their_own_unit(region: Region, run_id: int) -> None:
    assert [link.unit_name for link in latest_reports(actor=region.actor("head"), now=NOW)] == ["east区第1小学"]
    assert [link.level for link in latest_reports(actor=region.actor("city_officer"), now=NOW)] == [Level.CITY]
    assert latest_reports(actor=region.actor("parent"), now=NOW) == []
    links = reports_of_people(actor=region.actor("parent"), now=NOW)
    assert [link.unit_name for link in links] == ["学生000"]
    assert [link.unit_name for link in reports_of_people(actor=region.actor("pupil"), now=NOW)] == ["学生000"]
    assert reports_of_people(actor=region.actor("head"), now=NOW) == []
    assert [run.id for run in done_runs_of(region.assessments["math-2026"])] == [run_id]


def test_two_years_on_one_scale_show_the_change(region: Region, run_id: int) -> None:
    add_assessment(region, "math-2027", held=date(2027, 6, 18), seed=7, shift=0.4)
    later = finished_run(region, "math-2027", scale={"method": "anchor", "anchor_run_id": run_id})
    body = report_of(actor=SYSTEM, run_id=later, org_id=region.orgs["city"], now=NOW).body
    trend = body["trend"]
    assert [row["held_date"] for row in trend] == ["2026-06-18", "2027-06-18"]
    assert trend[1]["change"]["value"] == pytest.approx(40, abs=15)
    assert any("上一次" in sentence for sentence in body["findings"])
    assert report_of(actor=SYSTEM, run_id=run_id, org_id=region.orgs["city"], now=NOW).body["trend"] == []


def test_two_scales_of_their_own_show_no_change(region: Region, run_id: int) -> None:
    """Each run makes its population's mean 500: the difference would be 0 whatever the pupils learnt."""
    add_assessment(region, "math-2027", held=date(2027, 6, 18), seed=7, shift=0.4)
    later = finished_run(region, "math-2027")
    body = report_of(actor=SYSTEM, run_id=later, org_id=region.orgs["city"], now=NOW).body
    assert body["mean"]["value"] == pytest.approx(500, abs=1)
    assert body["trend"] == []


def test_only_earlier_tests_of_the_population_with_common_items_can_be_linked_to(region: Region, run_id: int) -> None:
    later = assessment_state(add_assessment(region, "math-2027", held=date(2027, 6, 18), seed=7))
    first = assessment_state(region.assessments["math-2026"])
    officer = region.actor("city_officer")
    assert [run.id for run in anchor_runs(actor=officer, assessment=later, now=NOW)] == [run_id]
    assert anchor_runs(actor=officer, assessment=first, now=NOW) == []
    assert anchor_runs(actor=region.actor("county_officer"), assessment=later, now=NOW) == []
    apps.get_model("assessment.Item").objects.filter(assessment_id=first.id, position__gt=4).delete()
    assert anchor_runs(actor=officer, assessment=later, now=NOW) == []


def test_a_report_costs_a_fixed_number_of_queries(region: Region, run_id: int, django_assert_max_num_queries) -> None:
    actor = region.actor("city_officer")
    for org in ("city", "east", "west1", "west1c1"):
        with django_assert_max_num_queries(11):
            report_of(actor=actor, run_id=run_id, org_id=region.orgs[org], now=NOW)
    with django_assert_max_num_queries(18):
        pupil_report(actor=region.actor("parent"), run_id=run_id, person_id=region.people["pupil"], now=NOW)
    with django_assert_max_num_queries(13):
        visible_runs(actor=actor, now=NOW)


def test_without_published_figures_there_is_nothing_to_check(region: Region, run_id: int) -> None:
    assert truth_check(run_id) == []


def test_names_follow_the_directory(region: Region, run_id: int) -> None:
    directory.rename_org(actor=SYSTEM, org_id=region.orgs["east1"], name="东川实验小学", now=NOW)
    assert report_of(actor=SYSTEM, run_id=run_id, org_id=region.orgs["east1"], now=NOW).unit_name == "东川实验小学"
    assert apps.get_model("directory.Org").objects.get(pk=region.orgs["east1"]).name == "东川实验小学"


def test_a_copy_of_ones_data_holds_the_scores(region: Region, run_id: int) -> None:
    person_id = region.actor("pupil").person_id
    assert person_id is not None
    (row,) = directory.give_subject_data(actor=region.actor("pupil"), person_id=person_id, now=NOW)["scores"]  # type: ignore[misc]
    report = pupil_report(actor=region.actor("pupil"), run_id=run_id, person_id=person_id, now=NOW)
    assert (row["run"], row["title"]) == (report.run.public_id, report.run.title)
    assert isinstance(row["score"], float)
    assert isinstance(row["score_error"], float)
    EvaluationRun.objects.filter(pk=run_id).update(status=RunStatus.RUNNING)
    assert directory.give_subject_data(actor=region.actor("pupil"), person_id=person_id, now=NOW)["scores"] == []
