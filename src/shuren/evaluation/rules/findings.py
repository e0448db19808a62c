"""Plain sentences written from a report's numbers; a difference counts only when its interval leaves 0 out."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shuren.evaluation.data import Level
from shuren.evaluation.rules.words import above_name, counted_units, own_name

MOST_NAMED = 3
Z95 = 1.959964


def findings(document: Mapping[str, Any]) -> list[str]:
    """The findings in order of weight; the first one heads the page."""
    level = Level(document["unit"]["level"])
    found = [
        _headline(document, level),
        *_levels(document, level),
        *domain_words(document),
        *_children(document, level),
        *_items(document),
        *_contrasts(document),
        *_trend(document),
    ]
    return [capitalised(sentence) for sentence in found if sentence]


def capitalised(sentence: str) -> str:
    """With a capital letter where the language has them."""
    return sentence[:1].upper() + sentence[1:]


def is_significant(difference: Mapping[str, Any]) -> bool:
    low, high = difference["low"], difference["high"]
    return low is not None and high is not None and (low > 0 or high < 0)


def margin(estimate: Mapping[str, Any]) -> str:
    """Half the 95 % interval as “±6”; a dash where it is unknown."""
    return "±—" if estimate["se"] is None else f"±{Z95 * estimate['se']:.0f}"


def _headline(document: Mapping[str, Any], level: Level) -> str:
    mean = document["mean"]
    opening = _("%(unit)s平均 %(mean).0f 分（%(margin)s）") % {
        "unit": own_name(level),
        "mean": mean["value"],
        "margin": margin(mean),
    }
    parts = [opening, *(_compared(row) for row in document["above"])]
    return _("，").join(parts) + _("。")


def _compared(row: Mapping[str, Any]) -> str:
    difference = row["difference"]
    words = {"above": above_name(Level(row["level"])), "points": abs(difference["value"])}
    if abs(difference["value"]) < 0.5:
        return _("与%(above)s持平") % words
    higher, lower = _("比%(above)s高 %(points).0f 分") % words, _("比%(above)s低 %(points).0f 分") % words
    told = higher if difference["value"] > 0 else lower
    return told + (_("，差异显著") if is_significant(difference) else _("，差异不显著"))


def _levels(document: Mapping[str, Any], level: Level) -> list[str]:
    levels = document["levels"]
    if len(levels) < 3:
        return []
    middle = len(levels) // 2
    reached = sum(row["value"] for row in levels[middle:])
    words = {
        "unit": own_name(level),
        "name": levels[middle]["name"],
        "share": reached * 100,
        "lowest": levels[0]["name"],
        "low_share": levels[0]["value"] * 100,
    }
    return [_("%(unit)s有 %(share).0f%% 的学生达到“%(name)s”及以上，%(low_share).0f%% 处于“%(lowest)s”。") % words]


def domain_words(document: Mapping[str, Any]) -> list[str]:
    """What is strong and what is weak, as sentences."""
    shown = [row for row in document["domains"] if not row.get("is_suppressed")]
    if not shown or not document["above"]:
        return []
    strong = [row for row in shown if is_significant(row["difference"]) and row["difference"]["value"] > 0]
    weak = [row for row in shown if is_significant(row["difference"]) and row["difference"]["value"] < 0]
    if not strong and not weak:
        return [_("各领域的表现均衡，没有明显高于或低于自身总体水平的领域。")]
    found = []
    if strong:
        found.append(_("相对强项：%(names)s。") % {"names": _domain_names(strong)})
    if weak:
        found.append(_("相对弱项：%(names)s。") % {"names": _domain_names(weak)})
    return found


def _domain_names(rows: list[Mapping[str, Any]]) -> str:
    ordered = sorted(rows, key=lambda row: -abs(row["difference"]["value"]))[:MOST_NAMED]
    return _("、").join(
        _("%(name)s（%(points)+.1f 个百分点）") % {"name": row["name"], "points": row["difference"]["value"] * 100}
        for row in ordered
    )


def _children(document: Mapping[str, Any], level: Level) -> list[str]:
    shown = [row for row in document["children"] if not row["is_withheld"]]
    if len(shown) < 2:
        return []
    means = [row["mean"]["value"] for row in shown]
    words = {"units": counted_units(Level(shown[0]["level"]), len(shown)), "spread": max(means) - min(means)}
    told = _("所辖%(units)s的平均分最高与最低相差 %(spread).0f 分") % words
    return [told + _("；其中%(words)s。") % {"words": spread_words(shown, document["mean"], own_name(level))}]


def standing(mean: Mapping[str, Any], whole: Mapping[str, Any]) -> int:
    """1 above, -1 below, 0 within what chance explains."""
    if mean["se"] is None or whole["se"] is None:
        return 0
    gap = mean["value"] - whole["value"]
    limit = Z95 * (mean["se"] ** 2 + whole["se"] ** 2) ** 0.5
    return 1 if gap > limit else -1 if gap < -limit else 0


def spread_words(rows: Sequence[Mapping[str, Any]], whole: Mapping[str, Any], unit: str) -> str:
    """How many of the units below stand out from the whole, without naming any."""
    distinct = [standing(row["mean"], whole) for row in rows]
    words = {"higher": distinct.count(1), "lower": distinct.count(-1), "unit": unit}
    if not any(distinct):
        return _("没有一个显著高于或低于%(unit)s平均") % words
    return _("%(higher)d 个显著高于、%(lower)d 个显著低于%(unit)s平均") % words


def _items(document: Mapping[str, Any]) -> list[str]:
    hard = [row for row in document["items"] if row.get("notable") == -1]
    if not hard:
        return []
    ordered = sorted(hard, key=lambda row: row["difference"]["value"])[:MOST_NAMED]
    names = _("、").join(row.get("label") or row["code"] for row in ordered)
    told = ngettext(
        "有 %(count)d 道题明显比上一级的同水平学生难，需要关注：%(names)s。",
        "有 %(count)d 道题明显比上一级的同水平学生难，需要关注：%(names)s。",
        len(hard),
    )
    return [told % {"count": len(hard), "names": names}]


def _contrasts(document: Mapping[str, Any]) -> list[str]:
    found = []
    for row in document["contrasts"]:
        if not is_significant(row["gap"]):
            continue
        first, last = row["groups"][0]["label"], row["groups"][-1]["label"]
        words = {
            "label": row["label"],
            "last": last,
            "first": first,
            "points": abs(row["gap"]["value"]),
            "margin": margin(row["gap"]),
        }
        if row["gap"]["value"] > 0:
            found.append(_("%(label)s：“%(last)s”比“%(first)s”高 %(points).0f 分（%(margin)s），差异显著。") % words)
        else:
            found.append(_("%(label)s：“%(last)s”比“%(first)s”低 %(points).0f 分（%(margin)s），差异显著。") % words)
    return found


def _trend(document: Mapping[str, Any]) -> list[str]:
    if len(document["trend"]) < 2 or document["trend"][-1]["change"] is None:
        return []
    change, before = document["trend"][-1]["change"], document["trend"][-2]
    words = {"when": before["held_date"] or before["title"], "points": abs(change["value"]), "margin": margin(change)}
    if change["value"] >= 0:
        told = _("比上一次（%(when)s）高 %(points).0f 分（%(margin)s）") % words
    else:
        told = _("比上一次（%(when)s）低 %(points).0f 分（%(margin)s）") % words
    return [told + (_("，差异显著") if is_significant(change) else _("，差异不显著")) + _("。")]
