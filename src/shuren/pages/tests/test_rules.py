import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.pages.data import Chart, ChartKind, Column, IntervalScale, ListSpec, MapDot, Point, Reference, Series, Status
from shuren.pages.rules import addresses, cells, geometry, numbers, svg
from shuren.pages.rules.charts import boundaries_svg, chart_json, chart_name, chart_svg, chart_table
from shuren.pages.rules.drawings.intervals import interval_bar_svg, interval_scale_svg
from shuren.pages.rules.drawings.parts import LABEL_LIMIT, axis_ticks, label_gutter, linear, placed_references
from shuren.pages.rules.drawings.plots import end_shifts

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (None, None, "—"),
        (float("nan"), 1, "—"),
        (0, None, "0"),
        (1234567, None, "1,234,567"),
        (508.3051, 1, "508.3"),
        (-0.5, 1, "−0.5"),
        (-0.04, 1, "0.0"),
        (12, 1, "12.0"),
    ],
)
def test_numbers_read_as_the_house_writes_them(value: float | None, decimals: int | None, text: str) -> None:
    assert numbers.number_text(value, decimals) == text


def test_estimates_and_intervals() -> None:
    assert numbers.estimate_text(508.31, 2.58) == "508.3 (±2.6)"
    assert numbers.estimate_text(None, 2.58) == "—"
    assert numbers.interval_text(503.2, 513.44) == "503.2–513.4"
    assert numbers.interval_text(None, 1.0) == "—"


def test_cells_read_as_text() -> None:
    assert numbers.cell_text(None) == numbers.cell_text("") == "—"
    assert numbers.cell_text(date(2026, 9, 1)) == "2026-09-01"
    assert numbers.cell_text(datetime(2026, 9, 1, 14, 2, tzinfo=UTC)) == "2026-09-01 14:02"
    assert numbers.cell_text(12345) == "12,345"
    assert numbers.cell_text(True) == "✓"


@pytest.mark.parametrize("text", ["=1+1", "+86", "-2", "@SUM(A1)", "\t=1", " =1", "＝1", "\x00=1"])
def test_text_that_opens_like_a_formula_is_guarded(text: str) -> None:
    assert cells.csv_cell(text).startswith("'")
    assert cells.csv_cell(Status(text=text)).startswith("'")
    assert str(cells.sheet_cell(text)).startswith("'")


@given(st.text(max_size=40))
def test_no_text_leaves_as_a_formula_and_plain_text_stays(text: str) -> None:
    sent = cells.csv_cell(text)
    assert not sent.lstrip(" ").startswith(cells.FORMULA_STARTS)
    assert sent.removeprefix("'") == cells.FORBIDDEN.sub("", text) or sent == text


def test_numbers_and_dates_keep_their_type() -> None:
    assert cells.csv_cell(-0.35) == "-0.35"
    assert cells.sheet_cell(-0.35) == -0.35
    assert cells.csv_cell(float("nan")) == ""
    assert cells.sheet_cell(float("inf")) is None
    assert cells.csv_cell(True) == "1"
    assert cells.csv_cell(date(2026, 9, 1)) == "2026-09-01"
    assert cells.sheet_cell(datetime(2026, 9, 1, tzinfo=UTC)) == datetime(2026, 9, 1)
    assert len(str(cells.sheet_cell("长" * 40_000))) == cells.CELL_LIMIT


def test_names_of_files_and_sheets_hold_no_forbidden_sign() -> None:
    assert cells.file_name('a/b\\c"\r\n.名单', "csv") == "a-b-c-.名单.csv"
    assert cells.file_name("///", "xlsx") == "export.xlsx"
    assert cells.sheet_name("[一]:二*" + "长" * 40) == "一  二 " + "长" * 26
    assert cells.sheet_name("'?'") == "Sheet1"


class TestAddresses:
    def test_broken_values_fall_back(self, spec_of: Callable[..., ListSpec[object]]) -> None:
        spec = spec_of([], default_sort="name")
        query = addresses.parsed_query(
            spec, {"page": "-3", "size": "7", "sort": "password", "state": "gone", "q": " 李 ", "unknown": "1"}
        )
        assert (query.number, query.size, query.sort, query.search, dict(query.filters)) == (1, 25, "name", "李", {})

    @given(st.dictionaries(st.sampled_from(["q", "page", "size", "sort", "state", "columns"]), st.text(max_size=30)))
    def test_no_address_fails(self, fields: dict[str, str]) -> None:
        column: Column[str] = Column(key="name", title="姓名", value=str, sort="name")
        spec = ListSpec(name="x", title="x", columns=(column,), rows=lambda query: pytest.fail("not read"))
        query = addresses.parsed_query(spec, fields)
        assert query.size in spec.sizes
        assert query.number >= 1
        assert query.sort in ("", "name", "-name")
        assert addresses.shown_columns(spec, fields) == (column,)

    def test_columns_keep_the_order_of_the_list(self, spec_of: Callable[..., ListSpec[object]]) -> None:
        shown = addresses.shown_columns(spec_of([]), {"columns": "born,name"})
        assert [column.key for column in shown] == ["name", "born"]

    @given(st.dictionaries(st.text("abcq&=?#", min_size=1, max_size=4), st.text("a&=?# 李+", min_size=1, max_size=6)))
    def test_a_changed_address_keeps_every_other_field(self, fields: dict[str, str]) -> None:
        address = addresses.changed_address(fields, {"page": 3, "zz": None})
        assert dict(parse_qsl(address[1:])) == fields | {"page": "3"}

    def test_a_click_sorts_up_then_down(self) -> None:
        column: Column[str] = Column(key="name", title="姓名", value=str, sort="name")
        assert addresses.next_sort(column, "") == "name"
        assert addresses.next_sort(column, "name") == "-name"
        assert addresses.next_sort(column, "-name") == "name"

    @given(st.integers(1, 500), st.integers(1, 500))
    def test_page_numbers_hold_first_last_and_here(self, number: int, last: int) -> None:
        number = min(number, last)
        offered = addresses.page_numbers(number, last)
        shown = [page for page in offered if page is not None]
        assert shown == sorted(set(shown))
        assert {1, number, last} <= set(shown)
        assert all(1 <= page <= last for page in shown)
        assert len(offered) <= 9


class TestCharts:
    @pytest.mark.parametrize("kind", list(ChartKind))
    def test_every_kind_is_drawn_as_well_formed_svg(self, charts: dict[ChartKind, Chart], kind: ChartKind) -> None:
        root = ElementTree.fromstring(chart_svg(charts[kind]))
        words = "".join(root.itertext())
        assert charts[kind].title in words
        assert all(point.label in words for point in charts[kind].series[0].points if kind is not ChartKind.HISTOGRAM)
        width, height = map(float, root.attrib["viewBox"].split()[2:])
        for node in root.iter():
            for name, limit in (("x", width), ("cx", width), ("x1", width), ("y", height), ("cy", height), ("y1", height)):
                if name in node.attrib:
                    assert -1 <= float(node.attrib[name]) <= limit + 1, (kind, node.attrib)

    @pytest.mark.parametrize("kind", list(ChartKind))
    def test_a_chart_without_points_is_drawn_too(self, kind: ChartKind) -> None:
        empty = Chart(kind=kind, title="没有数据", series=(Series(name="", points=()),))
        ElementTree.fromstring(chart_svg(empty))

    def test_suppressed_values_never_leave(self, charts: dict[ChartKind, Chart]) -> None:
        chart = charts[ChartKind.INTERVAL_DOTS]
        for form in (chart_svg(chart), str(chart_json(chart)), str(chart_table(chart).rows)):
            assert not re.search(r"77[07]\.|785", form)
            assert "count': 7" not in form
        assert chart_table(chart).rows[2] == ("太平镇教学点", "*", "—", "—")
        assert chart_table(chart).notes == ("人数不足 10，不显示",)

    def test_intervals_are_drawn_and_tabled(self, charts: dict[ChartKind, Chart]) -> None:
        chart = charts[ChartKind.INTERVAL_DOTS]
        assert chart_svg(chart).count('class="s0 interval"') == 2
        table = chart_table(chart, interval_title="95% 区间", count_title="人数")
        assert table.header == ("区县", "平均分", "95% 区间", "人数")
        assert table.rows[0] == ("青川区", "512.3", "504.0–520.6", "612")
        assert table.linked_rows[0].url == "/reports/1/"

    def test_points_with_addresses_are_links_and_words_are_escaped(self, charts: dict[ChartKind, Chart]) -> None:
        drawn = chart_svg(charts[ChartKind.INTERVAL_DOTS])
        assert '<a href="/reports/1/">' in drawn
        assert 'role="group"' in drawn
        assert "<高于>" not in drawn
        assert 'role="img"' in chart_svg(charts[ChartKind.TREND])

    def test_an_axis_holds_its_own_minimum_and_maximum_between_round_marks(self, charts: dict[ChartKind, Chart]) -> None:
        chart = replace(charts[ChartKind.INTERVAL_DOTS], minimum=389.0, maximum=645.0)
        ticks = axis_ticks(chart, from_zero=False)
        assert ticks == (350.0, 400.0, 450.0, 500.0, 550.0, 600.0, 650.0)
        shares = replace(charts[ChartKind.ITEM_BARS], series=(Series(name="", points=(Point(label="a", value=96, high=100),)),))
        assert axis_ticks(shares, from_zero=True)[-1] == 100

    def test_reference_words_lie_beside_or_above_one_another(self, charts: dict[ChartKind, Chart]) -> None:
        cuts = tuple(Reference(label=f"水平{number}", value=500.0 + number) for number in range(5))
        placed = placed_references(replace(charts[ChartKind.INTERVAL_DOTS], references=cuts), linear(400, 600, 100, 600))
        assert len(placed) == 5
        for one, other in itertools.combinations(placed, 2):
            apart = abs(one.centre - other.centre)
            assert one.row != other.row or apart >= (svg.text_width(one.words, 12) + svg.text_width(other.words, 12)) / 2
        assert placed[0].words == "水平0 500"

    def test_a_compact_chart_names_its_focus_alone(self) -> None:
        points = tuple(Point(label=f"单位{number}", value=number, low=number - 1, high=number + 1) for number in range(30))
        own = Point(label="本校", value=15.5, low=14, high=17, is_focus=True)
        chart = Chart(
            kind=ChartKind.INTERVAL_DOTS, title="位置", series=(Series(name="", points=(*points, own)),), is_compact=True
        )
        drawn = chart_svg(chart)
        texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
        assert "本校" in texts
        assert not any("单位" in text for text in texts)
        assert drawn.count(" interval") == 31
        assert float(ElementTree.fromstring(drawn).attrib["viewBox"].split()[3]) < 600

    def test_a_group_beside_bars_is_drawn_with_its_interval(self, charts: dict[ChartKind, Chart]) -> None:
        subject = charts[ChartKind.ITEM_BARS].series[0]
        beside = Series(name="推算", points=(Point(label="M01", value=50.0, low=40.0, high=60.0),))
        drawn = chart_svg(replace(charts[ChartKind.ITEM_BARS], series=(subject, beside)))
        assert 'class="s1 interval"' in drawn

    def test_the_table_of_levels_has_a_row_per_level(self, charts: dict[ChartKind, Chart]) -> None:
        chart = charts[ChartKind.LEVELS]
        own = [replace(series.points[0], low=1.0, high=60.0, count=20) for series in chart.series]
        series = tuple(replace(level, points=(first, level.points[1])) for level, first in zip(chart.series, own, strict=True))
        table = chart_table(replace(chart, series=series, value_title="占比"), interval_title="95% 区间", count_title="人数")
        assert table.header == ("占比", "青川区", "95% 区间", "明德区")
        assert table.rows[0] == ("基础", "20.0%", "1.0–60.0", "30.0%")
        assert table.rows[-1] == ("人数", "20", "", "—")
        assert len(table.rows) == len(table.urls) == 4

    def test_cut_scores_do_not_flatten_a_histogram(self, charts: dict[ChartKind, Chart]) -> None:
        chart = replace(charts[ChartKind.HISTOGRAM], references=(Reference(label="高", value=550.0),))
        bars = [node for node in ElementTree.fromstring(chart_svg(chart)).iter() if node.attrib.get("class") == "s0"]
        assert max(float(bar.attrib["height"]) for bar in bars) > 150

    def test_level_bars_fill_the_row(self, charts: dict[ChartKind, Chart]) -> None:
        root = ElementTree.fromstring(chart_svg(charts[ChartKind.LEVELS]))
        bars = [node for node in root.iter() if "share" in node.attrib.get("class", "")]
        assert len(bars) == 6
        rows: dict[str, float] = {}
        for bar in bars:
            rows[bar.attrib["y"]] = rows.get(bar.attrib["y"], 0.0) + float(bar.attrib["width"]) + 1
        first, second = rows.values()
        assert first == pytest.approx(second, abs=0.5)

    def test_names_are_stable_and_differ(self, charts: dict[ChartKind, Chart]) -> None:
        names = {chart_name(chart) for chart in charts.values()}
        assert len(names) == len(charts)
        trend = charts[ChartKind.TREND]
        assert chart_name(trend) == chart_name(replace(trend, note="other"))
        assert chart_name(replace(trend, name="growth")) == "growth"

    def test_tiles_without_outlines_become_a_grid(self) -> None:
        points = tuple(Point(label=f"区{number}", value=float(number)) for number in range(8))
        drawn = chart_svg(Chart(kind=ChartKind.TILES, title="格", series=(Series(name="", points=points),)))
        root = ElementTree.fromstring(drawn)
        tiles = [node for node in root.iter() if node.attrib.get("rx") == "4"]
        assert len(tiles) == 8
        assert len({node.attrib["x"] for node in tiles}) == 6


class TestDrawingParts:
    def test_bars_of_one_table_share_their_scale(self) -> None:
        scale = IntervalScale(low=400, high=600, marks=(Reference(label="", value=500),))
        left, right = (
            ElementTree.fromstring(interval_bar_svg(Point(label="", value=value, low=value - 10, high=value + 10), scale))
            for value in (450.0, 550.0)
        )
        x = [float(bar.find("circle").attrib["cx"]) for bar in (left, right)]
        mark = float(left.find("line").attrib["x1"])
        assert x[0] < mark < x[1]
        assert mark - x[0] == pytest.approx(x[1] - mark, abs=0.2)
        assert "500" in interval_scale_svg(scale)

    @given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
    def test_ticks_cover_the_range_in_even_steps(self, low: float, span: float) -> None:
        ticks = svg.nice_ticks(low, low + span)
        assert ticks[0] <= low + 1e-6
        assert ticks[-1] >= low + span - max(1e-6, span * 1e-6)
        assert 2 <= len(ticks) <= 9
        steps = [after - before for before, after in itertools.pairwise(ticks)]
        assert max(steps) == pytest.approx(min(steps), rel=1e-3)

    @given(st.text(max_size=60), st.floats(20, 300))
    def test_fitted_text_fits(self, words: str, width: float) -> None:
        assert svg.text_width(svg.fitted(words, width)) <= width

    @given(st.text(max_size=60))
    def test_a_place_made_for_a_name_holds_it(self, name: str) -> None:
        assert svg.fitted(name, label_gutter([name]) - 14) == name or svg.text_width(name) > LABEL_LIMIT

    @given(st.text("题目一二 abc123", max_size=60), st.floats(40, 300))
    def test_a_long_name_breaks_into_two_lines_that_fit(self, words: str, width: float) -> None:
        lines = svg.wrapped(words, width)
        assert 1 <= len(lines) <= 2
        assert all(svg.text_width(line) <= width + 1e-6 for line in lines)
        assert words.startswith(lines[0])

    @given(st.floats(-10, 10), st.floats(-5, 5), st.floats(0, 5))
    def test_every_value_has_a_step(self, value: float, low: float, span: float) -> None:
        assert 0 <= svg.step_of(value, low, low + span) < len(svg.SEQUENCE)

    def test_levels_spread_over_the_whole_scale(self) -> None:
        assert svg.ramp(5) == (0, 1, 2, 3, 4)
        assert svg.ramp(2) == (0, 4)
        assert svg.ramp(1) == (3,)

    @given(st.lists(st.floats(0, 300), min_size=1, max_size=6))
    def test_names_at_line_ends_keep_apart(self, places: list[float]) -> None:
        moved = sorted(place + shift for place, shift in zip(places, end_shifts(places), strict=True))
        assert all(after - before >= 15.99 for before, after in itertools.pairwise(moved))

    def test_outlines_keep_inside_the_box_and_north_is_up(self) -> None:
        outline = {"type": "MultiPolygon", "coordinates": [[[[100, 30], [102, 31], [101, 28], [100, 30]]]]}
        rings = geometry.rings_of(outline)
        place, height = geometry.ring_projection(rings, 720, 400)
        placed = [place(corner) for corner in rings[0]]
        assert all(-1e-6 <= x <= 720.001 and -1e-6 <= y <= height + 1e-6 for x, y in placed)
        assert place((102, 31))[1] < place((101, 28))[1]
        assert geometry.rings_of({"type": "Point", "coordinates": [1, 2]}) == []

    def test_the_name_stands_in_the_middle_of_its_area(self) -> None:
        crowded = ((0.0, 0.0), (0.1, 0.0), (0.2, 0.0), (4.0, 0.0), (4.0, 2.0), (0.0, 2.0), (0.0, 0.0))
        assert geometry.middle_of(crowded) == pytest.approx((2.0, 1.0))
        assert geometry.middle_of(((0.0, 0.0), (2.0, 2.0), (0.0, 0.0))) == pytest.approx((2 / 3, 2 / 3))

    def test_print_and_page_share_their_colours(self) -> None:
        tokens = (ROOT / "frontend/src/styles/tokens.css").read_text("utf-8").split('[data-bs-theme="dark"]')[0]
        assert tuple(re.findall(r"--series-\d: (#\w+)", tokens)) == svg.PALETTE
        assert tuple(re.findall(r"--step-\d: (#\w+)", tokens)) == svg.SEQUENCE


def test_things_lie_in_their_outlines_and_none_is_lost() -> None:
    square: dict[str, object] = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}
    dots = [MapDot(label="中间 <b>", longitude=1, latitude=1, url="/entries/x/"), MapDot(label="外面", longitude=9, latitude=1)]
    root = ElementTree.fromstring(boundaries_svg([("东湖区", square)], title="位置", dots=dots))
    circles = [node for node in root.iter() if node.tag.endswith("circle")]
    middle, outside = (float(circle.attrib["cx"]) for circle in circles)
    assert 0 < middle < outside <= 720
    assert [node.attrib["href"] for node in root.iter() if node.tag.endswith("}a")] == ["/entries/x/"]
    alone = ElementTree.fromstring(boundaries_svg([], title="位置", dots=dots[:1]))
    assert "中间 <b>" in "".join(alone.itertext())
