"""A chart in its three forms: the picture for print, the numbers for the browser, the table beside both."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shuren.pages.data import Chart, ChartKind, MapDot, Point
from shuren.pages.rules import svg
from shuren.pages.rules.drawings.parts import Drawing, value_text
from shuren.pages.rules.drawings.places import draw_places
from shuren.pages.rules.drawings.plots import draw_histogram, draw_trend
from shuren.pages.rules.drawings.rows import draw_bars, draw_interval_dots, draw_levels
from shuren.pages.rules.drawings.tiles import draw_tiles
from shuren.pages.rules.numbers import NONE, interval_text, number_text

DRAWINGS: dict[ChartKind, Callable[[Chart], Drawing]] = {
    ChartKind.HISTOGRAM: draw_histogram,
    ChartKind.LEVELS: draw_levels,
    ChartKind.INTERVAL_DOTS: draw_interval_dots,
    ChartKind.ITEM_BARS: draw_bars,
    ChartKind.TILES: draw_tiles,
    ChartKind.TREND: draw_trend,
}


@dataclass(frozen=True, slots=True)
class ChartTable:
    """The chart's numbers as text; `notes` are the distinct remarks of its points."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    urls: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def linked_rows(self) -> tuple["TableRow", ...]:
        return tuple(TableRow(cells, url) for cells, url in zip(self.rows, self.urls, strict=True))


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a chart's table with the address its label leads to."""

    cells: tuple[str, ...]
    url: str


def chart_svg(chart: Chart) -> str:
    """The chart as an accessible SVG picture that needs neither script nor style sheet."""
    shapes, height = DRAWINGS[chart.kind](chart)
    table = chart_table(chart, interval_title=chart.interval_title)
    description = "; ".join(", ".join(row) for row in table.rows[:40])
    return svg.picture(shapes, height=height, title=chart.title, description=description)


def boundaries_svg(boundaries: Sequence[tuple[str, Mapping[str, object]]], *, title: str, dots: Sequence[MapDot] = ()) -> str:
    """Named boundaries (GeoJSON) as one picture without values, with things on it; at least one of either is given."""
    shapes, height = draw_places(boundaries, dots)
    return svg.picture(shapes, height=height, title=title, description=", ".join(name for name, _geometry in boundaries))


def chart_name(chart: Chart) -> str:
    """A short stable name for ids and file names, made from the chart's own words unless it has a name."""
    if chart.name:
        return chart.name
    return hashlib.sha256(f"{chart.kind}|{chart.title}".encode()).hexdigest()[:10]


def chart_table(chart: Chart, *, interval_title: str = "", count_title: str = "n") -> ChartTable:
    """A row per label, a column per series, an interval column where a series has intervals; levels are the rows."""
    if chart.kind is ChartKind.LEVELS:
        return _level_table(chart, interval_title, count_title)
    has_interval = [_has_interval(series.points) for series in chart.series]
    has_count = any(point.count is not None for point in chart.series[0].points) if chart.series else False
    header = [chart.label_title]
    for series, is_wide in zip(chart.series, has_interval, strict=True):
        header += [series.name or chart.value_title, *([interval_title] if is_wide else [])]
    header += [count_title] if has_count else []
    beside = [{point.label: point for point in series.points} for series in chart.series]
    labels = list(dict.fromkeys(point.label for series in chart.series for point in series.points))
    rows, urls = [], []
    for label in labels:
        row = [label]
        for points, is_wide in zip(beside, has_interval, strict=True):
            row += _cells(chart, points.get(label), is_wide)
        first = next((points[label] for points in beside if label in points), None)
        if has_count:
            row.append(_count_text(first))
        rows.append(tuple(row))
        urls.append(first.url if first else "")
    return ChartTable(tuple(header), tuple(rows), tuple(urls), _notes(chart))


def _level_table(chart: Chart, interval_title: str, count_title: str) -> ChartTable:
    """A row per level and a column per unit: few units have many levels, and paper is narrow."""
    units = [tuple(series.points[at] for series in chart.series) for at in range(len(chart.series[0].points))]
    has_interval = [_has_interval(points) for points in units]
    header = [chart.value_title]
    for points, is_wide in zip(units, has_interval, strict=True):
        header += [points[0].label, *([interval_title] if is_wide else [])]
    rows = []
    for at, series in enumerate(chart.series):
        row = [series.name]
        for points, is_wide in zip(units, has_interval, strict=True):
            row += _cells(chart, points[at], is_wide)
        rows.append(tuple(row))
    if any(points[0].count is not None for points in units):
        counts = [count_title]
        for points, is_wide in zip(units, has_interval, strict=True):
            counts += [_count_text(points[0]), *([""] if is_wide else [])]
        rows.append(tuple(counts))
    return ChartTable(tuple(header), tuple(rows), ("",) * len(rows), _notes(chart))


def _has_interval(points: Sequence[Point]) -> bool:
    return any(point.low is not None for point in points)


def _count_text(point: Point | None) -> str:
    return number_text(point.count if point and not point.is_suppressed else None, 0)


def _notes(chart: Chart) -> tuple[str, ...]:
    return tuple(dict.fromkeys(point.note for series in chart.series for point in series.points if point.note))


def _cells(chart: Chart, point: Point | None, has_interval: bool) -> list[str]:
    if point is None:
        return [NONE, NONE] if has_interval else [NONE]
    cells = [value_text(chart, point)]
    if has_interval:
        hidden = point.is_suppressed
        cells.append(NONE if hidden else interval_text(point.low, point.high, chart.decimals))
    return cells


def chart_json(chart: Chart) -> dict[str, object]:
    """The chart for the browser; suppressed values never leave the server."""
    return {
        "kind": chart.kind.value,
        "name": chart_name(chart),
        "title": chart.title,
        "labelTitle": chart.label_title,
        "valueTitle": chart.value_title,
        "unit": chart.unit,
        "decimals": chart.decimals,
        "minimum": chart.minimum,
        "maximum": chart.maximum,
        "note": chart.note,
        "compact": chart.is_compact,
        "references": [
            {"label": item.label, "value": item.value, "low": item.low, "high": item.high} for item in chart.references
        ],
        "series": [
            {"name": series.name, "points": [_point_json(chart, point) for point in series.points]} for series in chart.series
        ],
    }


def _point_json(chart: Chart, point: Point) -> dict[str, object]:
    hidden = point.is_suppressed
    entry: dict[str, object] = {"label": point.label, "value": None if hidden else point.value}
    if not hidden and point.low is not None and point.high is not None:
        entry |= {"low": point.low, "high": point.high}
    if point.begin is not None:
        entry |= {"begin": point.begin, "end": point.end}
    if point.geometry is not None and chart.kind is ChartKind.TILES:
        entry["geometry"] = dict(point.geometry)
    count = None if hidden else point.count
    for key, value in (("count", count), ("url", point.url), ("note", point.note), ("group", point.group)):
        if value not in (None, ""):
            entry[key] = value
    if point.is_focus:
        entry["focus"] = True
    if hidden:
        entry["suppressed"] = True
    return entry
