"""Pictures of reports: a title that says what was found, an interval on every mean."""

import pytest

from shuren.evaluation.api import pupil_report, report_of
from shuren.evaluation.rules.charts.points import domain_labels
from shuren.evaluation.rules.charts.pupil import pupil_charts
from shuren.evaluation.rules.charts.report import report_charts
from shuren.evaluation.tests.conftest import NOW, Region
from shuren.kernel.data import SYSTEM
from shuren.pages.data import Chart, ChartKind

WITH_INTERVALS = {ChartKind.INTERVAL_DOTS, ChartKind.ITEM_BARS, ChartKind.TILES, ChartKind.TREND}


def charts_of(region: Region, run_id: int, org: str) -> dict[str, Chart]:
    return report_charts(report_of(actor=SYSTEM, run_id=run_id, org_id=region.orgs[org], now=NOW).body)


@pytest.mark.parametrize("org", ["city", "east", "east1", "east1c1"])
def test_every_mean_and_rate_is_drawn_with_its_interval(region: Region, run_id: int, org: str) -> None:
    bare = [
        (name, point.label)
        for name, chart in charts_of(region, run_id, org).items()
        if chart.kind in WITH_INTERVALS
        for point in chart.series[0].points
        if point.value is not None and (point.low is None or point.high is None or not point.low <= point.value <= point.high)
    ]
    assert bare == []


def test_the_tiles_say_how_many_units_stand_out(region: Region, run_id: int) -> None:
    chart = charts_of(region, run_id, "city")["map"]
    body = report_of(actor=SYSTEM, run_id=run_id, org_id=region.orgs["city"], now=NOW).body
    whole = body["mean"]
    gaps = [
        (row["mean"]["value"] - whole["value"]) / (row["mean"]["se"] ** 2 + whole["se"] ** 2) ** 0.5
        for row in body["children"]
        if not row["is_withheld"]
    ]
    higher, lower = sum(gap > 1.96 for gap in gaps), sum(gap < -1.96 for gap in gaps)
    words = f"{higher} 个显著高于、{lower} 个显著低于全市平均" if higher or lower else "没有一个显著高于或低于全市平均"
    assert chart.title == f"{len(gaps)} 个区县的平均分：{words}"


def test_siblings_stand_close_and_are_counted_with_their_errors(region: Region, run_id: int) -> None:
    chart = charts_of(region, run_id, "east1")["beside"]
    assert chart.is_compact
    assert [point.is_focus for point in chart.series[0].points].count(True) == 1
    assert chart.title.startswith("4 个同级单位中，")


def test_an_older_report_without_the_siblings_errors_still_draws_them(region: Region, run_id: int) -> None:
    body = dict(report_of(actor=SYSTEM, run_id=run_id, org_id=region.orgs["east1"], now=NOW).body)
    body["beside"] = {key: value for key, value in body["beside"].items() if key != "ses"}
    chart = report_charts(body)["beside"]
    assert chart.title == "在 5 个同级单位中的位置（其他单位不具名）"
    assert len(chart.series[0].points) == 5


def test_the_city_is_not_told_of_a_level_above(region: Region, run_id: int) -> None:
    assert "上一级" not in charts_of(region, run_id, "city")["item_rates"].note


def test_a_pupils_domains_stand_out_only_beyond_the_likely_range(region: Region, run_id: int) -> None:
    body = pupil_report(actor=SYSTEM, run_id=run_id, person_id=region.people["pupil"], now=NOW).body
    gained, usual = pupil_charts(body)["domains"].series
    rows = {row["name"]: row for row in body["domains"]}
    assert len(rows) == len(gained.points)
    for own, likely in zip(gained.points, usual.points, strict=True):
        row = rows[own.label]
        assert likely.low <= likely.value <= likely.high
        if row["standing"] is not None:
            outside = 1 if own.value > likely.high else -1 if own.value < likely.low else 0
            assert row["standing"] == outside


def test_a_domain_is_told_with_its_kind_only_where_its_name_alone_is_not_enough() -> None:
    rows = [{"kind_name": kind, "name": name} for kind, name in (("内容", "数"), ("内容", "综合"), ("认知", "综合"))]
    assert domain_labels(rows) == ["数", "内容·综合", "认知·综合"]


@pytest.mark.parametrize(
    ("standings", "title"),
    [
        ((1, -1), "“数”好于自己的总体水平，“形”弱一些"),
        ((1, 0), "“数”好于自己的总体水平"),
        ((None, -1), "“形”比自己的总体水平弱一些"),
        ((0, None), "各领域都和自己的总体水平相当"),
    ],
)
def test_the_title_says_what_stands_out(region: Region, run_id: int, standings: tuple[int | None, ...], title: str) -> None:
    body = dict(pupil_report(actor=SYSTEM, run_id=run_id, person_id=region.people["pupil"], now=NOW).body)
    rows = [
        {**row, "name": name, "standing": standing}
        for row, name, standing in zip(body["domains"], "数形", standings, strict=False)
    ]
    assert pupil_charts(body | {"domains": rows})["domains"].title == title


def test_the_score_stands_on_an_axis_that_holds_every_cut(region: Region, run_id: int) -> None:
    body = pupil_report(actor=SYSTEM, run_id=run_id, person_id=region.people["pupil"], now=NOW).body
    chart = pupil_charts(body)["score"]
    assert [line.value for line in chart.references] == [400, 475, 550, 625]
    assert chart.minimum < min(400, body["score"]["low"])
    assert chart.maximum > max(625, body["score"]["high"])
