"""One pupil's own report: a level with its uncertainty, strengths, next steps; never a rank, never a neighbour."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from shuren.evaluation.data import Declaration, DomainKind
from shuren.evaluation.rules.measuring import ItemInfo, Line
from shuren.evaluation.rules.words import kind_name, level_names

SCHEMA_NAME = "shuren.pupil/1"
Z95 = 1.959964
NOTABLE_Z = 1.28
FEWEST_ITEMS = 3
OMITTED, NOT_REACHED = -2, -3


@dataclass(frozen=True, slots=True)
class PupilScore:
    """A pupil's row in the lake: score on the report scale, its error, and the domains'."""

    eap: float
    se: float
    domains: Mapping[str, tuple[float | None, float | None]]


@dataclass(frozen=True, slots=True)
class _Part:
    """A domain or knowledge unit: marks gained, expected from this pupil's own level, at stake, and their variance."""

    name: str
    kind: str
    gained: float
    expected: float
    stake: float
    variance: float
    items: int

    @property
    def z(self) -> float:
        return (self.gained - self.expected) / math.sqrt(self.variance) if self.variance > 0 else 0.0

    def expected_share(self, z: float) -> float:
        """Share of the marks expected, `z` standard errors above or below what is most likely."""
        return min(1.0, max(0.0, (self.expected + z * math.sqrt(self.variance)) / self.stake))

    @property
    def standing(self) -> int | None:
        """1 above and -1 below what the pupil's own level leads one to expect, 0 within; None with too few items."""
        if self.items < FEWEST_ITEMS:
            return None
        return 1 if self.z >= NOTABLE_Z else -1 if self.z <= -NOTABLE_Z else 0


def pupil_document(
    score: PupilScore,
    answers: Mapping[str, int],
    *,
    items: Sequence[ItemInfo],
    calibration: Mapping[str, Any],
    declaration: Declaration,
    run: Mapping[str, Any],
    pupil: Mapping[str, Any],
    shows_items: bool,
) -> dict[str, Any]:
    """The whole page as plain values. `answers` are the cells of the items the pupil was given, by item code."""
    names = level_names(declaration.scale)
    cuts = [cut.score for cut in declaration.scale.cuts]
    at = int(np.searchsorted(cuts, score.eap, side="right")) if cuts else 0
    parts = _parts(score, answers, items, calibration, declaration)
    strong = [part for part in parts if part.standing == 1]
    weak = [part for part in parts if part.standing == -1]
    low, high = score.eap - Z95 * score.se, score.eap + Z95 * score.se
    reach = sorted({int(np.searchsorted(cuts, value, side="right")) for value in (low, high)}) if cuts else [0]
    return {
        "schema": SCHEMA_NAME,
        "run": dict(run),
        "pupil": dict(pupil),
        "scale": {"levels": [{"name": n, "from": f} for n, f in zip(names, [None, *cuts], strict=True)]},
        "score": {"value": round(score.eap, 1), "se": round(score.se, 2), "low": round(low, 1), "high": round(high, 1)},
        "level": {"number": at, "name": names[at], "may_be": [names[number] for number in range(reach[0], reach[-1] + 1)]},
        "domains": [_told(part) for part in parts if part.kind != "unit"],
        "units": [_told(part) for part in parts if part.kind == "unit"],
        "strengths": [_strength(part) for part in sorted(strong, key=lambda part: -part.z)[:3]],
        "next_steps": _next_steps(sorted(weak, key=lambda part: part.z)[:3], names, at, cuts, score.eap),
        "wrong_items": _wrong(answers, items) if shows_items else [],
        "shows_items": shows_items,
        "meaning": _meaning(score, names[at], [names[number] for number in range(reach[0], reach[-1] + 1)]),
    }


def _parts(
    score: PupilScore,
    answers: Mapping[str, int],
    items: Sequence[ItemInfo],
    calibration: Mapping[str, Any],
    declaration: Declaration,
) -> list[_Part]:
    line = Line(float(calibration["line"]["slope"]), float(calibration["line"]["intercept"]))
    theta, error = (score.eap - line.intercept) / line.slope, score.se / line.slope
    groups: dict[tuple[str, str], list[tuple[float, float, float, float, float]]] = {}
    for item in items:
        marks = _marks(answers.get(item.code), declaration)
        parameters = calibration["items"].get(item.code)
        if marks is None or not parameters or parameters["slope"] is None:
            continue
        expected, variance = _moments(parameters, theta)
        told = (float(marks), expected, float(item.max_score), variance, parameters["slope"] * variance)
        keys = [(DomainKind.CONTENT.value, item.content), (DomainKind.COGNITIVE.value, item.cognitive)]
        for key in keys + [("unit", unit) for unit in item.units]:
            if key[1]:
                groups.setdefault(key, []).append(told)
    found = []
    for (kind, name), rows in groups.items():
        gained, expected, stake, variance, slope = (float(sum(column)) for column in zip(*rows, strict=True))
        # What is not known of the pupil's level moves all expected marks together: delta method.
        found.append(_Part(name, kind, gained, expected, stake, variance + (slope * error) ** 2, len(rows)))
    return found


def _marks(cell: int | None, declaration: Declaration) -> int | None:
    if cell is None or cell >= 0:
        return cell
    policy = declaration.omitted_as if cell == OMITTED else declaration.not_reached_in_scoring
    return 0 if cell in (OMITTED, NOT_REACHED) and policy == "wrong" else None


def _moments(parameters: Mapping[str, Any], theta: float) -> tuple[float, float]:
    """Expected marks and their variance at `theta` (partial credit model)."""
    intercepts = np.array([0.0 if step is None else step for step in parameters["intercepts"]])
    steps = np.arange(intercepts.size)
    logits = parameters["slope"] * theta * steps + intercepts
    odds = np.exp(logits - logits.max())
    chances = odds / odds.sum()
    mean = float(chances @ steps)
    return mean, float(chances @ steps**2 - mean**2)


def _told(part: _Part) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "kind_name": _("知识单元") if part.kind == "unit" else kind_name(DomainKind(part.kind)),
        "name": part.name,
        "items": part.items,
        "gained": part.gained,
        "stake": part.stake,
        "rate": round(part.gained / part.stake, 4) if part.stake else None,
        "expected_rate": round(part.expected_share(0), 4) if part.stake else None,
        "expected_low": round(part.expected_share(-NOTABLE_Z), 4) if part.stake else None,
        "expected_high": round(part.expected_share(NOTABLE_Z), 4) if part.stake else None,
        "standing": part.standing,
        "verdict": _verdict(part),
    }


def _verdict(part: _Part) -> str:
    return {
        None: _("题目太少，暂不判断"),
        1: _("比自己的总体水平更好"),
        -1: _("比自己的总体水平弱一些"),
        0: _("和自己的总体水平相当"),
    }[part.standing]


def _strength(part: _Part) -> str:
    words = {"name": part.name, "gained": part.gained, "stake": part.stake}
    return _("“%(name)s”做得好：%(stake)g 分里得了 %(gained)g 分，超出自己的总体水平。") % words


def _next_steps(weak: list[_Part], names: list[str], at: int, cuts: list[float], score: float) -> list[str]:
    found = [
        _("先复习“%(name)s”：%(stake)g 分里得了 %(gained)g 分，这里进步的空间最大。")
        % {"name": part.name, "gained": part.gained, "stake": part.stake}
        for part in weak
    ]
    if not found:
        found.append(_("各部分发展均衡，保持现在的学习节奏，遇到错题及时弄懂。"))
    if at < len(cuts):
        gap = cuts[at] - score
        found.append(_("离“%(name)s”还差约 %(gap).0f 分，一步一步来。") % {"name": names[at + 1], "gap": max(gap, 1)})
    return found


def _wrong(answers: Mapping[str, int], items: Sequence[ItemInfo]) -> list[dict[str, Any]]:
    """Items without full marks, in order of the paper; those not reached are told apart."""
    found = []
    for number, item in enumerate(items, start=1):
        cell = answers.get(item.code)
        if cell is None or cell >= item.max_score:
            continue
        state = _("没有作答") if cell == OMITTED else _("没有做到") if cell == NOT_REACHED else _("没有得满分")
        found.append(
            {
                "number": number,
                "code": item.code,
                "label": item.label,
                "content": item.content,
                "units": list(item.units),
                "gained": max(cell, 0),
                "stake": item.max_score,
                "state": state,
            }
        )
    return found


def _meaning(score: PupilScore, name: str, may_be: list[str]) -> list[str]:
    words = {"score": score.eap, "low": score.eap - Z95 * score.se, "high": score.eap + Z95 * score.se, "name": name}
    found = [
        _("这次的成绩是 %(score).0f 分，处于“%(name)s”。") % words
        + _("一次测验只做了一部分题，所以成绩带有误差：真实水平很可能在 %(low).0f 到 %(high).0f 分之间。") % words
    ]
    if len(may_be) > 1:
        found.append(_("因为有误差，实际水平也可能属于：%(names)s。") % {"names": _("、").join(may_be)})
    found.append(_("这份报告不排名次，也不和同学比较，只帮助了解自己学得怎么样、下一步学什么。"))
    return found
