"""Boundaries of orgs read from a GeoJSON file (RFC 7946), every fault told by the number of its feature."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

MAX_BYTES = 8 * 2**20
MAX_CORNERS = 50_000
# About a metre: finer boundaries only make pages heavier.
DECIMALS = 5
SMALLEST_RING = 4
# Larger numbers, infinities and what is no number at all are no coordinates in any projection.
_ENDLESS = 1e12
_NAMES = ("name", "NAME", "Name", "名称", "fullname")
_CODES = ("adcode", "code", "division_code", "gb", "GB", "行政区划代码")
_DEPTHS = {"Polygon": 0, "MultiPolygon": 1}

Ring = list[list[float]]


@dataclass(frozen=True, slots=True)
class Boundary:
    """One feature: whose boundary it is said to be, and the boundary as a GeoJSON Polygon or MultiPolygon."""

    number: int
    name: str
    code: str
    geometry: dict[str, object]


@dataclass(frozen=True, slots=True)
class BoundaryFault:
    """What is wrong with the file (`number` 0) or with its feature `number`, counted from 1."""

    number: int
    value: str
    reason: str
    remedy: str


def read_boundaries(content: bytes) -> tuple[list[Boundary], list[BoundaryFault]]:
    """The features of a FeatureCollection, or what is wrong with them; with any fault the features are not to be used."""
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        return [], [_whole(_("这个文件不是 GeoJSON。"), _("请从地图软件导出 GeoJSON（UTF-8 编码）后再上传。"))]
    features = document.get("features") if isinstance(document, Mapping) else None
    if not isinstance(features, list) or not features or document.get("type") != "FeatureCollection":
        return [], [_whole(_("文件里没有要素。"), _("请导出为 FeatureCollection，每个下级机构一个要素。"))]
    found: list[Boundary] = []
    faults: list[BoundaryFault] = []
    corners = 0
    for number, feature in enumerate(features, 1):
        properties = feature.get("properties") if isinstance(feature, Mapping) else None
        facts: Mapping[str, object] = properties if isinstance(properties, Mapping) else {}
        name, code = (_first(facts, keys) for keys in (_NAMES, _CODES))
        try:
            geometry, count = _boundary(feature.get("geometry") if isinstance(feature, Mapping) else None)
        except _Unusable as fault:
            faults.append(BoundaryFault(number, name or code, str(fault), fault.remedy))
            continue
        corners += count
        found.append(Boundary(number, name, code, geometry))
    if corners > MAX_CORNERS:
        reason = _("边界共有 %(count)s 个点，超过 %(limit)s 个。") % {"count": corners, "limit": MAX_CORNERS}
        faults.append(_whole(reason, _("请在地图软件里简化边界后再导出。")))
    return found, faults


class _Unusable(ValueError):
    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


def _whole(reason: str, remedy: str) -> BoundaryFault:
    return BoundaryFault(0, "", reason, remedy)


def _first(facts: Mapping[str, object], keys: Sequence[str]) -> str:
    return next((str(facts[key]).strip() for key in keys if facts.get(key) not in (None, "")), "")


def _boundary(geometry: object) -> tuple[dict[str, object], int]:
    """The geometry with rounded corners and without heights, and how many corners it has."""
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    depth = _DEPTHS.get(str(kind))
    if depth is None or not isinstance(geometry, Mapping):
        raise _Unusable(_("这个要素不是面。"), _("边界要用 Polygon 或 MultiPolygon。"))
    given = geometry.get("coordinates")
    polygons = given if depth else [given]
    if not isinstance(polygons, list) or not polygons:
        raise _Unusable(_("这个要素没有坐标。"), _("请重新导出这个面。"))
    cleaned = [[_ring(ring) for ring in _listed(polygon)] for polygon in polygons]
    count = sum(len(ring) for polygon in cleaned for ring in polygon)
    return {"type": kind, "coordinates": cleaned if depth else cleaned[0]}, count


def _listed(polygon: object) -> list[object]:
    if not isinstance(polygon, list) or not polygon:
        raise _Unusable(_("这个要素没有坐标。"), _("请重新导出这个面。"))
    return polygon


def _ring(ring: object) -> Ring:
    corners = list(_corners(ring))
    if len(corners) < SMALLEST_RING or corners[0] != corners[-1]:
        raise _Unusable(_("有一圈边界没有闭合。"), _("每一圈至少四个点，首尾相同。"))
    return corners


def _corners(ring: object) -> Iterator[list[float]]:
    """Rounded corners, each once in a row."""
    before: list[float] | None = None
    for place in ring if isinstance(ring, list) else []:
        numbers = place[:2] if isinstance(place, list) else []
        if len(numbers) != 2 or not all(_is_number(value) for value in numbers):
            raise _Unusable(_("有一个坐标不是数。"), _("坐标写成 [经度, 纬度]。"))
        if abs(numbers[0]) > 180 or abs(numbers[1]) > 90:
            raise _Unusable(_("坐标不是经纬度。"), _("请按经纬度坐标（度）导出，不要用投影坐标（米）。"))
        corner = [round(float(value), DECIMALS) for value in numbers]
        if corner != before:
            yield corner
        before = corner


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -_ENDLESS < value < _ENDLESS
