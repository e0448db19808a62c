"""A form on its way: prepared, filled in, up the tree, summed, frozen, corrected."""

from typing import Any

import pytest

from shuren.directory.data import OrgType
from shuren.directory.models import Enrollment, Org
from shuren.interop.data import ReportState
from shuren.interop.models import StatisticsReport, StatisticsTemplate
from shuren.interop.selectors.statistics.trace import traced
from shuren.interop.services.statistics.fill import CellsRefused, fill_report
from shuren.interop.services.statistics.freeze import freeze_made_of, freeze_report
from shuren.interop.services.statistics.pack_part import install_templates
from shuren.interop.services.statistics.prepare import prepare_report, prepare_units
from shuren.interop.services.statistics.submit import correct_report, return_report, submit_report
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.kernel.models import Event
from shuren.messaging.models import Notice
from shuren.trust.api import faults_of_records
from tests.cast import Cast, build_cast
from tests.statistics_forms.forms import CLASSES, PUPILS, STAFF, YEAR, settle, shipped


@pytest.fixture
def cast(db: None) -> Cast:
    made = build_cast()
    settle(made)
    return made


def prepared(cast: Cast, who: str, org: str, key: str = PUPILS, year: int = YEAR) -> StatisticsReport:
    pk = prepare_report(actor=cast.actor(who), org_id=cast.orgs[org].id, key=key, year=year, now=cast.now)
    return StatisticsReport.objects.select_related("template", "org", "above").get(pk=pk)


def submitted(cast: Cast, who: str, org: str, key: str = PUPILS) -> StatisticsReport:
    row = prepared(cast, who, org, key)
    return submit_report(actor=cast.actor(who), report_id=row.pk, now=cast.now)


def test_what_the_house_holds_is_counted_as_of_the_day(cast: Cast) -> None:
    row = prepared(cast, "school_admin", "school")
    # Three pupils of grade 4, born on 4 May 2016: nine years old on 1 September 2025, one of them a girl.
    assert row.values["l01"]["all"] == row.values["l01"]["g4"] == row.values["l07"]["g4"] == 3
    assert row.values["l02"]["all"] == 1
    assert row.values["l01"]["new"] == row.values["l06"]["all"] == 0
    assert (row.unknown_count, row.error_count, row.warning_count) == (0, 0, 0)
    Enrollment.objects.filter(person_id=cast.people["pupil"].id).update(begin_date="2025-09-02")
    assert prepared(cast, "school_admin", "school").values["l01"]["all"] == 2


def test_grades_count_however_their_roster_writes_them(cast: Cast) -> None:
    Org.objects.filter(type=OrgType.CLASS.value, grade="4").update(grade="04")
    row = prepared(cast, "school_admin", "school")
    assert row.values["l01"]["g4"] == 3
    found = traced(row, ("l01", "g4"), actor=cast.actor("head"), now=cast.now)
    assert found.people(number=1, size=50).total == 3
    assert prepared(cast, "school_admin", "school", CLASSES).values["l02"]["g4"] == 2


def test_classes_are_counted_by_their_size_and_staff_once_each(cast: Cast) -> None:
    classes = prepared(cast, "school_admin", "school", CLASSES)
    assert classes.values["l01"]["all"] == classes.values["l02"]["g4"] == 2
    staff = prepared(cast, "school_admin", "school", STAFF)
    assert staff.values["l01"]["heads"] == 2
    assert staff.values["l01"]["outside"] is None
    assert "outside" not in staff.values["l03"]
    assert staff.unknown_count == 4


@pytest.mark.parametrize(("key", "place"), [(PUPILS, ("l01", "g4")), (PUPILS, ("l02", "all")), (STAFF, ("l01", "all"))])
def test_a_figure_leads_to_the_people_in_it(cast: Cast, key: str, place: tuple[str, str]) -> None:
    row = prepared(cast, "school_admin", "school", key)
    found = traced(row, place, actor=cast.actor("head"), now=cast.now)
    page = found.people(number=1, size=50)
    assert page.total == found.value == row.values[place[0]][place[1]]
    assert len({one.id for one in page.rows}) == page.total


def test_classes_behind_a_figure(cast: Cast) -> None:
    row = prepared(cast, "school_admin", "school", CLASSES)
    found = traced(row, ("l02", "all"), actor=cast.actor("head"), now=cast.now)
    assert [org.name for org in found.orgs(number=1, size=50).rows] == ["四年级1班", "四年级2班"]
    with pytest.raises(NotFound):
        traced(row, ("l02", "all"), actor=cast.actor("far_head"), now=cast.now)


def test_only_what_nobody_knows_is_taken_and_all_of_it_or_nothing(cast: Cast) -> None:
    actor = cast.actor("school_admin")
    row = prepared(cast, "school_admin", "school", STAFF)
    cells = {("l01", "all"): "9", ("l01", "outside"): "2", ("l01", "retired"): "many"}
    with pytest.raises(CellsRefused) as refused:
        fill_report(actor=actor, report_id=row.pk, cells=cells, now=cast.now)
    assert set(refused.value.faults) == {("l01", "all"), ("l01", "retired")}
    row.refresh_from_db()
    assert row.values["l01"]["outside"] is None
    kept = fill_report(actor=actor, report_id=row.pk, cells={("l01", "outside"): "2"}, is_rest_zero=True, now=cast.now)
    assert (kept.values["l01"]["outside"], kept.values["l02"]["retired"], kept.unknown_count) == (2, 0, 0)
    with pytest.raises(Conflict):
        fill_report(actor=actor, report_id=row.pk, cells={("l01", "outside"): "3"}, revision=row.revision, now=cast.now)
    with pytest.raises(NotFound):
        fill_report(actor=cast.actor("far_head"), report_id=row.pk, cells={}, now=cast.now)


def test_what_is_missing_or_does_not_balance_is_not_submitted(cast: Cast) -> None:
    actor = cast.actor("school_admin")
    row = prepared(cast, "school_admin", "school", STAFF)
    with pytest.raises(Conflict, match="4 个单元格"):
        submit_report(actor=actor, report_id=row.pk, now=cast.now)
    cells = {("l01", "outside"): "1", ("l02", "outside"): "2"}
    fill_report(actor=actor, report_id=row.pk, cells=cells, is_rest_zero=True, now=cast.now)
    with pytest.raises(Conflict, match="1 处校核"):
        submit_report(actor=actor, report_id=row.pk, now=cast.now)
    fill_report(actor=actor, report_id=row.pk, cells={("l02", "outside"): "1"}, now=cast.now)
    assert submit_report(actor=actor, report_id=row.pk, now=cast.now).state == ReportState.SUBMITTED


def test_a_change_within_a_year_wants_a_word(cast: Cast) -> None:
    actor = cast.actor("school_admin")
    last = prepared(cast, "school_admin", "school", year=YEAR - 1)
    submit_report(actor=actor, report_id=last.pk, now=cast.now)
    Enrollment.objects.filter(person_id=cast.people["pupil"].id).update(begin_date="2025-09-02")
    row = prepared(cast, "school_admin", "school")
    assert [one["check"] for one in row.imbalances] == ["change"]
    with pytest.raises(Conflict, match="说明"):
        submit_report(actor=actor, report_id=row.pk, now=cast.now)
    fill_report(actor=actor, report_id=row.pk, cells={}, explanations={"change:all": "学区调整"}, now=cast.now)
    assert submit_report(actor=actor, report_id=row.pk, now=cast.now).explanations == {"change:all": "学区调整"}


def test_sums_go_up_the_tree_and_are_what_the_schools_said(cast: Cast) -> None:
    for who, org in (("school_admin", "school"), ("city_officer", "west_school"), ("far_head", "far_school")):
        submitted(cast, who, org)
    county, other = submitted(cast, "county_officer", "county"), submitted(cast, "city_officer", "other_county")
    city = submitted(cast, "city_officer", "city")
    submitted(cast, "province_officer", "far_county"), submitted(cast, "province_officer", "other_city")
    province = submitted(cast, "province_officer", "province")
    assert (county.values["l01"]["all"], other.values["l01"]["all"]) == (3, 1)
    assert city.values["l01"]["all"] == 4
    schools = StatisticsReport.objects.filter(is_sum=False, is_counted=True)
    for line, columns in province.values.items():
        for column, value in columns.items():
            assert value == sum(row.values[line][column] for row in schools), (line, column)
    assert county.is_sum
    assert set(county.parts) == {str(schools.get(org_id=cast.orgs["school"].id).pk)}


def test_a_sum_of_what_changed_meanwhile_is_counted_anew(cast: Cast) -> None:
    school = submitted(cast, "school_admin", "school")
    row = prepared(cast, "county_officer", "county")
    with pytest.raises(NotFound):
        return_report(actor=cast.actor("school_admin"), report_id=school.pk, reason="少了一人", now=cast.now)
    return_report(actor=cast.actor("county_officer"), report_id=school.pk, reason="少了一人", now=cast.now)
    notice = Notice.objects.get(person_id=cast.people["school_admin"].id, url__startswith="/statistics/")
    assert (notice.body, "小学学生数" in notice.title) == ("少了一人", True)
    with pytest.raises(Conflict, match="变化"):
        submit_report(actor=cast.actor("county_officer"), report_id=row.pk, now=cast.now)
    submit_report(actor=cast.actor("school_admin"), report_id=school.pk, now=cast.now)
    row = submitted(cast, "county_officer", "county")
    assert row.state == ReportState.SUBMITTED
    with pytest.raises(Conflict, match="上级"):
        return_report(actor=cast.actor("county_officer"), report_id=school.pk, reason="再看看", now=cast.now)


def frozen(cast: Cast) -> tuple[StatisticsReport, StatisticsReport]:
    school = submitted(cast, "school_admin", "school")
    for who, org in (("county_officer", "county"), ("city_officer", "city")):
        submitted(cast, who, org)
    top = submitted(cast, "province_officer", "province")
    freeze_report(actor=cast.actor("province_officer"), report_id=top.pk, now=cast.now)
    assert freeze_made_of(report_id=top.pk, on_progress=lambda _done, _total: None, now=cast.now) == 4
    school.refresh_from_db(), top.refresh_from_db()
    return school, top


def test_frozen_forms_are_on_record_and_a_changed_one_is_found(cast: Cast) -> None:
    school, top = frozen(cast)
    assert (school.state, top.state) == (ReportState.FROZEN, ReportState.FROZEN)
    assert Event.objects.filter(name="interop.statistics_frozen").count() == 1
    assert [fault for fault in faults_of_records() if "statistics" in fault] == []
    StatisticsReport.objects.filter(pk=school.pk).update(values={**school.values, "l01": {"all": 4}})
    assert [fault for fault in faults_of_records() if "statistics" in fault] == [
        f"statistics_report:{school.pk} is not what was put on record"
    ]


def test_the_top_digest_covers_every_part(cast: Cast) -> None:
    school, top = frozen(cast)
    county = StatisticsReport.objects.get(org_id=cast.orgs["county"].id)
    city = StatisticsReport.objects.get(org_id=cast.orgs["city"].id)
    assert county.parts == {str(school.pk): school.digest}
    assert top.parts == {str(city.pk): city.digest}


def test_a_correction_is_a_new_version_and_the_old_one_counts_until_then(cast: Cast) -> None:
    school, _top = frozen(cast)
    admin = cast.actor("school_admin")
    with pytest.raises(Conflict):
        fill_report(actor=admin, report_id=school.pk, cells={}, now=cast.now)
    with pytest.raises(Invalid):
        correct_report(actor=admin, report_id=school.pk, reason=" ", now=cast.now)
    fresh = correct_report(actor=admin, report_id=school.pk, reason="漏了一名转入学生", now=cast.now)
    school.refresh_from_db()
    assert (fresh.version, fresh.is_counted, school.is_counted, school.is_latest) == (2, False, True, False)
    Enrollment.objects.filter(person_id=cast.people["west_pupil"].id).update(
        class_org_id=cast.orgs["class"].id, org_path=cast.orgs["class"].path
    )
    again = submitted(cast, "school_admin", "school")
    school.refresh_from_db()
    assert (again.version, again.values["l01"]["all"], again.is_counted, school.is_counted) == (2, 4, True, False)
    assert school.values["l01"]["all"] == 3
    county = StatisticsReport.objects.get(org_id=cast.orgs["county"].id)
    correct_report(actor=cast.actor("county_officer"), report_id=county.pk, reason="学校更正", now=cast.now)
    assert submitted(cast, "county_officer", "county").values["l01"]["all"] == 4


class Worker:
    """A job that may be killed after some batches; what it kept is found by the next run."""

    job_id, attempt = 1, 1

    def __init__(self, lives: int) -> None:
        self.state: dict[str, Any] = {}
        self.lives = lives

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        self.lives -= 1
        if not self.lives:
            raise KeyboardInterrupt

    def checkpoint(self, **state: Any) -> None:
        self.state |= state

    def is_cancelled(self) -> bool:
        return False


def test_a_branch_is_prepared_by_a_job_that_goes_on_where_it_was_killed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shuren.interop.services.statistics.prepare._AT_ONCE", 1)
    worker, args = Worker(lives=2), {"org_id": cast.orgs["province"].id, "key": PUPILS, "year": YEAR}
    with pytest.raises(KeyboardInterrupt):
        prepare_units(job=worker, now=cast.now, **args)
    before = set(StatisticsReport.objects.values_list("pk", flat=True))
    worker.lives = 100
    # The second primary school has no class of these grades: it does not file the form.
    assert prepare_units(job=worker, now=cast.now, **args) == {"prepared": 3}
    assert before < set(StatisticsReport.objects.values_list("pk", flat=True))
    alone = prepared(cast, "school_admin", "school")
    assert StatisticsReport.objects.get(org_id=cast.orgs["school"].id).values == alone.values


def test_a_changed_template_is_a_new_version_and_reports_keep_theirs(cast: Cast) -> None:
    row = submitted(cast, "school_admin", "school")
    bodies = shipped()
    changed = {**bodies[PUPILS], "note": "口径有变"}
    counts = install_templates("stat", [changed, bodies[STAFF]], SYSTEM, cast.now)
    assert (counts.changed, counts.same, counts.retired) == (1, 1, 4)
    assert StatisticsTemplate.objects.get(key=PUPILS, is_current=True).version == 2
    row.refresh_from_db()
    assert row.template.version == 1
    with pytest.raises(Invalid):
        install_templates("other", [bodies[PUPILS]], SYSTEM, cast.now)


def test_nothing_is_prepared_before_its_day_or_by_strangers(cast: Cast) -> None:
    with pytest.raises(Invalid):
        prepared(cast, "school_admin", "school", year=cast.now.year + 1)
    with pytest.raises(NotFound):
        prepared(cast, "far_head", "school")
    with pytest.raises(NotFound):
        prepared(cast, "teacher", "school")
