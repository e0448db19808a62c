"""Plots of what results say: distributions, equating, growth, profiles, the course of a fit or of an adaptive test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from edmeasure import _validate
from edmeasure._validate import FloatArray
from edmeasure.adaptive.cat import ItemBank, TestRules, TestState, next_step
from edmeasure.diagnosis.mastery import Mastery
from edmeasure.diagnosis.structured import AttributeBeliefs
from edmeasure.equating.forms import Equating
from edmeasure.errors import BadOption
from edmeasure.growth.progress import ROOM, GrowthModel
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
    rows_height,
    whole_steps,
    words,
)
from edmeasure.tracing.checks import PredictionQuality

NORMAL_95 = 1.959963984540054
LEAST_GAP = 1e-10
PERCENTILES = (10, 25, 50, 75, 90)
FINE = 101


def plot_scores(
    values: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    cuts: Mapping[str, float] | None = None,
    bins: int = 40,
    ax: Axes | None = None,
    labels: Labels = None,
) -> Axes:
    """How scores are distributed, with their mean and named cuts; shares are of all weights."""
    say, given = words(labels), finite(np.asarray(values, dtype=np.float64), "values")
    held = _validate.weight_vector(weights, np.asarray(values).size)[np.isfinite(np.asarray(values, dtype=np.float64).ravel())]
    ax = axes(ax)
    ax.hist(given, bins=bins, weights=held / held.sum(), color=PALE, edgecolor="white", linewidth=0.5)
    ax.axvline(float(held @ given / held.sum()), color=INK, linewidth=THICK, label=say("Mean"))
    for name, at in (cuts or {}).items():
        ax.axvline(at, color=ACCENT, linewidth=THIN, linestyle="--")
        ax.annotate(
            say(name), (at, 1.0), xycoords=("data", "axes fraction"), xytext=(3, -3), textcoords="offset points", va="top",
            fontsize="small", color=ACCENT, rotation=90,
        )  # fmt: skip
    legend(ax)
    name_axes(ax, say("Score"), say("Share"))
    return ax


def plot_equating(
    found: Equating, *, difference: bool = True, ax: Axes | None = None, labels: Labels = None, level: float = NORMAL_95
) -> Axes:
    """Equivalents of scores with the band of their errors; by default what equating adds to the score."""
    say = words(labels)
    scores = np.arange(found.equivalents.size, dtype=np.float64)
    base = scores if difference else np.zeros(scores.size)
    line, half = found.equivalents - base, level * found.standard_errors
    ax = axes(ax)
    ax.plot(scores, scores - base, color=GREY, linewidth=THIN, linestyle="--", label=say("No equating"))
    if np.isfinite(half).any():
        ax.fill_between(scores, line - half, line + half, color=PALE, linewidth=0, label=say("95 % interval"))
    ax.plot(scores, line, color=ACCENT, linewidth=THICK, label=say("Equivalent"))
    legend(ax)
    name_axes(ax, say("Score on form X"), say("Equivalent less score" if difference else "Equivalent on form Y"))
    return ax


def plot_growth(
    model: GrowthModel,
    *,
    percentiles: Sequence[int] = PERCENTILES,
    which: int = 0,
    points: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    ax: Axes | None = None,
    labels: Labels = None,
) -> Axes:
    """Later score at some growth percentiles over an earlier one, the middle one in colour.

    Parameters
    ----------
    which
        The earlier score; others are held at the middle of their knots.
    points
        Earlier and later scores of persons to show beneath.
    """
    say = words(labels)
    if not 0 <= which < len(model.knots) or any(not 1 <= one <= 99 for one in percentiles):
        raise BadOption("which or a percentile does not fit.", remedy="Use an earlier score of the model, and 1 to 99.")
    grid = np.tile([float(np.median(places)) for places in model.knots], (FINE, 1))
    low, high = model.knots[which][0], model.knots[which][-1]
    # boundaries lie a tenth of the range of scores outside it
    margin = (high - low) * ROOM / (1.0 + 2.0 * ROOM)
    grid[:, which] = np.linspace(low + margin, high - margin, FINE)
    curves = model.quantiles(grid)
    ax = axes(ax)
    if points is not None:
        earlier, later = (np.asarray(one, dtype=np.float64) for one in points)
        ax.scatter(earlier, later, s=4, color=PALE, linewidth=0)
    for one in percentiles:
        is_middle = one == 50
        # quantiles lie half a percent to either side of a whole percentile
        curve = (curves[:, one - 1] + curves[:, one]) / 2.0
        ax.plot(grid[:, which], curve, color=ACCENT if is_middle else GREY, linewidth=THICK if is_middle else THIN)
        ax.annotate(
            str(one), (grid[-1, which], curve[-1]), xytext=(3, 0), textcoords="offset points", fontsize="small", va="center"
        )
    name_axes(ax, say("Earlier score"), say("Later score"), say("Growth percentiles"))
    return ax


def plot_profile(
    found: Mastery | AttributeBeliefs, person: int | None = None, *, ax: Axes | None = None, labels: Labels = None
) -> Axes:
    """Chance that a person masters every attribute; of all persons (None) the share. Chances of 0.2 to 0.8 stay grey."""
    say, chances = words(labels), found.probabilities
    if person is not None and not 0 <= person < chances.shape[0]:
        raise BadOption(f"There is no person {person}.", remedy=f"Use 0 to {chances.shape[0] - 1}.")
    shown: FloatArray = chances.mean(axis=0) if person is None else chances[person]
    is_sure = (shown >= 0.8) | (shown <= 0.2) if person is not None else np.ones(shown.size, dtype=np.bool_)
    ax = axes(ax, height=rows_height(shown.size))
    rows = np.arange(shown.size)
    ax.barh(rows, np.ones(shown.size), color=PALE, height=0.6)
    bars = ax.barh(rows, shown, height=0.6)
    for bar, colour in zip(bars, np.where(is_sure, ACCENT, GREY), strict=True):
        bar.set_color(str(colour))
    name_rows(ax, [say(name) for name in found.attribute_names])
    ax.set_xlim(0, 1)
    name_axes(ax, say("Chance of mastery" if person is not None else "Share of persons"), "")
    return ax


def plot_history(found: object, *, ax: Axes | None = None, labels: Labels = None) -> Axes:
    """How far the log-likelihood lay below its end after every step of a fit; any result with a ``history``."""
    say = words(labels)
    history = finite(np.asarray(getattr(found, "history", ()), dtype=np.float64), "history")
    gap = np.maximum(history[-1] - history, LEAST_GAP)
    ax = axes(ax)
    ax.plot(np.arange(history.size)[:-1], gap[:-1], color=ACCENT, linewidth=THICK, marker="o", markersize=3)
    ax.set_yscale("log")
    whole_steps(ax)
    name_axes(ax, say("Step"), say("Log-likelihood still to gain"))
    return ax


def plot_adaptive(bank: ItemBank, rules: TestRules, state: TestState, *, ax: Axes | None = None, labels: Labels = None) -> Axes:
    """One adaptive test: the estimate with its 95 % interval after every answer, full marks filled."""
    say = words(labels)
    states = [TestState(state.seed, state.item_ids[:m], state.scores[:m]) for m in range(len(state.scores) + 1)]
    steps = [next_step(bank, rules, one) for one in states]
    theta, se = (np.array([getattr(step, name) for step in steps]) for name in ("theta", "se"))
    answered = np.arange(theta.size)
    ax = axes(ax)
    half = NORMAL_95 * se
    ax.fill_between(answered, theta - half, theta + half, color=PALE, linewidth=0, label=say("95 % interval"))
    ax.plot(answered, theta, color=INK, linewidth=THIN, label=say("Ability"))
    highest = {name: int(top) for name, top in zip(bank.item_ids, bank.items.max_scores, strict=True)}
    is_full = np.array([x == highest[name] for name, x in zip(state.item_ids, state.scores, strict=True)], dtype=np.bool_)
    for held, face, name in ((is_full, ACCENT, "Right"), (~is_full, "white", "Wrong")):
        at = 1 + np.flatnonzero(held)
        if at.size:
            ax.scatter(at, theta[at], s=MARK, facecolor=face, edgecolor=ACCENT, zorder=3, label=say(name))
    legend(ax)
    whole_steps(ax)
    name_axes(ax, say("Items answered"), say("Ability"))
    return ax


def plot_calibration(found: PredictionQuality, *, ax: Axes | None = None, labels: Labels = None) -> Axes:
    """Share right against predicted chance, bin by bin."""
    say = words(labels)
    ax = axes(ax)
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=THIN, linestyle="--")
    ax.plot(found.bin_chance, found.bin_right, color=ACCENT, linewidth=THICK, marker="o", markersize=4)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    name_axes(ax, say("Predicted chance"), say("Share right"))
    return ax
