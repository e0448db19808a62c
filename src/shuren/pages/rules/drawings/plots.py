"""Drawings whose values run up the page: distributions and change over time."""

from collections.abc import Sequence

from shuren.pages.data import Chart
from shuren.pages.rules import svg
from shuren.pages.rules.drawings.parts import (
    AXIS,
    TOP,
    Drawing,
    axis_ticks,
    linear,
    placed_references,
    point_title,
    reference_room,
    series_legend,
    upright_references,
)
from shuren.pages.rules.drawings.rows import draw_bars
from shuren.pages.rules.numbers import number_text


def draw_histogram(chart: Chart) -> Drawing:
    """Bars from zero for the subject, an outline for each group it is compared with."""
    names, used = series_legend(chart)
    bins = [point for point in chart.series[0].points if point.begin is not None and point.end is not None]
    if not bins:
        return draw_bars(chart)
    edges = [edge for point in bins for edge in (point.begin, point.end) if edge is not None]
    ticks = axis_ticks(chart, from_zero=True, count=4)
    left = 44.0
    x = linear(min(edges), max(edges), left, svg.WIDTH - 8)
    references = placed_references(chart, x)
    top = used + reference_room(references)
    bottom = top + 220.0
    y = linear(ticks[0], ticks[-1], bottom, top)
    shapes = list(names)
    for tick in ticks:
        shapes.append(svg.line(left, y(tick), svg.WIDTH - 8, y(tick)))
        shapes.append(svg.text(left - 6, y(tick) + 4, number_text(tick, 0), size=svg.SMALL, anchor="end", fill=svg.MUTED))
    for point in bins:
        begin, end = x(point.begin or 0.0), x(point.end or 0.0)
        height = bottom - y(point.value or 0.0)
        bar = svg.rect(begin + 1, bottom - height, end - begin - 2, height, fill=svg.color_of(0), mark="s0")
        shapes.append(svg.linked(bar, url=point.url, title=point_title(chart, "", point)))
    for index, series in enumerate(chart.series[1:], start=1):
        corners = [
            (x(edge), y(point.value or 0.0)) for point in series.points for edge in (point.begin, point.end) if edge is not None
        ]
        if corners:
            shapes.append(svg.path(corners, color=svg.color_of(index), mark=f"s{index} outline"))
    marks = svg.nice_ticks(min(edges), max(edges), 8)
    for mark in marks:
        if min(edges) <= mark <= max(edges):
            shapes.append(svg.text(x(mark), bottom + 18, number_text(mark, 0), size=svg.SMALL, anchor="middle", fill=svg.MUTED))
    return shapes + upright_references(references, top, bottom), bottom + AXIS


def end_shifts(places: Sequence[float], room: float = 16.0) -> list[float]:
    """How far names beside line ends move down so that none lies on another."""
    shifts = [0.0] * len(places)
    last = float("-inf")
    for index in sorted(range(len(places)), key=lambda number: places[number]):
        place = max(places[index], last + room)
        shifts[index] = place - places[index]
        last = place
    return shifts


def draw_trend(chart: Chart) -> Drawing:
    """Lines over the labels of the first series, an interval on every point, names at the right ends."""
    labels = [point.label for point in chart.series[0].points]
    ticks = axis_ticks(chart, from_zero=False, count=4)
    gutter = max((svg.text_width(series.name, svg.SMALL) for series in chart.series), default=0.0) + 16
    left, top, bottom = 52.0, TOP, TOP + 220.0
    right = svg.WIDTH - min(180.0, gutter)
    x = linear(0.0, max(1.0, len(labels) - 1.0), left + 12, right - 8)
    y = linear(ticks[0], ticks[-1], bottom, top)
    shapes: list[str] = []
    shifts = end_shifts([y(series.points[-1].value or 0.0) if series.points else 0.0 for series in chart.series])
    for tick in ticks:
        shapes.append(svg.line(left, y(tick), right, y(tick)))
        words = number_text(tick, 0 if float(tick).is_integer() else 1)
        shapes.append(svg.text(left - 6, y(tick) + 4, words, size=svg.SMALL, anchor="end", fill=svg.MUTED))
    for number, label in enumerate(labels):
        shapes.append(svg.text(x(number), bottom + 18, label, size=svg.SMALL, anchor="middle", fill=svg.MUTED))
    for index, series in enumerate(chart.series):
        color, corners = svg.color_of(index), []
        marks = ""
        for point in series.points:
            if point.value is None or point.is_suppressed or point.label not in labels:
                continue
            at = x(labels.index(point.label))
            corners.append((at, y(point.value)))
            if point.low is not None and point.high is not None:
                marks += svg.line(at, y(point.low), at, y(point.high), color=color, width=2, mark=f"s{index} interval")
            shape = svg.dot(at, y(point.value), 5, color=color, mark=f"s{index}")
            marks += svg.linked(shape, url=point.url, title=point_title(chart, series.name, point))
        if corners:
            shapes.append(svg.path(corners, color=color, mark=f"s{index} outline"))
            end = corners[-1]
            shapes.append(svg.text(end[0] + 12, end[1] + 4 + shifts[index], series.name, size=svg.SMALL, fill=color))
        shapes.append(marks)
    return shapes, bottom + AXIS
