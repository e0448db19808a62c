"""Figures over registers and cases: counts, sums, means, shares and ratios of a branch, orgs and periods counted once."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.models import Case, Definition
from shuren.casework.rules.specs.work import IndicatorSpec
from shuren.casework.selectors.indicators import indicator_value
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.registers.write import add_entry, remove_entry
from shuren.casework.tests.flows import LEAVE_FORM, flow, open_item, stage, submitted
from shuren.kernel.data import SYSTEM

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 29)

ROOMS = {
    "key": "test.room",
    "title": {"zh": "教室", "en": "Rooms"},
    "sections": [
        {
            "key": "facts",
            "title": {"zh": "情况", "en": "Facts"},
            "fields": [
                {"key": "name", "title": {"zh": "名称", "en": "Name"}, "type": "text", "required": True},
                {"key": "seats", "title": {"zh": "座位", "en": "Seats"}, "type": "integer"},
                {"key": "has_screen", "title": {"zh": "有大屏", "en": "Has a screen"}, "type": "boolean"},
            ],
        }
    ],
    "identity": ["name"],
}


def spec(**told: object) -> IndicatorSpec:
    return IndicatorSpec.model_validate({"key": "test.figure", "title": "指标", "over": "register:test.room", **told})


@pytest.fixture
def rooms(cast: Cast, define: Callable[[str, dict], Definition]) -> Cast:
    define("register", ROOMS)
    told = [
        ("school", "101", 40, True),
        ("school", "102", 50, False),
        ("far_school", "101", 30, True),
        ("school", "103", None, None),
    ]
    for org, name, seats, has_screen in told:
        data = {"name": name, "seats": seats, "has_screen": has_screen}
        add_entry(actor=SYSTEM, register="test.room", org_id=cast.orgs[org].id, data=data, now=cast.now)
    return cast


def test_figures_are_of_the_branch(rooms: Cast) -> None:
    school, province = rooms.orgs["school"].path, rooms.orgs["province"].path
    assert indicator_value(spec(), path=school, today=TODAY).value == 3
    assert indicator_value(spec(), path=province, today=TODAY).value == 4
    assert indicator_value(spec(measure="sum", field="seats"), path=school, today=TODAY).value == 90
    assert indicator_value(spec(measure="mean", field="seats"), path=province, today=TODAY).value == 40


def test_a_share_says_what_it_is_made_of(rooms: Cast) -> None:
    share = indicator_value(
        spec(measure="share", where="has_screen", among="filled(seats)", scale=100),
        path=rooms.orgs["school"].path,
        today=TODAY,
    )
    assert (share.value, share.counted, share.among) == (50.0, 1, 2)


def test_what_was_removed_counts_no_more_and_nothing_has_no_share(rooms: Cast) -> None:
    school = rooms.orgs["far_school"].path
    added = add_entry(actor=SYSTEM, register="test.room", org_id=rooms.orgs["far_school"].id, data={"name": "9"}, now=rooms.now)
    assert indicator_value(spec(), path=school, today=TODAY).value == 2
    remove_entry(actor=SYSTEM, entry_id=added.pk, reason="拆除", now=rooms.now)
    assert indicator_value(spec(), path=school, today=TODAY).value == 1
    assert (
        indicator_value(spec(measure="share", where="has_screen"), path=rooms.orgs["other_school"].path, today=TODAY).value
        is None
    )


SCORE = {"key": "score", "title": "得分", "type": "integer"}
CHECK = {
    "key": "test.check",
    "title": {"zh": "检修", "en": "Checks"},
    "at": ["school"],
    "sections": [
        {
            "key": "facts",
            "title": "情况",
            "fields": [
                {"key": "week", "title": "周次", "type": "text"},
                {"key": "checked_on", "title": "日期", "type": "date"},
                {"key": "is_sound", "title": "完好", "type": "boolean"},
                {"key": "devices", "title": "设备", "type": "integer"},
                {"key": "pupils", "title": "学生", "type": "integer"},
            ],
        }
    ],
}
# school, week, date, sound, devices, pupils: of four schools three checked, one of them twice in a week.
CHECKS: list[tuple[str, str, str, bool, int | None, int | None]] = [
    ("school", "2026-W40", "2026-09-28", True, 10, 100),
    ("school", "2026-W40", "2026-10-04", True, 20, 200),
    ("school", "2026-W41", "2026-10-05", False, 30, None),
    ("other_school", "2026-W40", "2026-09-30", False, None, 400),
    ("far_school", "2026-W42", "2026-10-12", True, 5, 100),
]


def checks(cast: Cast, **told: Any) -> Any:
    """The figure over the checks of the county (two schools) and, as the second, of the province (four)."""
    asked = spec(over="register:test.check", **told)
    return [indicator_value(asked, path=cast.orgs[org].path, today=TODAY) for org in ("county", "province")]


@pytest.fixture
def checked(cast: Cast, define: Callable[[str, dict], Definition]) -> Cast:
    define("register", CHECK)
    for org, week, day, is_sound, devices, pupils in CHECKS:
        data = {"week": week, "checked_on": day, "is_sound": is_sound, "devices": devices, "pupils": pupils}
        add_entry(actor=SYSTEM, register="test.check", org_id=cast.orgs[org].id, data=data, now=cast.now)
    return cast


def test_a_ratio_is_of_sums_over_what_holds_both(checked: Cast) -> None:
    county, province = checks(checked, measure="ratio", field="devices", base="pupils", scale=100)
    assert county.value == pytest.approx(100 * (10 + 20) / (100 + 200))
    assert province.value == pytest.approx(100 * (10 + 20 + 5) / (100 + 200 + 100))
    nothing = checks(checked, measure="ratio", field="devices", base="pupils", where="week == 'x'")
    assert [one.value for one in nothing] == [None, None]


def test_orgs_are_counted_once_however_many_rows_they_have(checked: Cast) -> None:
    assert [one.value for one in checks(checked, per=["org"])] == [2, 3]
    assert [one.value for one in checks(checked, per=["org"], where="is_sound")] == [1, 2]
    # Of those who checked at all (in thirds), and of all schools there are.
    assert [one.value for one in checks(checked, per=["org"], measure="share", where="is_sound", scale=3)] == [1.5, 2]
    of_all = checks(checked, per=["org"], orgs=["school"], measure="share", scale=100)
    assert [(one.value, one.counted, one.among) for one in of_all] == [(100, 2, 2), (75, 3, 4)]


def test_the_share_of_schools_that_did_it_in_each_week(checked: Cast) -> None:
    share = {"measure": "share", "per": ["org", "period"], "orgs": ["school"], "scale": 100}
    county, province = checks(checked, period="week", **share)
    # Three weeks are asked of everybody, for in each somebody in the region checked.
    assert county.by_period == {"2026-W40": 100, "2026-W41": 50, "2026-W42": 0}
    assert (county.value, county.counted, county.among) == (50, 3, 6)
    assert province.by_period == {"2026-W40": 50, "2026-W41": 25, "2026-W42": 25}
    assert (province.counted, province.among) == (4, 12)
    by_date = checks(checked, period="checked_on", **share)
    assert [one.by_period for one in by_date] == [county.by_period, province.by_period]
    sound, _all = checks(checked, period="week", where="is_sound", **share)
    assert sound.by_period == {"2026-W40": 50, "2026-W41": 0, "2026-W42": 0}


def test_periods_are_counted_by_the_week_of_the_row_where_no_field_says_it(checked: Cast) -> None:
    year, week, _day = checked.now.isocalendar()
    county, _province = checks(checked, per=["period"])
    assert (county.value, county.by_period) == (1, {f"{year}-W{week:02}": 1})


@pytest.fixture
def scored(cast: Cast, define: Callable[[str, dict], Definition]) -> list[Case]:
    """Three cases, of which two were given a score by the head; filed for a class, in two weeks."""
    define("form", LEAVE_FORM)
    define("flow", flow(stage(fields=[SCORE])))
    found = [submitted(cast, data={"days": days}, now=cast.now + timedelta(days=days)) for days in (1, 2, 8)]
    for case, score in zip(found, (60, 90), strict=False):
        decide_work(actor=cast.actor("head"), work_id=open_item(case).pk, outcome="agree", written={"score": score}, now=cast.now)
    return found


def test_what_deciders_wrote_is_counted_over_the_flow(cast: Cast, scored: list[Case]) -> None:
    path = cast.orgs["county"].path

    def value(**told: Any) -> float | None:
        return indicator_value(spec(over="flow:office.leave", **told), path=path, today=TODAY).value

    assert value(measure="mean", field="score") == 75
    assert value(measure="share", where="score >= 80", among="filled(score)", scale=100) == 50
    assert value(measure="ratio", field="score", base="days") == (60 + 90) / (1 + 2)
    assert value(measure="count", where="result == 'granted'") == 2
    # A class lies in its school.
    assert value(per=["org"], orgs=["school"], measure="share") == 1 / 2
