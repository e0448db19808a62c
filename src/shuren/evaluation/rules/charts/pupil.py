"""The pictures of a pupil's report: the score between the cut scores, the domains beside what was to be expected."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from shuren.evaluation.rules.charts.points import domain_labels
from shuren.pages.data import Chart, ChartKind, Point, Reference, Series

# What the axis shows beyond the lowest and the highest mark.
MARGIN = 20


def pupil_charts(document: Mapping[str, Any]) -> dict[str, Chart]:
    """The charts by name, in the order in which a page shows them."""
    charts = {"score": _score(document)}
    # Content first, then cognitive, as a teacher reads them.
    kinds = list(dict.fromkeys(row["kind_name"] for row in document["domains"]))
    rows = sorted((row for row in document["domains"] if row["rate"] is not None), key=lambda row: kinds.index(row["kind_name"]))
    if rows:
        charts["domains"] = _domains(rows)
    return charts


def _score(document: Mapping[str, Any]) -> Chart:
    score = document["score"]
    cuts = [row for row in document["scale"]["levels"] if row["from"] is not None]
    starts = [row["from"] for row in cuts]
    own = Point(label=_("这次的成绩"), value=score["value"], low=score["low"], high=score["high"], is_focus=True)
    return Chart(
        kind=ChartKind.INTERVAL_DOTS,
        name="score",
        title=_("成绩处于“%(name)s”") % {"name": document["level"]["name"]},
        series=(Series(name=_("成绩"), points=(own,)),),
        label_title="",
        value_title=_("分数"),
        references=tuple(Reference(label=row["name"], value=float(row["from"])) for row in cuts),
        minimum=min([score["low"], *starts]) - MARGIN,
        maximum=max([score["high"], *starts]) + MARGIN,
        decimals=0,
    )


def _domains(rows: Sequence[Mapping[str, Any]]) -> Chart:
    labels = domain_labels(rows)
    gained = tuple(Point(label=label, value=row["rate"] * 100) for row, label in zip(rows, labels, strict=True))
    usual = tuple(
        Point(
            label=label,
            value=row["expected_rate"] * 100,
            low=row["expected_low"] * 100,
            high=row["expected_high"] * 100,
        )
        for row, label in zip(rows, labels, strict=True)
    )
    return Chart(
        kind=ChartKind.ITEM_BARS,
        name="domains",
        title=_domains_title(rows),
        series=(Series(name=_("得分率"), points=gained), Series(name=_("按自己的总体水平推算"), points=usual)),
        label_title=_("领域"),
        value_title=_("得分率"),
        unit="%",
        decimals=0,
        interval_title=_("可能的范围"),
        note=_("短竖线是按自己的总体水平推算的得分率，横线是它可能的范围；长条的末端越出横线，才说明这里真的更好或更弱。"),
    )


def _domains_title(rows: Sequence[Mapping[str, Any]]) -> str:
    strong = _("、").join(_("“%(name)s”") % {"name": row["name"]} for row in rows if row["standing"] == 1)
    weak = _("、").join(_("“%(name)s”") % {"name": row["name"]} for row in rows if row["standing"] == -1)
    if strong and weak:
        return _("%(strong)s好于自己的总体水平，%(weak)s弱一些") % {"strong": strong, "weak": weak}
    if strong:
        return _("%(strong)s好于自己的总体水平") % {"strong": strong}
    if weak:
        return _("%(weak)s比自己的总体水平弱一些") % {"weak": weak}
    return _("各领域都和自己的总体水平相当")
