"""The drawings by kind: each takes a chart and answers its shapes and its height."""

from collections.abc import Callable, Sequence

from shuren.pages.data import Chart, ChartKind, Point
from shuren.pages.rules import svg
from shuren.pages.rules.geometry import ring_projection, rings_of
from shuren.pages.rules.numbers import SUPPRESSED, interval_text, number_text

Drawing = tuple[list[str], float]
Scale = Callable[[float], float]
TOP = 26.0
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


def axis_ticks(chart: Chart, *, from_zero: bool, count: int = 5) -> tuple[float, ...]:
    values = values_of(chart) or [0.0, 1.0]
    low = chart.minimum if chart.minimum is not None else (min(0.0, *values) if from_zero else min(values))
    high = chart.maximum if chart.maximum is not None else max(values)
    ticks = svg.nice_ticks(low, high, count)
    if chart.maximum is not None:
        ticks = tuple(tick for tick in ticks if tick <= chart.maximum)
    return ticks


def linear(low: float, high: float, start: float, end: float) -> Scale:
    return lambda value: start + (value - low) / ((high - low) or 1.0) * (end - start)


def label_gutter(labels: Sequence[str]) -> float:
    return min(LABEL_LIMIT, max((svg.text_width(label) for label in labels), default=0.0)) + 14.0


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


def upright_references(chart: Chart, scale: Scale, top: float, bottom: float) -> list[str]:
    shapes: list[str] = []
    taken = -1.0
    for reference in sorted(chart.references, key=lambda item: item.value):
        x = scale(reference.value)
        shapes.append(svg.line(x, top, x, bottom, color=svg.MUTED, width=1.5, dash="4 3"))
        words = f"{reference.label} {number_text(reference.value, chart.decimals)}"
        half = svg.text_width(words, svg.SMALL) / 2
        centre = min(max(x, half), svg.WIDTH - half)
        if centre - half > taken:
            shapes.append(svg.text(centre, top - 6, words, size=svg.SMALL, anchor="middle", fill=svg.MUTED))
            taken = centre + half + 6
    return shapes


def draw_histogram(chart: Chart) -> Drawing:
    """Bars from zero for the subject, an outline for each group it is compared with."""
    names, used = series_legend(chart)
    bins = [point for point in chart.series[0].points if point.begin is not None and point.end is not None]
    if not bins:
        return draw_bars(chart)
    edges = [edge for point in bins for edge in (point.begin, point.end) if edge is not None]
    ticks = axis_ticks(chart, from_zero=True, count=4)
    left, top, bottom = 44.0, used + TOP, used + TOP + 220.0
    x = linear(min(edges), max(edges), left, svg.WIDTH - 8)
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
    return shapes + upright_references(chart, x, top, bottom), bottom + AXIS


def draw_levels(chart: Chart) -> Drawing:
    """One bar of 100 % per unit, cut into the shares of the levels, each share written where it fits."""
    steps = svg.ramp(len(chart.series))
    shapes, used = legend(
        [series.name for series in chart.series],
        [svg.SEQUENCE[step] for step in steps],
        [f"q{step}" for step in steps],
    )
    rows = chart.series[0].points
    left = label_gutter([point.label for point in rows])
    scale = linear(0.0, 100.0, left, svg.WIDTH - 4)
    y = used + 6.0
    for index, row in enumerate(rows):
        shapes.append(svg.text(0, y + 18, svg.fitted(row.label, left - 14), bold=row.is_focus))
        if row.is_suppressed:
            shapes.append(svg.text(left, y + 18, f"{SUPPRESSED} {row.note}".strip(), fill=svg.MUTED))
            y += 32
            continue
        start = 0.0
        for series, step in zip(chart.series, steps, strict=True):
            point = series.points[index]
            share = point.value or 0.0
            width = scale(start + share) - scale(start)
            fill, mark = svg.SEQUENCE[step], f"q{step} share"
            bar = svg.rect(scale(start), y, max(0.0, width - 1), 26, fill=fill, mark=mark)
            if width > 24:
                on = svg.INK if step < svg.LIGHT_STEPS else svg.SURFACE
                words = number_text(share, 0)
                middle = scale(start) + width / 2
                bar += svg.text(middle, y + 18, words, size=svg.SMALL, anchor="middle", fill=on).replace(
                    'class="', f'class="on-q{step} ', 1
                )
            shapes.append(svg.linked(bar, url=point.url or row.url, title=point_title(chart, series.name, point)))
            start += share
        y += 32
    return shapes, y + 4


def interval_mark(chart: Chart, point: Point, scale: Scale, y: float, index: int) -> str:
    """The interval as a bar with the estimate as a dot on it; later series are hollow."""
    color = svg.color_of(index)
    shape = ""
    if point.low is not None and point.high is not None:
        shape += svg.line(scale(point.low), y, scale(point.high), y, color=color, width=3, mark=f"s{index} interval")
    if point.value is not None:
        radius = 6.0 if point.is_focus or index == 0 else 5.0
        shape += svg.dot(scale(point.value), y, radius, color=color, mark=f"s{index}", is_hollow=index > 0)
    return shape


def draw_interval_dots(chart: Chart) -> Drawing:
    """A row per unit or domain: its mean as a dot, its interval as a bar, groups beside it as hollow dots."""
    shapes, used = series_legend(chart)
    rows = chart.series[0].points
    left = label_gutter([point.label for point in rows])
    step = 30.0 if len(chart.series) < 3 else 40.0
    top = used + TOP
    bottom = top + step * len(rows)
    ticks = axis_ticks(chart, from_zero=False)
    scale = linear(ticks[0], ticks[-1], left, svg.WIDTH - VALUE_GUTTER)
    shapes += value_axis(ticks, scale, top, bottom, chart)
    shapes += upright_references(chart, scale, top, bottom)
    beside = [{point.label: point for point in series.points} for series in chart.series[1:]]
    for number, row in enumerate(rows):
        middle = top + step * number + step / 2
        mark = svg.text(0, middle + 5, svg.fitted(row.label, left - 14), bold=row.is_focus)
        spread = 5.0 if beside else 0.0
        for index, group in enumerate(beside, start=1):
            other = group.get(row.label)
            if other is not None and not other.is_suppressed:
                mark += interval_mark(chart, other, scale, middle + spread * index, index)
        if not row.is_suppressed:
            mark += interval_mark(chart, row, scale, middle - spread, 0)
        mark += svg.text(svg.WIDTH, middle + 5, value_text(chart, row), anchor="end", bold=row.is_focus)
        shapes.append(svg.linked(mark, url=row.url, title=point_title(chart, chart.series[0].name, row)))
    return shapes, bottom + AXIS


def draw_bars(chart: Chart) -> Drawing:
    """A bar from zero per item with its interval; the group it is compared with is a tick across the bar."""
    shapes, used = series_legend(chart, subject=(svg.SEQUENCE[2], "q2"))
    rows = chart.series[0].points
    left = label_gutter([point.label for point in rows])
    step = 24.0
    top = used + TOP
    bottom = top + step * len(rows)
    ticks = axis_ticks(chart, from_zero=True)
    scale = linear(ticks[0], ticks[-1], left, svg.WIDTH - VALUE_GUTTER)
    shapes += value_axis(ticks, scale, top, bottom, chart)
    beside = [{point.label: point for point in series.points} for series in chart.series[1:]]
    for number, row in enumerate(rows):
        y = top + step * number + 4
        mark = svg.text(0, y + 13, svg.fitted(row.label, left - 14), size=svg.SMALL, bold=row.is_focus)
        if row.value is not None and not row.is_suppressed:
            mark += svg.rect(scale(0), y, scale(row.value) - scale(0), 16, fill=svg.SEQUENCE[2], mark="q2", radius=2)
            if row.low is not None and row.high is not None:
                mark += svg.line(scale(row.low), y + 8, scale(row.high), y + 8, color=svg.INK, width=1.5)
        for index, group in enumerate(beside, start=1):
            other = group.get(row.label)
            if other is not None and other.value is not None and not other.is_suppressed:
                x = scale(other.value)
                mark += svg.line(x, y - 3, x, y + 19, color=svg.color_of(index), width=3, mark=f"s{index}")
        mark += svg.text(svg.WIDTH, y + 13, value_text(chart, row), size=svg.SMALL, anchor="end")
        shapes.append(svg.linked(mark, url=row.url, title=point_title(chart, chart.series[0].name, row)))
    return shapes + upright_references(chart, scale, top, bottom), bottom + AXIS


def step_legend(chart: Chart, low: float, high: float) -> tuple[list[str], float]:
    """The five steps of the scale with the values they begin and end at."""
    count = len(svg.SEQUENCE)
    width = (high - low) / count
    names = [interval_text(low + width * step, low + width * (step + 1), chart.decimals) for step in range(count)]
    return legend(names, list(svg.SEQUENCE), [f"q{step}" for step in range(count)])


def draw_tiles(chart: Chart) -> Drawing:
    """A map where every unit has a shape, otherwise a grid of equal tiles; both coloured in five steps."""
    points = chart.series[0].points
    values = [point.value for point in points if point.value is not None and not point.is_suppressed]
    low = chart.minimum if chart.minimum is not None else min(values, default=0.0)
    high = chart.maximum if chart.maximum is not None else max(values, default=1.0)
    shapes, used = step_legend(chart, low, high)
    if points and all(point.geometry for point in points):
        more, height = draw_map(chart, low, high, used + 6)
    else:
        more, height = draw_grid(chart, low, high, used + 6)
    return shapes + more, height


def tile_fill(chart: Chart, point: Point, low: float, high: float) -> tuple[str, str, str]:
    """Colour, class and text colour of one tile; without a value it stays as pale as the page."""
    if point.value is None or point.is_suppressed:
        return svg.RULE, "q-none", svg.MUTED
    step = svg.step_of(point.value, low, high)
    return svg.SEQUENCE[step], f"q{step}", svg.INK if step < svg.LIGHT_STEPS else svg.SURFACE


def draw_grid(chart: Chart, low: float, high: float, top: float) -> Drawing:
    points = chart.series[0].points
    columns = min(6, max(1, len(points)))
    width, height = svg.WIDTH / columns, 68.0
    shapes = []
    for index, point in enumerate(points):
        x, y = index % columns * width, top + index // columns * height
        fill, mark, on = tile_fill(chart, point, low, high)
        tile = svg.rect(x + 2, y + 2, width - 4, height - 4, fill=fill, mark=mark, radius=4)
        words = [
            svg.text(x + 12, y + 28, svg.fitted(point.label, width - 24), fill=on, bold=point.is_focus),
            svg.text(x + 12, y + 50, value_text(chart, point), fill=on, bold=True),
        ]
        tile += "".join(word.replace('class="', f'class="on-{mark} ', 1) for word in words)
        shapes.append(svg.linked(tile, url=point.url, title=point_title(chart, "", point)))
    rows = (len(points) + columns - 1) // columns
    return shapes, top + rows * height + 6


def draw_map(chart: Chart, low: float, high: float, top: float) -> Drawing:
    points = chart.series[0].points
    outlines = [rings_of(point.geometry or {}) for point in points]
    place, height = ring_projection([ring for rings in outlines for ring in rings], svg.WIDTH, 420.0)
    shapes, words = [], []
    for point, rings in zip(points, outlines, strict=True):
        fill, mark, on = tile_fill(chart, point, low, high)
        shape = ""
        for ring in rings:
            corners = [(x, y + top) for x, y in map(place, ring)]
            shape += svg.path(corners, color=fill, mark=mark, is_closed=True)
        shapes.append(svg.linked(shape, url=point.url, title=point_title(chart, "", point)))
        biggest = max(rings, key=len, default=())
        if biggest:
            placed = [place(corner) for corner in biggest]
            x = sum(corner[0] for corner in placed) / len(placed)
            y = sum(corner[1] for corner in placed) / len(placed) + top
            label = svg.text(x, y + 4, point.label, size=svg.SMALL, anchor="middle", fill=on)
            words.append(label.replace('class="', f'class="on-{mark} ', 1))
    return shapes + words, top + height + 6


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


DRAWINGS: dict[ChartKind, Callable[[Chart], Drawing]] = {
    ChartKind.HISTOGRAM: draw_histogram,
    ChartKind.LEVELS: draw_levels,
    ChartKind.INTERVAL_DOTS: draw_interval_dots,
    ChartKind.ITEM_BARS: draw_bars,
    ChartKind.TILES: draw_tiles,
    ChartKind.TREND: draw_trend,
}
