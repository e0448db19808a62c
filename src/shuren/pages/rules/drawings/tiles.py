"""A map where every unit has an outline, otherwise a grid of equal tiles; both coloured in five steps."""

from shuren.pages.data import Chart, Point
from shuren.pages.rules import svg
from shuren.pages.rules.drawings.parts import Drawing, legend, point_title, value_text
from shuren.pages.rules.geometry import middle_of, ring_projection, rings_of
from shuren.pages.rules.numbers import interval_text


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
    width, height = svg.WIDTH / columns, 84.0
    shapes = []
    for index, point in enumerate(points):
        x, y = index % columns * width, top + index // columns * height
        fill, mark, on = tile_fill(chart, point, low, high)
        tile = svg.rect(x + 2, y + 2, width - 4, height - 4, fill=fill, mark=mark, radius=4)
        words = [
            svg.text(x + 12, y + 26, svg.fitted(point.label, width - 24), fill=on, bold=point.is_focus),
            svg.text(x + 12, y + 47, value_text(chart, point), fill=on, bold=True),
        ]
        if point.low is not None and point.high is not None and not point.is_suppressed:
            interval = interval_text(point.low, point.high, chart.decimals)
            words.append(svg.text(x + 12, y + 66, interval, fill=on, size=svg.SMALL))
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
            x, y = middle_of(tuple(place(corner) for corner in biggest))
            label = svg.text(x, y + top + 4, point.label, size=svg.SMALL, anchor="middle", fill=on)
            words.append(label.replace('class="', f'class="on-{mark} ', 1))
    return shapes + words, top + height + 6
