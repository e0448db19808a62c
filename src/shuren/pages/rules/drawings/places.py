"""Outlines without values, and the things that lie in them."""

from collections.abc import Mapping, Sequence

from shuren.pages.data import MapDot
from shuren.pages.rules import svg
from shuren.pages.rules.drawings.parts import Drawing
from shuren.pages.rules.geometry import middle_of, ring_projection, rings_of

HEIGHT = 420.0
_RADIUS = 5.0


def draw_places(boundaries: Sequence[tuple[str, Mapping[str, object]]], dots: Sequence[MapDot]) -> Drawing:
    """Both are placed by one projection; a dot outside every outline widens the picture, so that none is lost."""
    outlines = [(name, rings_of(geometry)) for name, geometry in boundaries]
    corners = tuple((dot.longitude, dot.latitude) for dot in dots)
    place, height = ring_projection([*(ring for _name, rings in outlines for ring in rings), corners], svg.WIDTH, HEIGHT)
    shapes, words = [], []
    for name, rings in outlines:
        shape = "".join(
            svg.path([place(corner) for corner in ring], color=svg.RULE, mark="q-none", is_closed=True) for ring in rings
        )
        shapes.append(svg.linked(shape, url="", title=name))
        biggest = max(rings, key=len, default=())
        if biggest:
            x, y = middle_of(tuple(place(corner) for corner in biggest))
            label = svg.text(x, y + 4, name, size=svg.SMALL, anchor="middle", fill=svg.MUTED)
            words.append(label.replace('class="', 'class="on-q-none ', 1))
    for dot in dots:
        x, y = place((dot.longitude, dot.latitude))
        mark = svg.dot(x, y, _RADIUS, color=svg.color_of(0), mark="s0")
        words.append(svg.linked(mark, url=dot.url, title=dot.label))
    # What lies on the edge is drawn whole.
    return [f'<g transform="translate(0 {svg.num(_RADIUS)})">', *shapes, *words, "</g>"], height + 2 * _RADIUS
