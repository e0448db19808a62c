"""Drawings with a row per unit, domain or item: levels, intervals, bars."""

from shuren.pages.data import Chart, Point
from shuren.pages.rules import svg
from shuren.pages.rules.drawings.parts import (
    AXIS,
    VALUE_GUTTER,
    Drawing,
    Scale,
    axis_ticks,
    label_gutter,
    legend,
    linear,
    placed_references,
    point_title,
    reference_room,
    row_label,
    row_step,
    series_legend,
    upright_references,
    value_axis,
    value_text,
)
from shuren.pages.rules.numbers import SUPPRESSED, number_text

# The series colour of what stands beside the focus without a name.
GREY = 5


def draw_levels(chart: Chart) -> Drawing:
    """One bar of 100 % per unit, cut into the shares of the levels, each share written where it fits."""
    steps = svg.ramp(len(chart.series))
    shapes, used = legend(
        [series.name for series in chart.series],
        [svg.SEQUENCE[shade] for shade in steps],
        [f"q{shade}" for shade in steps],
    )
    rows = chart.series[0].points
    left = label_gutter([point.label for point in rows])
    scale = linear(0.0, 100.0, left, svg.WIDTH - 4)
    step = row_step([row.label for row in rows], 32.0)
    y = used + 6.0
    for index, row in enumerate(rows):
        shapes.append(row_label(y + 13, row.label, left, is_bold=row.is_focus))
        if row.is_suppressed:
            shapes.append(svg.text(left, y + 18, f"{SUPPRESSED} {row.note}".strip(), fill=svg.MUTED))
            y += step
            continue
        start = 0.0
        for series, shade in zip(chart.series, steps, strict=True):
            point = series.points[index]
            share = point.value or 0.0
            width = scale(start + share) - scale(start)
            fill, mark = svg.SEQUENCE[shade], f"q{shade} share"
            bar = svg.rect(scale(start), y, max(0.0, width - 1), 26, fill=fill, mark=mark)
            if width > 24:
                on = svg.INK if shade < svg.LIGHT_STEPS else svg.SURFACE
                words = number_text(share, 0)
                middle = scale(start) + width / 2
                bar += svg.text(middle, y + 18, words, size=svg.SMALL, anchor="middle", fill=on).replace(
                    'class="', f'class="on-q{shade} ', 1
                )
            shapes.append(svg.linked(bar, url=point.url or row.url, title=point_title(chart, series.name, point)))
            start += share
        y += step
    return shapes, y + 4


def interval_mark(chart: Chart, point: Point, scale: Scale, y: float, index: int) -> str:
    """The interval as a bar with the estimate as a dot on it; later series are hollow, what is not the focus small."""
    is_small = chart.is_compact and not point.is_focus
    color, name = (svg.PALETTE[GREY], f"s{GREY}") if is_small else (svg.color_of(index), f"s{index}")
    shape = ""
    if point.low is not None and point.high is not None:
        width = 1.5 if is_small else 3
        shape += svg.line(scale(point.low), y, scale(point.high), y, color=color, width=width, mark=f"{name} interval")
    if point.value is not None:
        radius = 2.0 if is_small else 6.0 if point.is_focus or index == 0 else 5.0
        shape += svg.dot(scale(point.value), y, radius, color=color, mark=name, is_hollow=index > 0)
    return shape


def draw_interval_dots(chart: Chart) -> Drawing:
    """A row per unit or domain: its mean as a dot, its interval as a bar, groups beside it as hollow dots.

    A compact chart names the focus alone; the others stand close around it in grey.
    """
    shapes, used = series_legend(chart)
    rows = chart.series[0].points
    labels = [point.label for point in rows if point.is_focus or not chart.is_compact]
    left = label_gutter(labels)
    step = compact_step(len(rows)) if chart.is_compact else row_step(labels, 30.0 if len(chart.series) < 3 else 40.0)
    ticks = axis_ticks(chart, from_zero=False)
    scale = linear(ticks[0], ticks[-1], left, svg.WIDTH - VALUE_GUTTER)
    references = placed_references(chart, scale)
    top = used + reference_room(references)
    bottom = top + step * len(rows)
    shapes += value_axis(ticks, scale, top, bottom, chart)
    shapes += upright_references(references, top, bottom)
    beside = [{point.label: point for point in series.points} for series in chart.series[1:]]
    for number, row in enumerate(rows):
        middle = top + step * number + step / 2
        mark = ""
        spread = 5.0 if beside else 0.0
        for index, group in enumerate(beside, start=1):
            other = group.get(row.label)
            if other is not None and not other.is_suppressed:
                mark += interval_mark(chart, other, scale, middle + spread * index, index)
        if not row.is_suppressed:
            mark += interval_mark(chart, row, scale, middle - spread, 0)
        if row.is_focus or not chart.is_compact:
            mark += row_label(middle, row.label, left, is_bold=row.is_focus)
            mark += svg.text(svg.WIDTH, middle + 5, value_text(chart, row), anchor="end", bold=row.is_focus)
        shapes.append(svg.linked(mark, url=row.url, title=point_title(chart, chart.series[0].name, row)))
    return shapes, bottom + AXIS


def compact_step(count: int) -> float:
    """Height of the rows of a compact chart: the more there are, the closer they stand."""
    return min(14.0, max(4.0, 480.0 / max(1, count)))


def draw_bars(chart: Chart) -> Drawing:
    """A bar from zero per item with its interval; the group it is compared with is a tick across the bar."""
    shapes, used = series_legend(chart, subject=(svg.SEQUENCE[2], "q2"))
    rows = chart.series[0].points
    labels = [point.label for point in rows]
    left = label_gutter(labels, svg.SMALL)
    step = row_step(labels, 24.0, svg.SMALL)
    ticks = axis_ticks(chart, from_zero=True)
    scale = linear(ticks[0], ticks[-1], left, svg.WIDTH - VALUE_GUTTER)
    references = placed_references(chart, scale)
    top = used + reference_room(references)
    bottom = top + step * len(rows)
    shapes += value_axis(ticks, scale, top, bottom, chart)
    beside = [{point.label: point for point in series.points} for series in chart.series[1:]]
    for number, row in enumerate(rows):
        middle = top + step * number + step / 2
        mark = row_label(middle, row.label, left, size=svg.SMALL, is_bold=row.is_focus)
        if row.value is not None and not row.is_suppressed:
            mark += svg.rect(scale(0), middle - 8, scale(row.value) - scale(0), 16, fill=svg.SEQUENCE[2], mark="q2", radius=2)
            if row.low is not None and row.high is not None:
                mark += svg.line(scale(row.low), middle, scale(row.high), middle, color=svg.INK, width=1.5)
        for index, group in enumerate(beside, start=1):
            other = group.get(row.label)
            if other is not None and other.value is not None and not other.is_suppressed:
                mark += _tick_mark(other, scale, middle, index)
        mark += svg.text(svg.WIDTH, middle + 5, value_text(chart, row), size=svg.SMALL, anchor="end")
        shapes.append(svg.linked(mark, url=row.url, title=point_title(chart, chart.series[0].name, row)))
    return shapes + upright_references(references, top, bottom), bottom + AXIS


def _tick_mark(point: Point, scale: Scale, middle: float, index: int) -> str:
    """What a bar is compared with: a tick across it, its own interval as a line."""
    x, color, mark = scale(point.value or 0.0), svg.color_of(index), f"s{index}"
    shape = svg.line(x, middle - 11, x, middle + 11, color=color, width=3, mark=mark)
    if point.low is not None and point.high is not None:
        shape += svg.line(scale(point.low), middle, scale(point.high), middle, color=color, width=2, mark=f"{mark} interval")
    return shape
