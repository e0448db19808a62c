"""All charts of a unit's report."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from shuren.evaluation.rules.charts.parts import domains, items
from shuren.evaluation.rules.charts.points import mean_point
from shuren.evaluation.rules.charts.units import beside, children, comparison, map_of_children
from shuren.pages.data import Chart, ChartKind, Point, Reference, Series


def report_charts(document: Mapping[str, Any], geometries: Mapping[str, Mapping[str, object]] | None = None) -> dict[str, Chart]:
    """The charts a document has numbers for, by name, in the order in which a page shows them."""
    if document["is_withheld"]:
        return {}
    found = {
        "comparison": comparison(document),
        "children": children(document),
        "map": map_of_children(document, geometries or {}),
        "levels": _levels(document),
        "histogram": _histogram(document),
        "beside": beside(document),
        "domains": domains(document),
        "item_rates": items(document),
        "trend": _trend(document),
    }
    charts = {name: chart for name, chart in found.items() if chart is not None}
    for number, contrast in enumerate(document["contrasts"]):
        charts[f"contrast{number}"] = _contrast(contrast, number)
    return charts


def _levels(document: Mapping[str, Any]) -> Chart | None:
    levels = document["levels"]
    if len(levels) < 2:
        return None
    units = [(document["unit"]["name"], [row["value"] for row in levels], levels, document["n"])]
    units += [(row["name"], row["levels"], None, row["n"]) for row in document["above"]]
    middle = len(levels) // 2
    reached = sum(row["value"] for row in levels[middle:]) * 100
    series = []
    for at, level in enumerate(levels):
        points = []
        for name, shares, intervals, count in units:
            low, high = (intervals[at]["low"], intervals[at]["high"]) if intervals else (None, None)
            points.append(
                Point(
                    label=name,
                    value=shares[at] * 100,
                    low=None if low is None else low * 100,
                    high=None if high is None else high * 100,
                    count=count,
                )
            )
        series.append(Series(name=level["name"], points=tuple(points)))
    return Chart(
        kind=ChartKind.LEVELS,
        name="levels",
        title=_("%(share).0f%% 的学生达到“%(name)s”及以上") % {"share": reached, "name": levels[middle]["name"]},
        series=tuple(series),
        label_title=_("单位"),
        value_title=_("学生占比"),
        unit="%",
        decimals=0,
    )


def _histogram(document: Mapping[str, Any]) -> Chart | None:
    histogram = document["histogram"]
    if not histogram:
        return None
    start, width = histogram["start"], histogram["width"]
    points = tuple(
        Point(
            label=f"{start + at * width:.0f}–{start + (at + 1) * width:.0f}",
            value=share * 100,
            begin=start + at * width,
            end=start + (at + 1) * width,
        )
        for at, share in enumerate(histogram["shares"])
    )
    quarters = document["percentiles"]
    title = _("一半学生的成绩在 %(low).0f 到 %(high).0f 分之间") % {"low": quarters["25"], "high": quarters["75"]}
    cuts = [row for row in document["levels"] if row["from"] is not None]
    return Chart(
        kind=ChartKind.HISTOGRAM,
        name="histogram",
        title=title,
        series=(Series(name=document["unit"]["name"], points=points),),
        label_title=_("分数段"),
        value_title=_("学生占比"),
        unit="%",
        decimals=1,
        references=tuple(Reference(label=row["name"], value=row["from"]) for row in cuts),
    )


def _contrast(contrast: Mapping[str, Any], number: int) -> Chart:
    points = tuple(mean_point(group["label"], group) for group in contrast["groups"])
    gap = contrast["gap"]["value"]
    words = {
        "label": contrast["label"],
        "first": contrast["groups"][0]["label"],
        "last": contrast["groups"][-1]["label"],
        "points": abs(gap),
    }
    if gap >= 0:
        title = _("%(label)s：“%(last)s”比“%(first)s”高 %(points).0f 分") % words
    else:
        title = _("%(label)s：“%(last)s”比“%(first)s”低 %(points).0f 分") % words
    return Chart(
        kind=ChartKind.INTERVAL_DOTS,
        name=f"contrast{number}",
        title=title,
        series=(Series(name=_("平均分"), points=points),),
        label_title=contrast["label"],
        value_title=_("平均分"),
    )


def _trend(document: Mapping[str, Any]) -> Chart | None:
    rows: Sequence[Mapping[str, Any]] = document["trend"]
    if len(rows) < 2:
        return None
    change = rows[-1]["change"]
    points = tuple(mean_point(row["held_date"] or row["title"], row) for row in rows)
    words = {"points": abs(change["value"]) if change else 0.0}
    rise, fall = _("比上一次高 %(points).0f 分") % words, _("比上一次低 %(points).0f 分") % words
    return Chart(
        kind=ChartKind.TREND,
        name="trend",
        title=rise if change and change["value"] >= 0 else fall,
        series=(Series(name=document["unit"]["name"], points=points),),
        label_title=_("时间"),
        value_title=_("平均分"),
    )
