"""What a template says: where cells come from, what they add up to, what must balance, how a form is laid out."""

from collections.abc import Iterable
from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuren.directory.data import Role, Sex, TallyCondition, TallyRow, TallySubject
from shuren.directory.rules.tallies import born_by, counted
from shuren.interop.rules.statistics.checks import imbalances
from shuren.interop.rules.statistics.numbers import Cells, added, completed, number_of, typed_number
from shuren.interop.rules.statistics.plan import CellKind, Place, figures_asked, plan_of, tallies_asked
from shuren.interop.rules.statistics.reading import template_of
from shuren.interop.rules.statistics.sheet import Heading, headings
from shuren.interop.rules.statistics.spec import TemplateSpec
from shuren.interop.services.statistics.pack_part import check_template
from tests.statistics_forms.forms import CLASSES, PUPILS, STAFF, YEAR, shipped

SMALL: dict[str, Any] = {
    "key": "stat.small",
    "number": "T1",
    "title": {"zh": "小表", "en": "Small"},
    "authority": "教育部",
    "columns": [
        {"key": "all", "code": "1", "title": "合计", "sum": ["old", "new"], "places": 1},
        {"key": "old", "code": "2", "title": "原有", "groups": ["其中"], "places": 1},
        {"key": "new", "code": "3", "title": "新增", "groups": ["其中"], "typed": True},
    ],
    "lines": [
        {"key": "l1", "code": "01", "title": "总计", "sum": ["l2", "l3"]},
        {"key": "l2", "code": "02", "title": "甲类", "figure": {"over": "register:infra.premises", "where": "a == 1"}},
        {"key": "l3", "code": "03", "title": "乙类", "blank": ["new"]},
    ],
    "checks": [
        {"key": "less", "each": "column", "check": "l2 <= l1", "message": "多了"},
        {"key": "change", "check": "l1.all <= last.l1_all * 2", "level": "warning", "message": "变化大"},
        {
            "key": "same",
            "each": "line",
            "only": ["l2"],
            "check": "all == other.all",
            "forms": {"other": "stat.other"},
            "message": "不等",
        },
    ],
}


def spec(**changes: object) -> TemplateSpec:
    return TemplateSpec.model_validate({**SMALL, **changes})


def test_a_column_that_is_typed_is_typed_in_every_line() -> None:
    plan = plan_of(spec())
    kinds = {place: cell.kind for place, cell in plan.items()}
    assert kinds["l2", "old"] is CellKind.FIGURE
    assert kinds["l2", "new"] is CellKind.TYPED
    assert kinds["l3", "old"] is CellKind.TYPED
    assert kinds["l3", "new"] is CellKind.BLANK
    assert plan["l1", "old"].addends == (("l2", "old"), ("l3", "old"))


def test_conditions_of_line_and_column_hold_together() -> None:
    plan = template_of(shipped()[PUPILS]).plan
    cell = plan["l06", "g2"]
    assert (cell.subject, cell.condition.grades) == (TallySubject.PUPILS, frozenset({"2"}))
    assert (cell.condition.age_from, cell.condition.age_below) == (8, 9)
    asked = tallies_asked(template_of(shipped()[PUPILS]).spec, YEAR, ("1/",))
    assert asked[TallySubject.PUPILS].ages[:3] == (6, 7, 8)
    assert asked[TallySubject.PUPILS].day == date(2025, 9, 1)
    assert asked[TallySubject.PUPILS].since == date(2024, 9, 2)


def test_the_year_goes_into_figures() -> None:
    figures = figures_asked(template_of(shipped()["stat.teachers"]).spec, YEAR)
    asked = figures["l04", "a25"]
    assert asked.among == "year == '2025-2026'"
    assert "degree == 'bachelor'" in asked.where
    assert "years(birth_date, today()) >= 25" in asked.where


@pytest.mark.parametrize(
    ("text", "places", "number"),
    [
        ("12", 0, 12),
        ("1,234", 0, 1234),
        (" 7.5 ", 1, Decimal("7.5")),
        ("7.50", 1, Decimal("7.50")),
        ("7.5", 0, None),
        ("-1", 0, None),
        ("二", 0, None),
        ("1e3", 0, None),
        ("9999999999999", 0, None),
    ],
)
def test_what_is_typed_is_a_number_that_the_cell_holds(text: str, places: int, number: object) -> None:
    assert typed_number(text, places) == number


def test_a_sum_is_known_once_everything_it_adds_is() -> None:
    plan = plan_of(spec())
    values = completed(plan, {"l2": {"old": "2.5", "new": 1}, "l3": {"old": None}})
    assert values["l2"]["all"] == "3.5"
    assert values["l1"]["old"] is None
    values = completed(plan, {"l2": {"old": "2.5", "new": 1}, "l3": {"old": "4.0"}})
    assert values["l1"]["old"] == "6.5"
    assert values["l1"]["new"] == 1


leaves = st.lists(st.lists(st.lists(st.integers(0, 10**6), min_size=3, max_size=3), max_size=5), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(leaves)
def test_the_sum_of_sums_is_the_sum_of_all(province: list[list[list[int]]]) -> None:
    """However schools lie in counties, a province that adds up its counties says what all schools say together."""
    plan = plan_of(spec(columns=[{**column, "places": 0} for column in SMALL["columns"]]))

    def school(numbers: list[int]) -> Cells:
        old, new, other = numbers
        return completed(plan, {"l2": {"old": old, "new": new}, "l3": {"old": other}})

    def summed(parts: Iterable[Cells]) -> Cells:
        totals: dict[Place, Any] = {}
        for part in parts:
            for place, cell in plan.items():
                if cell.kind not in (CellKind.SUM, CellKind.BLANK):
                    totals[place] = totals.get(place, 0) + number_of(part[place[0]][place[1]])
        return added(plan, totals)

    counties = [[school(numbers) for numbers in county] for county in province]
    top = summed(summed(county) for county in counties)
    everybody = [one for county in counties for one in county]
    assert top == summed(everybody)
    assert top["l1"]["all"] == sum(number_of(one["l1"]["all"]) or 0 for one in everybody)


def test_imbalances_name_the_check_and_the_place() -> None:
    values: Cells = {"l1": {"all": 10, "old": 1, "new": 9}, "l2": {"all": 6, "old": 2, "new": 4}, "l3": {"all": 4, "old": 4}}
    found = list(
        imbalances(spec(), values, others={"stat.other": {"l2": {"all": 7}}}, last={"l1": {"all": 4}}, today=date(2025, 9, 1))
    )
    assert [(one.name, one.is_error) for one in found] == [("less:old", True), ("change", False), ("same:l2", True)]
    assert [one.name for one in imbalances(spec(), values, others={"stat.other": None}, last=None, today=date(2025, 9, 1))] == [
        "less:old"
    ]


def test_the_shipped_forms_have_no_faults() -> None:
    bodies = shipped()
    assert {PUPILS, CLASSES, STAFF, "stat.teachers", "stat.premises", "stat.school_basics"} == set(bodies)
    for body in bodies.values():
        assert list(check_template(body)) == []


@pytest.mark.parametrize(
    ("place", "change", "path"),
    [
        ("lines", {"key": "l2", "code": "02", "title": "二", "sum": ["l9"]}, "lines.l2.sum"),
        ("lines", {"key": "l2", "code": "02", "title": "二", "sum": ["l1"]}, "lines.l1.sum"),
        ("lines", {"key": "l2", "code": "01", "title": "二"}, "lines.01"),
        ("lines", {"key": "l2", "code": "02", "title": "二", "count": "pupils", "where": {"size": 3}}, "lines.l2.where.size"),
        ("lines", {"key": "l2", "code": "02", "title": "二", "lake": "DROP TABLE x"}, "lines.l2.lake"),
        ("checks", {"key": "less", "check": "l1.al > 0", "message": "少了"}, "checks.less.check"),
        ("checks", {"key": "less", "check": "l1.all >", "message": "少了"}, "checks.less.check"),
        ("lines", {"key": "l2", "code": "02", "title": "二", "were": {}}, "lines.l2.were"),
    ],
)
def test_faults_are_told_where_they_stand(place: str, change: dict[str, Any], path: str) -> None:
    body = deepcopy(SMALL)
    body[place] = [change if part["key"] == change["key"] else part for part in body[place]]
    assert path in {finding.path for finding in check_template(body)}


def test_headings_that_are_equal_beside_one_another_are_one() -> None:
    found = headings(spec().columns, "zh-hans")
    assert [one.text for one in found] == ["合计", "其中", "原有", "新增"]
    assert Heading("其中", 0, 0, 1, 2) in found
    assert Heading("合计", 0, 1, 0, 0) in found
    assert Heading("新增", 1, 1, 2, 2) in found


def test_whoever_has_two_roles_counts_once_in_all_and_once_in_each() -> None:
    rows = [
        TallyRow("1/", 1, roles=frozenset({Role.TEACHER, Role.HEAD}), sex=Sex.FEMALE, age=40),
        TallyRow("1/", 2, roles=frozenset({Role.TEACHER}), age=None),
    ]
    assert counted(rows, TallyCondition(roles=frozenset({Role.TEACHER, Role.HEAD}))) == 3
    assert counted(rows, TallyCondition(roles=frozenset({Role.HEAD}))) == 1
    assert counted(rows, TallyCondition(age_from=35, age_below=45)) == 1


def test_an_age_is_completed_on_the_birthday() -> None:
    assert born_by(date(2025, 9, 1), 6) == date(2019, 9, 1)
    assert born_by(date(2024, 2, 29), 1) == date(2023, 2, 28)
