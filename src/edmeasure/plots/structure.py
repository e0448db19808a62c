"""Plots of the structure of questions and persons: eigenvalues, loadings, profiles."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

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
    legend,
    name_axes,
    name_rows,
    rows_height,
    shades,
    whole_steps,
    words,
)
from edmeasure.profiles.clusters import Profiles
from edmeasure.profiles.confirmation import ConfirmedFactors
from edmeasure.profiles.exploration import FactorAnalysis, ParallelAnalysis

LARGEST_MARK = 160.0
FAINT = 0.10


def plot_eigenvalues(found: ParallelAnalysis, *, ax: Axes | None = None, labels: Labels = None) -> Axes:
    """Eigenvalues of the factors against those by chance; factors right of the dashed line are not kept."""
    say, ax = words(labels), axes(ax)
    number = np.arange(1, found.factors.size + 1)
    ax.plot(number, found.factors, color=INK, linewidth=THICK, marker="o", markersize=4, label=say("Answers"))
    ax.plot(number, found.factors_by_chance, color=GREY, linewidth=THIN, label=say("By chance"))
    ax.axvline(found.n_factors + 0.5, color=ACCENT, linewidth=THIN, linestyle="--")
    whole_steps(ax)
    legend(ax)
    name_axes(ax, say("Factor"), say("Eigenvalue"))
    return ax


def plot_loadings(found: FactorAnalysis | ConfirmedFactors, *, ax: Axes | None = None, labels: Labels = None) -> Axes:
    """Loadings of items (rows) on factors (columns): the larger the mark the greater, those below 0 in the accent."""
    say = words(labels)
    if isinstance(found, ConfirmedFactors):
        table, names = found.standardized, found.factors
    else:
        table, names = found.loadings, tuple(str(at + 1) for at in range(found.n_factors))
    ax = axes(ax, height=rows_height(table.shape[0]))
    ax.vlines(np.arange(len(names)), -0.5, table.shape[0] - 0.5, color=PALE, linewidth=THIN)
    row, column = np.nonzero(np.abs(table) >= FAINT)
    size = np.abs(table[row, column])
    colours = np.where(table[row, column] < 0, ACCENT, INK)
    ax.scatter(column, row, s=LARGEST_MARK * size**2, c=colours.tolist())
    ax.set_xticks(range(len(names)), [say(name) for name in names])
    ax.set_xlim(-0.5, len(names) - 0.5)
    name_rows(ax, [say(name) for name in found.item_ids])
    name_axes(ax, say("Factor"), say("Item"))
    return ax


def plot_centres(found: Profiles, *, ax: Axes | None = None, labels: Labels = None) -> Axes:
    """Means of every profile, in deviations of all persons from the mean of all, largest profile last and in the accent."""
    say, ax = words(labels), axes(ax)
    share = found.shares[:, None]
    mean = (share * found.centres).sum(axis=0)
    sd = np.sqrt((share * (found.spreads**2 + (found.centres - mean) ** 2)).sum(axis=0))
    at = np.arange(len(found.columns))
    ax.axhline(0.0, color=PALE, linewidth=THIN)
    for colour, k in zip(shades(found.n_profiles), range(found.n_profiles - 1, -1, -1), strict=True):
        name = f"{say(found.names[k])} ({found.shares[k]:.0%})"
        ax.plot(
            at, (found.centres[k] - mean) / sd, color=colour, linewidth=THICK, marker="o", markersize=np.sqrt(MARK), label=name
        )
    ax.set_xticks(at, [say(name) for name in found.columns])
    legend(ax)
    name_axes(ax, "", say("Deviations from the mean"))
    return ax
