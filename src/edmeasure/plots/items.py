"""Plots of calibrated items: curves, information, a map of persons and items, differences and drift."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from edmeasure.adaptive.cat import ItemBank, item_bank
from edmeasure.calibration.irt import IRTFit
from edmeasure.dif.likelihood import LARGE, MODERATE, ModelDIF
from edmeasure.dif.observed import LARGE_DELTA, LARGE_R2, MODERATE_DELTA, MODERATE_R2, LogisticDIF, MantelHaenszel
from edmeasure.linking.drift import DriftReport
from edmeasure.plots._look import (
    ACCENT,
    GREY,
    INK,
    MARK,
    PALE,
    THICK,
    THIN,
    Labels,
    axes,
    finite,
    legend,
    name_axes,
    name_rows,
    position,
    rows_height,
    shades,
    words,
)

FINE = 161
LARGEST_ERROR = 2.0
BINS = 30


def plot_item(fit: IRTFit, item_id: str, *, ax: Axes | None = None, labels: Labels = None, bound: float = 4.0) -> Axes:
    """Chance of every category of one item; of right/wrong items the chance of a right answer."""
    bank, say = _bank(fit, bound), words(labels)
    at = position(item_id, bank.item_ids, "calibrated item")
    curves = bank.probabilities[bank.category_start[at] : bank.category_start[at + 1]]
    ax = axes(ax)
    if curves.shape[0] == 2:
        ax.plot(bank.nodes, curves[1], color=ACCENT, linewidth=THICK)
    else:
        for score, (curve, shade) in enumerate(zip(curves, shades(curves.shape[0]), strict=True)):
            ax.plot(bank.nodes, curve, color=shade, linewidth=THICK, label=f"{say('Score')} {score}")
        legend(ax)
    ax.set_ylim(0, 1)
    name_axes(ax, say("Ability"), say("Chance"), say(item_id))
    return ax


def plot_item_information(
    fit: IRTFit, *, items: Sequence[str] | None = None, ax: Axes | None = None, labels: Labels = None, bound: float = 4.0
) -> Axes:
    """Information of every item in grey, of ``items`` by name with the last one in colour."""
    bank, say = _bank(fit, bound), words(labels)
    named = [position(name, bank.item_ids, "calibrated item") for name in items or ()]
    ax = axes(ax)
    for at in range(len(bank.item_ids)):
        if at not in named:
            ax.plot(bank.nodes, bank.information[at], color=PALE, linewidth=THIN)
    for at, shade in zip(named, shades(len(named)), strict=False):
        ax.plot(bank.nodes, bank.information[at], color=shade, linewidth=THICK, label=say(bank.item_ids[at]))
    legend(ax)
    ax.set_ylim(bottom=0)
    name_axes(ax, say("Ability"), say("Information"))
    return ax


def plot_test_information(fit: IRTFit, *, ax: Axes | None = None, labels: Labels = None, bound: float = 4.0) -> Axes:
    """Information of the whole test, and on a second scale the standard error it leaves."""
    bank, say = _bank(fit, bound), words(labels)
    whole = bank.information.sum(axis=0)
    ax = axes(ax)
    ax.plot(bank.nodes, whole, color=INK, linewidth=THICK, label=say("Information"))
    ax.set_ylim(bottom=0)
    name_axes(ax, say("Ability"), say("Information"))
    beside = ax.twinx()
    for side in ("top", "left", "bottom"):
        beside.spines[side].set_visible(False)
    beside.spines["right"].set_color(ACCENT)
    beside.tick_params(colors=ACCENT, length=3, labelsize="small")
    with np.errstate(divide="ignore"):
        error = 1.0 / np.sqrt(whole)
    shown = error < LARGEST_ERROR
    beside.plot(bank.nodes[shown], error[shown], color=ACCENT, linewidth=THICK, linestyle="--", label=say("Standard error"))
    beside.set_ylim(bottom=0)
    beside.set_ylabel(say("Standard error"), color=ACCENT)
    return ax


def plot_person_item_map(
    fit: IRTFit, theta: npt.ArrayLike, *, ax: Axes | None = None, labels: Labels = None, n_names: int = 40, bound: float = 5.0
) -> Axes:
    """Wright's map: abilities to the left, thresholds of items to the right, on one scale upwards.

    Items are named while there are no more than ``n_names``; thresholds beyond ``bound`` are triangles at it.
    """
    say, abilities = words(labels), finite(np.asarray(theta, dtype=np.float64), "theta")
    known = np.flatnonzero(fit.calibrated)
    ax = axes(ax, height=6.0)
    counts, edges = np.histogram(abilities, bins=BINS)
    ax.barh(edges[:-1], -counts / counts.max(), height=np.diff(edges), align="edge", color=PALE)
    for place, at in enumerate(known):
        steps = fit.thresholds[at][np.isfinite(fit.thresholds[at])]
        across = 0.1 + 0.9 * (place + 0.5) / known.size
        for height, is_beyond in zip(np.clip(steps, -bound, bound), np.abs(steps) > bound, strict=True):
            marker = ("^" if height > 0 else "v") if is_beyond else "o"
            ax.scatter(across, height, s=MARK, color=ACCENT, marker=marker)
            if known.size <= n_names:
                ax.annotate(
                    say(fit.item_ids[at]), (across, height), xytext=(4, 3), textcoords="offset points", fontsize="x-small"
                )
    ax.axvline(0.0, color=GREY, linewidth=THIN)
    ax.set_xlim(-1.05, 1.15)
    ax.set_xticks([-0.5, 0.55], [say("Persons"), say("Items")])
    name_axes(ax, "", say("Ability and difficulty"))
    return ax


def plot_dif(found: MantelHaenszel | LogisticDIF | ModelDIF, *, ax: Axes | None = None, labels: Labels = None) -> Axes:
    """Every item's effect with the bounds of classes A, B and C; items of class C in colour.

    Right of 0 is easier for the focal group, but for logistic regression, whose R² has no direction.
    """
    say = words(labels)
    effect, bounds, name = _effect(found)
    ax = axes(ax, height=rows_height(len(found.item_ids)))
    for bound, line in zip(bounds, (":", "--"), strict=True):
        for side in (-bound, bound) if (effect < 0).any() or name != "Gain of R²" else (bound,):
            ax.axvline(side, color=GREY, linewidth=THIN, linestyle=line)
    ax.axvline(0.0, color=GREY, linewidth=THIN)
    rows = np.arange(effect.size)
    for kind, colour in (("A", PALE), ("B", GREY), ("C", ACCENT)):
        held = np.array([one == kind for one in found.classes]) & np.isfinite(effect)
        if held.any():
            ax.scatter(effect[held], rows[held], s=MARK, color=colour, label=f"{say('Class')} {kind}", zorder=3)
    if isinstance(found, MantelHaenszel):
        half = 1.96 * found.delta_se
        drawn = np.isfinite(half)
        ax.hlines(rows[drawn], (effect - half)[drawn], (effect + half)[drawn], color=GREY, linewidth=THIN)
    name_rows(ax, [say(item) for item in found.item_ids])
    legend(ax, is_above=True)
    name_axes(ax, say(name), "")
    return ax


def plot_drift(found: DriftReport, *, ax: Axes | None = None, labels: Labels = None) -> Axes:
    """Shift of every common item's difficulty against the logarithm of its slope's ratio; drifted items by name."""
    say = words(labels)
    ax = axes(ax)
    ratio = np.log(found.slope_ratio)
    is_out = np.array([name in found.drifted for name in found.item_ids])
    ax.axhline(0.0, color=PALE, linewidth=THIN)
    ax.axvline(0.0, color=PALE, linewidth=THIN)
    for held, colour, name in ((~is_out, GREY, "Stable items"), (is_out, ACCENT, "Drifted items")):
        if held.any():
            ax.scatter(found.shift[held], ratio[held], s=MARK, color=colour, label=say(name), zorder=3)
    for at in np.flatnonzero(is_out):
        ax.annotate(
            say(found.item_ids[at]), (found.shift[at], ratio[at]), xytext=(5, 4), textcoords="offset points", fontsize="small"
        )
    legend(ax)
    name_axes(ax, say("Shift of difficulty"), say("Log ratio of slopes"))
    return ax


def _bank(fit: IRTFit, bound: float) -> ItemBank:
    return item_bank(fit, n_nodes=FINE, bound=bound)


def _effect(found: MantelHaenszel | LogisticDIF | ModelDIF) -> tuple[npt.NDArray[np.float64], tuple[float, float], str]:
    """Effects, bounds of moderate and large ones, and their name."""
    if isinstance(found, MantelHaenszel):
        return found.delta, (MODERATE_DELTA, LARGE_DELTA), "Delta"
    if isinstance(found, LogisticDIF):
        return found.r2_total, (MODERATE_R2, LARGE_R2), "Gain of R²"
    return np.asarray(np.sign(found.difference) * found.distance), (MODERATE, LARGE), "Difference of expected scores"
