"""The pictures of a report, drawn from its document; every mean carries its interval."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shuren.evaluation.data import Level
from shuren.evaluation.rules.addresses import report_address
from shuren.evaluation.rules.findings import capitalised, domain_words
from shuren.evaluation.rules.words import above_name, own_name
from shuren.pages.data import Chart, ChartKind, Point, Reference, Series

MOST_ITEMS = 20


def report_charts(document: Mapping[str, Any], geometries: Mapping[str, Mapping[str, object]] | None = None) -> dict[str, Chart]:
    """The charts a document has numbers for, by name, in the order in which a page shows them."""
    if document["is_withheld"]:
        return {}
    found = {
        "comparison": _comparison(document),
        "children": _children(document),
        "map": _map(document, geometries or {}),
        "levels": _levels(document),
        "histogram": _histogram(document),
        "beside": _beside(document),
        "domains": _domains(document),
        "item_rates": _items(document),
        "trend": _trend(document),
    }
    charts = {name: chart for name, chart in found.items() if chart is not None}
    for number, contrast in enumerate(document["contrasts"]):
        charts[f"contrast{number}"] = _contrast(contrast, number)
    return charts


def suppression_note(document: Mapping[str, Any]) -> str:
    minimum = int(document["run"]["minimum_group"])
    told = ngettext(
        "* 人数不足 %(count)d 人，或可由其他数字推算出来，不予显示。",
        "* 人数不足 %(count)d 人，或可由其他数字推算出来，不予显示。",
        minimum,
    )
    return told % {"count": minimum}


def _why_hidden(document: Mapping[str, Any]) -> str:
    """The note without its mark, which the table sets itself."""
    return suppression_note(document).removeprefix("* ")


def _mean_point(label: str, row: Mapping[str, Any], *, url: str = "", is_focus: bool = False) -> Point:
    mean = row["mean"]
    return Point(label=label, value=mean["value"], low=mean["low"], high=mean["high"], count=row["n"], url=url, is_focus=is_focus)


def _comparison(document: Mapping[str, Any]) -> Chart | None:
    """The unit and what lies above it."""
    if not document["above"]:
        return None
    level = Level(document["unit"]["level"])
    points = [_mean_point(document["unit"]["name"], document, is_focus=True)]
    # Without links: what lies above is often beyond the reader's reach, and the breadcrumbs know.
    points += [_mean_point(row["name"], row) for row in document["above"]]
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
        return Point(label=row["name"], value=None, is_suppressed=True, note=_why_hidden(document), geometry=geometry)
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


def _children(document: Mapping[str, Any]) -> Chart | None:
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


def _map(document: Mapping[str, Any], geometries: Mapping[str, Mapping[str, object]]) -> Chart | None:
    """Districts or schools as a map where all have an outline, else as tiles; a click drills."""
    rows = document["children"]
    if len(rows) < 2 or Level(rows[0]["level"]) is Level.CLASS:
        return None
    points = tuple(_child_point(document, row, geometries.get(row["id"])) for row in rows)
    return Chart(
        kind=ChartKind.TILES,
        name="map",
        title=_("平均分的分布：点选可进入下一级报告"),
        series=(Series(name=_("平均分"), points=points),),
        label_title=_("单位"),
        value_title=_("平均分"),
    )


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


def _beside(document: Mapping[str, Any]) -> Chart | None:
    """The unit among its siblings, which stay without names."""
    beside = document["beside"]
    if not beside:
        return None
    own = round(document["mean"]["value"], 1)
    means = list(beside["means"])
    if own in means:
        means.remove(own)
    points = [_mean_point(document["unit"]["name"], document, is_focus=True)]
    points += [Point(label=_("同级单位 %(number)d") % {"number": at}, value=value) for at, value in enumerate(means, start=1)]
    return Chart(
        kind=ChartKind.INTERVAL_DOTS,
        name="beside",
        title=_("在 %(count)d 个同级单位中的位置（其他单位不具名）") % {"count": beside["count"]},
        series=(Series(name=_("平均分"), points=tuple(sorted(points, key=lambda point: -(point.value or 0)))),),
        label_title=_("单位"),
        value_title=_("平均分"),
    )


def _percent(estimate: Mapping[str, Any], key: str) -> float | None:
    value = estimate[key]
    return None if value is None else value * 100


def _domains(document: Mapping[str, Any]) -> Chart | None:
    if not document["domains"] or not document["above"]:
        return _domain_rates(document)
    points = []
    for row in document["domains"]:
        label = f"{row['kind_name']}·{row['name']}"
        if row.get("is_suppressed"):
            points.append(Point(label=label, value=None, is_suppressed=True, note=_why_hidden(document)))
            continue
        difference = row["difference"]
        points.append(
            Point(
                label=label,
                value=_percent(difference, "value"),
                low=_percent(difference, "low"),
                high=_percent(difference, "high"),
                count=row["n"],
            )
        )
    return Chart(
        kind=ChartKind.INTERVAL_DOTS,
        name="domains",
        title=capitalised((domain_words(document) or [_("各领域的相对表现")])[0].rstrip("。.")),
        series=(Series(name=_("相对表现"), points=tuple(points)),),
        label_title=_("领域"),
        value_title=_("得分率高于或低于自身总体水平的百分点（以总体的结构为 0）"),
        references=(Reference(label=_("总体"), value=0.0),),
    )


def _domain_rates(document: Mapping[str, Any]) -> Chart | None:
    shown = [row for row in document["domains"] if not row.get("is_suppressed")]
    if not shown:
        return None
    points = tuple(Point(label=f"{row['kind_name']}·{row['name']}", value=row["rate"] * 100, count=row["n"]) for row in shown)
    return Chart(
        kind=ChartKind.ITEM_BARS,
        name="domains",
        title=_("各领域的得分率"),
        series=(Series(name=_("得分率"), points=points),),
        label_title=_("领域"),
        value_title=_("得分率"),
        unit="%",
    )


def _items(document: Mapping[str, Any]) -> Chart | None:
    """Items in rising order of success; of a long test those that differ most from the unit above."""
    shown = [row for row in document["items"] if not row.get("is_suppressed")]
    if not shown:
        return None
    if len(shown) > MOST_ITEMS:
        shown = sorted(shown, key=_weight)[:MOST_ITEMS]
    ordered = sorted(shown, key=lambda row: row["rate"]["value"])
    points = tuple(
        Point(
            label=row.get("label") or row["code"],
            value=_percent(row["rate"], "value"),
            low=_percent(row["rate"], "low"),
            high=_percent(row["rate"], "high"),
            count=row["n"],
            note=_("比上一级的同水平学生难") if row.get("notable") == -1 else "",
        )
        for row in ordered
    )
    hardest = ordered[0]
    return Chart(
        kind=ChartKind.ITEM_BARS,
        name="items",
        title=_("得分率最低的题：%(name)s（%(rate).0f%%）")
        % {"name": hardest.get("label") or hardest["code"], "rate": hardest["rate"]["value"] * 100},
        series=(Series(name=_("得分率"), points=points),),
        label_title=_("题目"),
        value_title=_("得分率"),
        unit="%",
        decimals=0,
        note=_("只画出与上一级差别最大的 %(count)d 道题，全部题目见下表。") % {"count": MOST_ITEMS}
        if len(document["items"]) > MOST_ITEMS
        else "",
    )


def _weight(row: Mapping[str, Any]) -> float:
    if "difference" in row and row["difference"]["se"]:
        return -abs(float(row["difference"]["value"])) / float(row["difference"]["se"])
    return float(row["rate"]["value"])


def _contrast(contrast: Mapping[str, Any], number: int) -> Chart:
    points = tuple(_mean_point(group["label"], group) for group in contrast["groups"])
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
    points = tuple(_mean_point(row["held_date"] or row["title"], row) for row in rows)
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


def pupil_charts(document: Mapping[str, Any]) -> dict[str, Chart]:
    """The pupil's score with its interval between the cut scores, and the domains beside what was to be expected."""
    score = document["score"]
    cuts = [row for row in document["scale"]["levels"] if row["from"] is not None]
    starts = [row["from"] for row in cuts]
    own = Point(label=_("这次的成绩"), value=score["value"], low=score["low"], high=score["high"], is_focus=True)
    charts = {
        "score": Chart(
            kind=ChartKind.INTERVAL_DOTS,
            name="score",
            title=_("成绩处于“%(name)s”") % {"name": document["level"]["name"]},
            series=(
                Series(
                    name=_("成绩"),
                    points=(own,),
                ),
            ),
            label_title="",
            value_title=_("分数"),
            references=tuple(Reference(label=row["name"], value=row["from"]) for row in cuts),
            minimum=min([score["low"], *starts]) - 20,
            maximum=max([score["high"], *starts]) + 20,
            decimals=0,
        )
    }
    # Content first, then cognitive, as a teacher reads them.
    kinds = list(dict.fromkeys(row["kind_name"] for row in document["domains"]))
    rows = sorted((row for row in document["domains"] if row["rate"] is not None), key=lambda row: kinds.index(row["kind_name"]))
    if rows:
        gained = tuple(Point(label=f"{row['kind_name']}·{row['name']}", value=row["rate"] * 100) for row in rows)
        usual = tuple(Point(label=f"{row['kind_name']}·{row['name']}", value=row["expected_rate"] * 100) for row in rows)
        charts["domains"] = Chart(
            kind=ChartKind.ITEM_BARS,
            name="domains",
            title=_("各领域得分率，与按自己的总体水平推算的相比"),
            series=(Series(name=_("得分率"), points=gained), Series(name=_("按总体水平推算"), points=usual)),
            label_title=_("领域"),
            value_title=_("得分率"),
            unit="%",
            decimals=0,
        )
    return charts
