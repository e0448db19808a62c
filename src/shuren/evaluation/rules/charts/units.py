"""The unit beside what lies above it, below it and next to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from shuren.evaluation.data import Level
from shuren.evaluation.rules.addresses import report_address
from shuren.evaluation.rules.charts.points import mean_point, why_hidden
from shuren.evaluation.rules.findings import Z95, capitalised, spread_words, standing
from shuren.evaluation.rules.words import above_name, counted_units, own_name
from shuren.pages.data import Chart, ChartKind, Point, Reference, Series


def comparison(document: Mapping[str, Any]) -> Chart | None:
    """The unit and what lies above it."""
    if not document["above"]:
        return None
    level = Level(document["unit"]["level"])
    points = [mean_point(document["unit"]["name"], document, is_focus=True)]
    # Without links: what lies above is often beyond the reader's reach, and the breadcrumbs know.
    points += [mean_point(row["name"], row) for row in document["above"]]
    nearest = document["above"][0]
    gap = nearest["difference"]["value"]
    words = {"unit": own_name(level), "above": above_name(Level(nearest["level"])), "points": abs(gap)}
    if abs(gap) < 0.5:
        title = _("%(unit)s平均分与%(above)s持平") % words
    elif gap > 0:
        title = _("%(unit)s平均分比%(above)s高 %(points).0f 分") % words
    else:
        title = _("%(unit)s平均分比%(above)s低 %(points).0f 分") % words
    return Chart(
        kind=ChartKind.INTERVAL_DOTS,
        name="comparison",
        title=capitalised(title),
        series=(Series(name=_("平均分"), points=tuple(points)),),
        label_title=_("单位"),
        value_title=_("平均分"),
        decimals=1,
    )


def _child_point(document: Mapping[str, Any], row: Mapping[str, Any], geometry: Mapping[str, object] | None = None) -> Point:
    url = report_address(document["run"]["id"], row["id"]) if row["id"] else ""
    if row["is_withheld"]:
        return Point(label=row["name"], value=None, is_suppressed=True, note=why_hidden(document), geometry=geometry)
    mean = row["mean"]
    return Point(
        label=row["name"],
        value=mean["value"],
        low=mean["low"],
        high=mean["high"],
        count=row["n"],
        url=url,
        geometry=geometry,
    )


def children(document: Mapping[str, Any]) -> Chart | None:
    rows = document["children"]
    if not rows:
        return None
    shown = sorted((row for row in rows if not row["is_withheld"]), key=lambda row: -row["mean"]["value"])
    hidden = [row for row in rows if row["is_withheld"]]
    mean = document["mean"]
    own = own_name(Level(document["unit"]["level"]))
    title = _("所辖单位平均分与95%区间")
    if len(shown) > 1:
        spread = shown[0]["mean"]["value"] - shown[-1]["mean"]["value"]
        title = _("所辖单位平均分最高与最低相差 %(points).0f 分") % {"points": spread}
    return Chart(
        kind=ChartKind.INTERVAL_DOTS,
        name="children",
        title=title,
        series=(Series(name=_("平均分"), points=tuple(_child_point(document, row) for row in [*shown, *hidden])),),
        label_title=_("单位"),
        value_title=_("平均分"),
        references=(Reference(label=own, value=mean["value"], low=mean["low"], high=mean["high"]),),
    )


def map_of_children(document: Mapping[str, Any], geometries: Mapping[str, Mapping[str, object]]) -> Chart | None:
    """Districts or schools as a map where all have an outline, else as tiles; a click drills."""
    rows = document["children"]
    if len(rows) < 2 or Level(rows[0]["level"]) is Level.CLASS:
        return None
    points = tuple(_child_point(document, row, geometries.get(row["id"])) for row in rows)
    shown = [row for row in rows if not row["is_withheld"]]
    words = {
        "units": counted_units(Level(rows[0]["level"]), len(shown)),
        "words": spread_words(shown, document["mean"], own_name(Level(document["unit"]["level"]))),
    }
    return Chart(
        kind=ChartKind.TILES,
        name="map",
        title=capitalised(_("%(units)s的平均分：%(words)s") % words),
        series=(Series(name=_("平均分"), points=points),),
        label_title=_("单位"),
        value_title=_("平均分"),
    )


def beside(document: Mapping[str, Any]) -> Chart | None:
    """The unit among its siblings, which stay without names."""
    beside = document["beside"]
    if not beside:
        return None
    mean = document["mean"]
    others = list(zip(beside["means"], beside.get("ses") or [None] * len(beside["means"]), strict=True))
    own = next((pair for pair in others if pair[0] == round(mean["value"], 1)), None)
    if own is not None:
        others.remove(own)
    points = [mean_point(document["unit"]["name"], document, is_focus=True)]
    points += [
        Point(
            label=_("同级单位 %(number)d") % {"number": at},
            value=value,
            low=None if se is None else value - Z95 * se,
            high=None if se is None else value + Z95 * se,
        )
        for at, (value, se) in enumerate(others, start=1)
    ]
    return Chart(
        kind=ChartKind.INTERVAL_DOTS,
        name="beside",
        title=_beside_title(document, others),
        series=(Series(name=_("平均分"), points=tuple(sorted(points, key=lambda point: -(point.value or 0)))),),
        label_title=_("单位"),
        value_title=_("平均分"),
        is_compact=True,
    )


def _beside_title(document: Mapping[str, Any], others: Sequence[tuple[float, float | None]]) -> str:
    """How many siblings stand out from the unit; reports of earlier releases do not know their errors."""
    if any(se is None for _value, se in others):
        return _("在 %(count)d 个同级单位中的位置（其他单位不具名）") % {"count": len(others) + 1}
    distinct = [standing({"value": value, "se": se}, document["mean"]) for value, se in others]
    words = {
        "count": len(others),
        "unit": own_name(Level(document["unit"]["level"])),
        "higher": distinct.count(1),
        "lower": distinct.count(-1),
    }
    return _("%(count)d 个同级单位中，%(higher)d 个显著高于、%(lower)d 个显著低于%(unit)s（不具名）") % words
