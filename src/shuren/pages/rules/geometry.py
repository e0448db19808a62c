"""Outlines of units on a small flat map, read from GeoJSON."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

Corner = tuple[float, float]
Ring = tuple[Corner, ...]

_NO_AREA = 1e-9


def rings_of(geometry: Mapping[str, object]) -> list[Ring]:
    """Outer rings of a Polygon or MultiPolygon; anything else has none."""
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, Sequence):
        return []
    if geometry.get("type") == "Polygon":
        return [_ring(coordinates[0])] if coordinates else []
    if geometry.get("type") == "MultiPolygon":
        return [_ring(polygon[0]) for polygon in coordinates if polygon]
    return []


def _ring(corners: Sequence[Sequence[float]]) -> Ring:
    return tuple((float(corner[0]), float(corner[1])) for corner in corners)


def middle_of(ring: Ring) -> Corner:
    """Centre of gravity of a closed ring's area (shoelace sums); of its corners where it has no area."""
    pairs = list(itertools.pairwise(ring))
    areas = [x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs]
    total = sum(areas)
    if abs(total) < _NO_AREA:
        return sum(corner[0] for corner in ring) / len(ring), sum(corner[1] for corner in ring) / len(ring)
    x = sum(area * (x1 + x2) for area, ((x1, _y1), (x2, _y2)) in zip(areas, pairs, strict=True)) / (3 * total)
    y = sum(area * (y1 + y2) for area, ((_x1, y1), (_x2, y2)) in zip(areas, pairs, strict=True)) / (3 * total)
    return x, y


def ring_projection(rings: Sequence[Ring], width: float, height: float) -> tuple[Callable[[Corner], Corner], float]:
    """A placing of longitude and latitude in a box, true to shape at the middle latitude, and the height it takes."""
    corners = [corner for ring in rings for corner in ring]
    west, east = min(c[0] for c in corners), max(c[0] for c in corners)
    south, north = min(c[1] for c in corners), max(c[1] for c in corners)
    squeeze = math.cos(math.radians((south + north) / 2)) if abs(north) <= 90 else 1.0
    across = (east - west) * squeeze or 1.0
    down = (north - south) or 1.0
    scale = min(width / across, height / down)
    margin = (width - across * scale) / 2

    def place(corner: Corner) -> Corner:
        return margin + (corner[0] - west) * squeeze * scale, (north - corner[1]) * scale

    return place, down * scale
