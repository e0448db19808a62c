"""How every plot looks: greys, one accent, no frame; and the words on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from edmeasure._validate import FloatArray
from edmeasure.errors import BadOption

INK, GREY, PALE, ACCENT = "#333333", "#8a8a8a", "#d9d9d9", "#b3401a"
SIZE = (6.4, 4.0)
THIN, THICK = 1.0, 1.8
MARK = 22.0
MOST_NAMES = 60

Labels = Mapping[str, str] | None
Say = Callable[[str], str]


def words(labels: Labels) -> Say:
    """The caller's word for an English one, or for an item's or attribute's name."""
    known = dict(labels or {})
    return lambda english: known.get(english, english)


def axes(ax: Axes | None, *, height: float = SIZE[1]) -> Axes:
    """The caller's axes, or new ones in a figure of their own that needs no screen."""
    if ax is None:
        ax = Figure(figsize=(SIZE[0], height), layout="constrained").add_subplot()
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GREY)
    ax.tick_params(colors=INK, length=3, labelsize="small")
    ax.set_axisbelow(True)
    return ax


def name_axes(ax: Axes, horizontal: str, vertical: str, title: str = "") -> None:
    ax.set_xlabel(horizontal, color=INK)
    ax.set_ylabel(vertical, color=INK)
    if title:
        ax.set_title(title, color=INK, loc="left", fontsize="medium")


def legend(ax: Axes, *, is_above: bool = False) -> None:
    """A legend without a frame, where something has a name; above the axes where they are full."""
    names = ax.get_legend_handles_labels()[1]
    if is_above and names:
        ax.legend(
            frameon=False,
            fontsize="small",
            labelcolor=INK,
            ncols=len(names),
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            borderpad=0,
        )
    elif names:
        ax.legend(frameon=False, fontsize="small", labelcolor=INK)


def whole_steps(ax: Axes) -> None:
    """Ticks at whole numbers only, where steps are counted."""
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Names from top to bottom, one a row; of very many only some."""
    step = 1 + (len(names) - 1) // MOST_NAMES
    ax.set_yticks(range(0, len(names), step), list(names)[::step])
    ax.set_ylim(len(names) - 0.5, -0.5)


def rows_height(n: int) -> float:
    """Inches for so many named rows."""
    return float(np.clip(0.9 + 0.22 * n, 2.0, 14.0))


def shades(n: int) -> list[str]:
    """Greys from pale to dark, the last one the accent."""
    levels = np.linspace(0.75, 0.25, max(n - 1, 1))
    return [f"{level:.3f}" for level in levels[: n - 1]] + [ACCENT]


def position(name: str, names: Sequence[str], kind: str) -> int:
    """Where a name stands, or a refusal that says which there are."""
    if name not in names:
        raise BadOption(f"There is no {kind} {name!r}.", remedy=f"Names begin with {list(names)[:10]}.")
    return list(names).index(name)


def finite(values: FloatArray, name: str) -> FloatArray:
    """The numbers that can be drawn, at least one."""
    kept = np.asarray(values, dtype=np.float64).ravel()
    kept = kept[np.isfinite(kept)]
    if kept.size == 0:
        raise BadOption(f"{name} has no finite number.", remedy="Pass at least one.")
    return kept
