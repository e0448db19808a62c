"""Whose boundaries a file holds, and which orgs below one have theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from shuren.directory.data import OrgData
from shuren.directory.rules.boundaries import Boundary, BoundaryFault, read_boundaries
from shuren.directory.selectors.orgs import children_of, geometries_of

# What a bureau's name adds to that of its division; what else a name may end in is not guessed.
_BUREAUS = ("教育局", "教育和体育局", "教育体育局", "教体局", "教育委员会", "教委")
_CODE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class CheckedBoundaries:
    """Boundaries by org id, or what is wrong; `missing` are the orgs that will still have none."""

    boundaries: Mapping[int, dict[str, object]]
    faults: Sequence[BoundaryFault]
    missing: Sequence[OrgData]


def children_with_boundaries(org_id: int) -> list[tuple[OrgData, dict[str, object] | None]]:
    """The active orgs directly below, each with its boundary."""
    children = children_of(org_id)
    boundaries = geometries_of([child.id for child in children])
    return [(child, boundaries.get(child.id)) for child in children]


def check_boundaries(org_id: int, content: bytes) -> CheckedBoundaries:
    """Match every feature to one org directly below, by its division code or its name."""
    below = children_with_boundaries(org_id)
    children = [child for child, _boundary in below]
    features, faults = read_boundaries(content)
    boundaries: dict[int, dict[str, object]] = {}
    for feature in features:
        owners = _owners(feature, children)
        if len(owners) != 1:
            faults.append(_unmatched(feature, owners))
        elif owners[0].id in boundaries:
            reason = _("“%(name)s”在文件里有两个要素。") % {"name": owners[0].name}
            faults.append(BoundaryFault(feature.number, _said(feature), reason, _("请合并成一个 MultiPolygon。")))
        else:
            boundaries[owners[0].id] = feature.geometry
    missing = [child for child, boundary in below if boundary is None and child.id not in boundaries]
    return CheckedBoundaries({} if faults else boundaries, sorted(faults, key=lambda fault: fault.number), missing)


def _owners(feature: Boundary, children: Sequence[OrgData]) -> list[OrgData]:
    code = feature.code[:_CODE_DIGITS]
    by_code = [child for child in children if len(code) == _CODE_DIGITS and child.division_code[:_CODE_DIGITS] == code]
    if by_code or not feature.name:
        return by_code
    names = {feature.name, *(feature.name + bureau for bureau in _BUREAUS)}
    return [child for child in children if child.name in names or child.short_name == feature.name]


def _unmatched(feature: Boundary, owners: Sequence[OrgData]) -> BoundaryFault:
    if owners:
        reason = _("有 %(count)s 个下级机构都对得上。") % {"count": len(owners)}
        return BoundaryFault(feature.number, _said(feature), reason, _("请在属性里写行政区划代码 adcode。"))
    remedy = _("属性 name 写下级机构的名称，或者 adcode 写它的行政区划代码；不属于这里的要素请删去。")
    return BoundaryFault(feature.number, _said(feature), _("没有对应的下级机构。"), remedy)


def _said(feature: Boundary) -> str:
    return " ".join(part for part in (feature.name, feature.code) if part)
