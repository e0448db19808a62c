"""What several drawings share: axes, legends, reference lines, words about a point."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shuren.pages.data import Chart, ChartKind, Point, Reference
from shuren.pages.rules import svg
from shuren.pages.rules.numbers import SUPPRESSED, interval_text, number_text

Drawing = tuple[list[str], float]
Scale = Callable[[float], float]
TOP = 26.0
BARE_TOP = 8.0
REFERENCE_LINE = 16.0
LINE_GAP = 3.0
AXIS = 30.0
LABEL_LIMIT = 200.0
VALUE_GUTTER = 62.0


def value_text(chart: Chart, point: Point) -> str:
    """The value with its unit, "*" where it is suppressed."""
    if point.is_suppressed:
        return SUPPRESSED
    text = number_text(point.value, chart.decimals)
    return text + chart.unit if point.value is not None and chart.unit == "%" else text


def point_title(chart: Chart, name: str, point: Point) -> str:
    """What a reader is told on pointing at a mark: series, label, value and interval."""
    parts = [part for part in (name, point.label) if part]
    text = f"{' · '.join(parts)}: {value_text(chart, point)}"
    if point.low is not None and point.high is not None and not point.is_suppressed:
        text += f" ({interval_text(point.low, point.high, chart.decimals)})"
    return f"{text} {point.note}".strip()


def values_of(chart: Chart) -> list[float]:
    """Every number the value axis must show; the reference lines of a histogram stand on its other axis."""
    seen: list[float] = []
    for series in chart.series:
        for point in series.points:
            if point.is_suppressed:
                continue
            seen += [number for number in (point.value, point.low, point.high) if number is not None]
    for reference in chart.references if chart.kind is not ChartKind.HISTOGRAM else ():
        seen += [number for number in (reference.value, reference.low, reference.high) if number is not None]
    return seen


def axis_ticks(chart: Chart, *, from_zero: bool, count: int = 6) -> tuple[float, ...]:
    """Round marks from the first to the last of which the axis runs; they hold every value, minimum and maximum."""
    values = values_of(chart) or [0.0, 1.0]
    low = chart.minimum if chart.minimum is not None else (min(0.0, *values) if from_zero else min(values))
    high = chart.maximum if chart.maximum is not None else max(values)
    return svg.nice_ticks(min(low, *values), max(high, *values), count)


def linear(low: float, high: float, start: float, end: float) -> Scale:
    return lambda value: start + (value - low) / ((high - low) or 1.0) * (end - start)


def label_gutter(labels: Sequence[str], size: float = svg.TEXT) -> float:
    return min(LABEL_LIMIT, max((svg.text_width(label, size) for label in labels), default=0.0)) + 14.0


def row_step(labels: Sequence[str], least: float, size: float = svg.TEXT) -> float:
    """Height of a row: room for two lines where a name is longer than its place."""
    is_long = any(svg.text_width(label, size) > LABEL_LIMIT for label in labels)
    return max(least, 2 * (size + LINE_GAP) + 6) if is_long else least


def row_label(middle: float, words: str, gutter: float, *, size: float = svg.TEXT, is_bold: bool = False) -> str:
    """A row's name left of its marks, on two lines where one is too short."""
    lines = svg.wrapped(words, gutter - 14, size)
    first = middle + size * 0.36 - (len(lines) - 1) * (size + LINE_GAP) / 2
    return "".join(
        svg.text(0, first + number * (size + LINE_GAP), line, size=size, bold=is_bold) for number, line in enumerate(lines)
    )


def legend(names: Sequence[str], colors: Sequence[str], marks: Sequence[str]) -> tuple[list[str], float]:
    """Names with their colours on one or more lines; answers the shapes and the height they take."""
    shapes: list[str] = []
    x, y = 0.0, 12.0
    for name, color, mark in zip(names, colors, marks, strict=True):
        width = svg.text_width(name, svg.SMALL) + 34.0
        if x + width > svg.WIDTH and x > 0:
            x, y = 0.0, y + 20.0
        shapes.append(svg.rect(x, y - 9, 12, 12, fill=color, mark=mark, radius=2))
        shapes.append(svg.text(x + 18, y + 1, name, size=svg.SMALL, fill=svg.MUTED))
        x += width
    return shapes, y + 12.0


def series_legend(chart: Chart, subject: tuple[str, str] = (svg.PALETTE[0], "s0")) -> Drawing:
    if len(chart.series) < 2:
        return [], 0.0
    others = range(1, len(chart.series))
    return legend(
        [series.name for series in chart.series],
        [subject[0], *(svg.color_of(index) for index in others)],
        [subject[1], *(f"s{index}" for index in others)],
    )


def value_axis(ticks: Sequence[float], scale: Scale, top: float, bottom: float, chart: Chart) -> list[str]:
    """Upright grid lines with their numbers below, and the axis title at the right end."""
    decimals = 0 if all(float(tick).is_integer() for tick in ticks) else 1
    shapes = []
    for tick in ticks:
        shapes.append(svg.line(scale(tick), top, scale(tick), bottom))
        shapes.append(
            svg.text(scale(tick), bottom + 18, number_text(tick, decimals), size=svg.SMALL, anchor="middle", fill=svg.MUTED)
        )
    return shapes


def reference_text(chart: Chart, reference: Reference) -> str:
    """A whole number without decimals: a cut score of 475 is not a measured 475.0."""
    return f"{reference.label} {number_text(reference.value, 0 if reference.value.is_integer() else chart.decimals)}"


@dataclass(frozen=True, slots=True)
class PlacedReference:
    """A reference line with its words; `row` counts upwards from the plot, so that no words lie on others."""

    x: float
    centre: float
    words: str
    row: int


def placed_references(chart: Chart, scale: Scale) -> list[PlacedReference]:
    """The reference lines from left to right, each with its words on the lowest row that has room."""
    ends: list[float] = []
    placed = []
    for reference in sorted(chart.references, key=lambda item: item.value):
        words, x = reference_text(chart, reference), scale(reference.value)
        half = svg.text_width(words, svg.SMALL) / 2
        centre = min(max(x, half), svg.WIDTH - half)
        row = next((number for number, end in enumerate(ends) if centre - half > end), len(ends))
        ends[row : row + 1] = [centre + half + 6]
        placed.append(PlacedReference(x, centre, words, row))
    return placed


def reference_room(placed: Sequence[PlacedReference]) -> float:
    return TOP + REFERENCE_LINE * max(item.row for item in placed) if placed else BARE_TOP


def upright_references(placed: Sequence[PlacedReference], top: float, bottom: float) -> list[str]:
    shapes: list[str] = []
    for item in placed:
        above = top - item.row * REFERENCE_LINE
        shapes.append(svg.line(item.x, above, item.x, bottom, color=svg.MUTED, width=1.5, dash="4 3"))
        shapes.append(svg.text(item.centre, above - 6, item.words, size=svg.SMALL, anchor="middle", fill=svg.MUTED))
    return shapes
