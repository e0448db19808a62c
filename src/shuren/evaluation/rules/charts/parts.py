"""Domains and items: where the unit does better or worse."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from shuren.evaluation.rules.charts.points import domain_labels, why_hidden
from shuren.evaluation.rules.findings import Z95, capitalised, domain_words
from shuren.pages.data import Chart, ChartKind, Point, Reference, Series

MOST_ITEMS = 20


def domains(document: Mapping[str, Any]) -> Chart | None:
    if not document["domains"] or not document["above"]:
        return _domain_rates(document)
    points = []
    for row, label in zip(document["domains"], domain_labels(document["domains"]), strict=True):
        if row.get("is_suppressed"):
            points.append(Point(label=label, value=None, is_suppressed=True, note=why_hidden(document)))
            continue
        difference = row["difference"]
        points.append(
            Point(
                label=label,
                value=percent(difference, "value"),
                low=percent(difference, "low"),
                high=percent(difference, "high"),
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
    points = tuple(
        Point(
            label=label,
            value=row["rate"] * 100,
            low=None if row.get("rate_se") is None else max(0.0, row["rate"] - Z95 * row["rate_se"]) * 100,
            high=None if row.get("rate_se") is None else min(1.0, row["rate"] + Z95 * row["rate_se"]) * 100,
            count=row["n"],
        )
        for row, label in zip(shown, domain_labels(shown), strict=True)
    )
    return Chart(
        kind=ChartKind.ITEM_BARS,
        name="domains",
        title=_("得分率最高的领域是“%(high)s”，最低的是“%(low)s”")
        % {
            "high": max(shown, key=lambda row: float(row["rate"]))["name"],
            "low": min(shown, key=lambda row: float(row["rate"]))["name"],
        },
        series=(Series(name=_("得分率"), points=points),),
        label_title=_("领域"),
        value_title=_("得分率"),
        unit="%",
    )


def items(document: Mapping[str, Any]) -> Chart | None:
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
            value=percent(row["rate"], "value"),
            low=percent(row["rate"], "low"),
            high=percent(row["rate"], "high"),
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
        note=_items_note(document) if len(document["items"]) > MOST_ITEMS else "",
    )


def _items_note(document: Mapping[str, Any]) -> str:
    words = {"count": MOST_ITEMS}
    if document["above"]:
        return _("只画出与上一级差别最大的 %(count)d 道题，全部题目见下表。") % words
    return _("只画出得分率最低的 %(count)d 道题，全部题目见下表。") % words


def _weight(row: Mapping[str, Any]) -> float:
    if "difference" in row and row["difference"]["se"]:
        return -abs(float(row["difference"]["value"])) / float(row["difference"]["se"])
    return float(row["rate"]["value"])


def percent(estimate: Mapping[str, Any], key: str) -> float | None:
    value = estimate[key]
    return None if value is None else value * 100
