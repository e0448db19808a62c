"""Generalizability theory: how much of a score's variance is persons, items, raters, and what more of them would buy.

Variance components from the mean squares of a balanced design (Cronbach, Gleser, Nanda & Rajaratnam
1972; Brennan 2001, ch. 3 to 5).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray
from edmeasure.errors import BadOption, BadScore, BadShape

DESIGNS = ("p x i", "i:p", "p x i x r", "p x (r:i)")


@dataclass(frozen=True)
class DStudy(Exported):
    """What a measurement with these numbers of conditions would be worth.

    ``relative_error`` and ``absolute_error`` are variances; ``generalizability`` is universe-score
    variance over itself plus relative error (for ranking), ``dependability`` (Phi) the same with
    absolute error (for standards).
    """

    n_i: int
    n_r: int
    universe: float
    relative_error: float
    absolute_error: float

    @property
    def generalizability(self) -> float:
        return self.universe / (self.universe + self.relative_error) if self.universe > 0 else 0.0

    @property
    def dependability(self) -> float:
        return self.universe / (self.universe + self.absolute_error) if self.universe > 0 else 0.0

    def _columns(self) -> Mapping[str, object]:
        return {name: [value] for name, value in self.to_dict().items()}

    def __str__(self) -> str:
        return f"{self.n_i} x {self.n_r}: generalizability {self.generalizability:.3f}, dependability {self.dependability:.3f}"


@dataclass(frozen=True, eq=False)
class VarianceComponents(Exported):
    """Estimated components of a design.

    Attributes
    ----------
    effects : tuple of str
        ``"p"``, ``"i"``, ``"pi"`` and so on; the last one holds the error too.
    components, standard_errors : float64
        Unbiased estimates, which may be negative, with Searle's errors from the mean squares.
    mean_squares : float64
    df : int64
    grand_mean : float
    """

    design: str
    effects: tuple[str, ...]
    components: FloatArray
    standard_errors: FloatArray
    mean_squares: FloatArray
    df: npt.NDArray[np.int64]
    grand_mean: float
    sizes: tuple[int, ...]

    def of(self, effect: str) -> float:
        """One component, 0 where the estimate is negative or the design has no such effect."""
        return max(float(self.components[self.effects.index(effect)]), 0.0) if effect in self.effects else 0.0

    def decide(self, *, n_i: int | None = None, n_r: int | None = None, fixed_r: bool = False) -> DStudy:
        """The D-study: mean over ``n_i`` items and ``n_r`` raters (per item); default those of the data.

        ``fixed_r`` keeps to the raters at hand (design ``p x i x r``): their interaction with
        persons becomes part of what is measured.
        """
        items = self.sizes[1] if n_i is None else n_i
        raters = (self.sizes[2] if len(self.sizes) > 2 else 1) if n_r is None else n_r
        if items < 1 or raters < 1:
            raise BadOption(f"n_i is {items}, n_r is {raters}.", remedy="Use at least one condition of each.")
        if fixed_r and (self.design != "p x i x r" or raters != self.sizes[2]):
            raise BadOption("fixed_r keeps the raters of a crossed design.", remedy="Leave n_r out, or fixed_r.")
        with_r = self.of("pr") / raters
        relative = (self.of("pi") + self.of("i:p")) / items + (self.of("pir") + self.of("pr:i")) / (items * raters)
        alone = self.of("i") / items + self.of("r") / raters + (self.of("ir") + self.of("r:i")) / (items * raters)
        if fixed_r:
            return DStudy(items, raters, self.of("p") + with_r, relative, relative + alone - self.of("r") / raters)
        return DStudy(items, raters, self.of("p"), relative + with_r, relative + with_r + alone)

    def _columns(self) -> Mapping[str, object]:
        return {"effect": self.effects, **super()._columns()}

    def __str__(self) -> str:
        whole = np.maximum(self.components, 0).sum()
        lines = [f"{self.design}, sizes {' x '.join(map(str, self.sizes))}"]
        for effect, value, error in zip(self.effects, self.components, self.standard_errors, strict=True):
            lines.append(f"{effect:>5} {value:10.4f} ({error:.4f}) {max(value, 0) / whole:6.1%}")
        return "\n".join([*lines, str(self.decide())])


def variance_components(scores: npt.ArrayLike, *, design: str = "p x i") -> VarianceComponents:
    """Components of a complete balanced table.

    Parameters
    ----------
    scores : (P, I) or (P, I, R)
        Persons by items, or persons by items by raters. In ``"i:p"`` every person has items of his own,
        in ``"p x (r:i)"`` every item raters of its own.
    """
    _validate.choice(design, "design", DESIGNS)
    given = np.asarray(scores, dtype=np.float64)
    facets = 2 if design in ("p x i", "i:p") else 3
    if given.ndim != facets or min(given.shape, default=0) < 2:
        raise BadShape(f"Scores have shape {given.shape}.", remedy=f"{design!r} needs {facets} axes with 2 or more each.")
    if not np.isfinite(given).all():
        raise BadScore("Scores hold NaN or infinity.", remedy="Use complete persons; the design must be balanced.")
    if given.min() == given.max():
        raise BadScore("All scores are the same.", remedy="Pass scores that differ.")
    squares, df = _crossed_sums(given)
    merged = {"i:p": {"i:p": ("i", "pi")}, "p x (r:i)": {"r:i": ("r", "ir"), "pr:i": ("pr", "pir")}}.get(design, {})
    for name, parts in merged.items():
        squares[name], df[name] = sum(squares.pop(part) for part in parts), sum(df.pop(part) for part in parts)
    effects = tuple(squares)
    mean_squares = np.array([squares[effect] / df[effect] for effect in effects])
    expected = _expected(effects, dict(zip("pir", given.shape, strict=False)))
    weights = np.linalg.inv(expected)
    freedom = np.array([df[effect] for effect in effects], dtype=np.int64)
    return VarianceComponents(
        design=design,
        effects=effects,
        components=weights @ mean_squares,
        standard_errors=np.sqrt(weights**2 @ (2 * mean_squares**2 / (freedom + 2))),
        mean_squares=mean_squares,
        df=freedom,
        grand_mean=float(given.mean()),
        sizes=given.shape,
    )


def _crossed_sums(scores: FloatArray) -> tuple[dict[str, float], dict[str, int]]:
    """Sums of squares and degrees of freedom of every effect of the crossed design."""
    axes = "pir"[: scores.ndim]
    squares: dict[str, float] = {}
    df: dict[str, int] = {}
    kept: dict[str, FloatArray] = {"": np.asarray(scores.mean(keepdims=True))}
    for size in range(1, scores.ndim + 1):
        for names in itertools.combinations(axes, size):
            effect = "".join(names)
            away = tuple(axis for axis, name in enumerate(axes) if name not in names)
            part = scores.mean(axis=away, keepdims=True) - sum(value for name, value in kept.items() if set(name) < set(effect))
            kept[effect] = part
            squares[effect] = float((part**2).sum()) * scores.size / part.size
            df[effect] = int(np.prod([scores.shape[axes.index(name)] - 1 for name in names]))
    return squares, df


def _expected(effects: tuple[str, ...], sizes: dict[str, int]) -> FloatArray:
    """E(MS of row) = sum over effects that contain the row's letters of component x sizes of the rest."""
    letters = [set(effect.replace(":", "")) for effect in effects]
    return np.array(
        [
            [float(np.prod([sizes[name] for name in set(sizes) - column])) if row <= column else 0.0 for column in letters]
            for row in letters
        ]
    )
