"""Small pictures inside a table: an interval with its estimate on a scale that all rows share, and that scale itself."""

from shuren.pages.data import IntervalScale, Point
from shuren.pages.rules import svg
from shuren.pages.rules.drawings.parts import linear
from shuren.pages.rules.numbers import number_text

WIDTH, HEIGHT = 200.0, 20.0
EDGE = 7.0


def interval_bar_svg(point: Point, scale: IntervalScale) -> str:
    """The interval and the estimate between the scale's marks; silent, because the numbers stand beside it."""
    x = linear(scale.low, scale.high, EDGE, WIDTH - EDGE)
    shapes = [svg.line(x(mark.value), 2, x(mark.value), HEIGHT - 2) for mark in scale.marks]
    if point.low is not None and point.high is not None:
        middle = HEIGHT / 2
        shapes.append(svg.line(x(point.low), middle, x(point.high), middle, color=svg.color_of(0), width=3, mark="s0 interval"))
    if point.value is not None:
        shapes.append(svg.dot(x(point.value), HEIGHT / 2, 4.0, color=svg.color_of(0), mark="s0"))
    return _picture(shapes)


def interval_scale_svg(scale: IntervalScale) -> str:
    """The marks' numbers, for the head of the column."""
    x = linear(scale.low, scale.high, EDGE, WIDTH - EDGE)
    return _picture(
        [
            svg.text(x(mark.value), HEIGHT - 6, number_text(mark.value, 0), size=11, anchor="middle", fill=svg.MUTED)
            for mark in scale.marks
        ]
    )


def _picture(shapes: list[str]) -> str:
    return (
        f'<svg class="chart-svg interval-bar" viewBox="0 0 {svg.num(WIDTH)} {svg.num(HEIGHT)}" aria-hidden="true"'
        f' focusable="false">{"".join(shapes)}</svg>'
    )
