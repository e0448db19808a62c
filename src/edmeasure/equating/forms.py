"""Observed-score equating: which score on form Y stands for a score on form X.

Random groups (one group per form, drawn alike) or groups that differ and share an anchor (NEAT).
Formulas follow Kolen & Brennan (2014) unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray
from edmeasure.equating import _lines as _equating_lines
from edmeasure.equating._percentiles import Kernel, Uniform, kernel
from edmeasure.equating.presmoothing import SmoothedCounts, count_table, smooth_counts
from edmeasure.errors import BadOption, BadShape

METHODS = ("equipercentile", "kernel", "linear", "mean", "circle-arc")
ANCHOR_METHODS = (
    "frequency-estimation",
    "chained-equipercentile",
    "tucker",
    "levine",
    "chained-linear",
    "braun-holland",
)
CONTINUOUS = ("uniform", "kernel")
MOST_LOST = 0.01

Equate = Callable[[FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Equating(Exported):
    """Equivalents on form Y of the scores 0..K of form X.

    Attributes
    ----------
    equivalents, standard_errors : float64 (K + 1,)
        Errors are NaN where the method has no formula and no bootstrap was asked for.
    method : str
    """

    equivalents: FloatArray
    standard_errors: FloatArray
    method: str

    def convert(self, scores: npt.ArrayLike) -> FloatArray:
        """Y-equivalents of scores on X (any shape); between whole scores by interpolation."""
        given = np.asarray(scores, dtype=np.float64)
        highest = self.equivalents.size - 1
        if given.size and (np.nanmin(given) < 0 or np.nanmax(given) > highest or np.isnan(given).any()):
            raise BadOption(f"A score lies outside 0..{highest} of form X.", remedy="Convert scores of form X only.")
        return np.interp(given, np.arange(highest + 1), self.equivalents)

    def _columns(self) -> Mapping[str, object]:
        return {"score": np.arange(self.equivalents.size), **super()._columns()}

    def __str__(self) -> str:
        middle = self.equivalents.size // 2
        return (
            f"{self.method} equating of scores 0..{self.equivalents.size - 1}: 0 -> {self.equivalents[0]:.2f}, "
            f"{middle} -> {self.equivalents[middle]:.2f} ({self.standard_errors[middle]:.2g}), "
            f"{self.equivalents.size - 1} -> {self.equivalents[-1]:.2f}"
        )


def equate(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    method: str = "equipercentile",
    degree: int | None = None,
    bandwidth: float | None = None,
    n_bootstrap: int = 0,
    rng: np.random.Generator | None = None,
) -> Equating:
    """Equate form X to form Y from counts of two groups drawn alike.

    Parameters
    ----------
    x, y : (K + 1,)
        Persons at every score (`score_counts`).
    method
        ``"circle-arc"`` is the simplified arc through (0, 0), the means and the two maxima (Livingston
        & Kim 2009), for small groups.
    degree
        Log-linear presmoothing for the equipercentile and kernel methods; None takes the counts.
    bandwidth
        Of both kernels; default the one closest to the distribution. A large one gives the linear method.
    n_bootstrap, rng
        Errors from this many multinomial resamples instead of the formulas.

    Notes
    -----
    Errors by formula: mean and linear by the delta method, equipercentile by Kolen & Brennan's
    equation 7.12, kernel by von Davier, Holland & Thayer (2004, ch. 5); circle-arc has none.
    """
    _validate.choice(method, "method", METHODS)
    own, other = (_one_dimension(counts, name) for counts, name in ((x, "x"), (y, "y")))
    if bandwidth is not None:
        _validate.positive(bandwidth, "bandwidth")

    def once(own: FloatArray, other: FloatArray) -> FloatArray:
        if method in ("mean", "linear"):
            return _on_line(_line_of(method), own[:, None], other[:, None])
        if method == "circle-arc":
            return _circle_arc(own, other)
        first, second = _continuous_pair(own, other, method, degree, bandwidth)
        return second.point(first.below(np.arange(own.size, dtype=np.float64)))

    if n_bootstrap:
        errors = _bootstrap(once, own, other, n_bootstrap, rng)
    elif method in ("mean", "linear"):
        errors = _equating_lines.line_errors(
            _line_of(method), own[:, None], other[:, None], np.arange(own.size, dtype=np.float64)
        )
    elif method == "equipercentile":
        errors = _equipercentile_errors(_smoothed(own, degree), _smoothed(other, degree), own.sum(), other.sum())
    elif method == "kernel":
        errors = _kernel_errors(own, other, degree, bandwidth)
    else:
        errors = np.full(own.size, np.nan)
    return Equating(once(own, other), errors, method)


def equate_with_anchor(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    method: str = "frequency-estimation",
    x_weight: float = 1.0,
    internal_anchor: bool = True,
    degree: int | None = None,
    anchor_degree: int | None = None,
    cross: int = 1,
    continuous: str = "uniform",
    n_bootstrap: int = 0,
    rng: np.random.Generator | None = None,
) -> Equating:
    """Equate form X to form Y from groups that differ and took the same anchor.

    Parameters
    ----------
    x, y : (K + 1, L + 1)
        Persons at every total and anchor score (`score_counts` with ``anchor``).
    method
        Tucker and frequency estimation trust the regression on the anchor, Levine true scores,
        chained methods the anchor as a bridge; Braun & Holland (1982) is the line through the
        moments of frequency estimation.
    x_weight
        Share of group X in the synthetic population, 0..1; chained methods have none.
    internal_anchor
        The anchor's items count in the totals.
    degree, anchor_degree, cross
        Bivariate log-linear presmoothing (`smooth_counts`) for the curved methods and Braun-Holland.
    continuous
        ``"uniform"`` or ``"kernel"`` for the curved methods.
    n_bootstrap, rng
        Errors from this many multinomial resamples; the Tucker, Levine and chained lines have
        formulas (delta method) without it.
    """
    _validate.choice(method, "method", ANCHOR_METHODS)
    _validate.choice(continuous, "continuous", CONTINUOUS)
    if not 0 <= x_weight <= 1:
        raise BadOption(f"x_weight is {x_weight}.", remedy="Use a share from 0 to 1.")
    own, other = count_table(x), count_table(y)
    if own.ndim != 2 or other.ndim != 2 or own.shape[1] != other.shape[1] or own.shape[1] < 2:
        raise BadShape(
            f"Counts have shapes {own.shape} and {other.shape}.",
            remedy="Pass totals by anchor scores, with the same anchor scores for both (`max_anchor`).",
        )
    if min(np.count_nonzero(own.sum(axis=0)), np.count_nonzero(other.sum(axis=0))) < 2:
        raise BadShape("The anchor does not vary in one of the groups.", remedy="Check the anchor scores.")
    design = _AnchorDesign(method, x_weight, internal_anchor, degree, anchor_degree, cross, continuous)
    if n_bootstrap:
        errors = _bootstrap(design.equivalents, own, other, n_bootstrap, rng)
    elif design.line is not None:
        errors = _equating_lines.line_errors(design.line, own, other, np.arange(own.shape[0], dtype=np.float64))
    else:
        errors = np.full(own.shape[0], np.nan)
    return Equating(design.equivalents(own, other), errors, method)


@dataclass(frozen=True)
class _AnchorDesign:
    """How groups with an anchor are equated; the fields are options of `equate_with_anchor`."""

    method: str
    x_weight: float
    internal_anchor: bool
    degree: int | None
    anchor_degree: int | None
    cross: int
    continuous: str

    @property
    def line(self) -> _equating_lines.Line | None:
        """The line of a linear method, None for the curved ones."""
        if self.method == "tucker":
            return _equating_lines.tucker_line(self.x_weight)
        if self.method == "levine":
            return _equating_lines.levine_line(self.x_weight, self.internal_anchor)
        return _equating_lines.chained_line if self.method == "chained-linear" else None

    def smoothed(self, table: FloatArray) -> FloatArray:
        if self.degree is None:
            return np.asarray(table / table.sum())
        return smooth_counts(
            table,
            degree=self.degree,
            anchor_degree=self.anchor_degree,
            cross=self.cross,
            internal_anchor=self.internal_anchor,
        ).probabilities

    def equivalents(self, own: FloatArray, other: FloatArray) -> FloatArray:
        if self.line is not None:
            return _on_line(self.line, own, other)
        first, second = self.smoothed(own), self.smoothed(other)
        if self.method == "chained-equipercentile":
            return _chained(first, second, self.continuous)
        x, y = _synthetic_totals(first, second, self.x_weight)
        scores = np.arange(own.shape[0], dtype=np.float64)
        if self.method == "braun-holland":
            f, g = kernel(x, 1.0), kernel(y, 1.0)
            return np.asarray(g.mean + np.sqrt(g.variance / f.variance) * (scores - f.mean))
        return _continuous(y, self.continuous).point(_continuous(x, self.continuous).below(scores))


def _one_dimension(counts: npt.ArrayLike, name: str) -> FloatArray:
    table = count_table(counts)
    if table.ndim != 1:
        raise BadShape(f"{name} has shape {table.shape}.", remedy="Pass (K + 1,), or use `equate_with_anchor`.")
    return table


def _line_of(method: str) -> _equating_lines.Line:
    return _equating_lines.mean_line if method == "mean" else _equating_lines.linear_line


def _on_line(line: _equating_lines.Line, own: FloatArray, other: FloatArray) -> FloatArray:
    intercept, slope = line(_equating_lines.moments(own), _equating_lines.moments(other))
    return np.asarray(intercept + slope * np.arange(own.shape[0]))


def _smoothed(counts: FloatArray, degree: int | None) -> FloatArray:
    return counts / counts.sum() if degree is None else smooth_counts(counts, degree=degree).probabilities


def _continuous(probabilities: FloatArray, continuous: str, bandwidth: float | None = None) -> Uniform | Kernel:
    return kernel(probabilities, bandwidth) if continuous == "kernel" else Uniform(probabilities)


def _continuous_pair(
    own: FloatArray, other: FloatArray, method: str, degree: int | None, bandwidth: float | None
) -> tuple[Uniform | Kernel, Uniform | Kernel]:
    kind = "kernel" if method == "kernel" else "uniform"
    return _continuous(_smoothed(own, degree), kind, bandwidth), _continuous(_smoothed(other, degree), kind, bandwidth)


def _circle_arc(own: FloatArray, other: FloatArray) -> FloatArray:
    """Chord from (0, 0) to the maxima plus the arc over it through the difference of the means."""
    scores = np.arange(own.size)
    highest = own.size - 1
    chord = scores * (other.size - 1) / highest
    mean = own @ scores / own.sum()
    rise = other @ np.arange(other.size) / other.sum() - mean * (other.size - 1) / highest
    if abs(rise) < 1e-12:
        return chord
    half = highest / 2
    # centre (half, height) is as far from (0, 0) as from (mean, rise)
    height = (mean**2 + rise**2 - 2 * half * mean) / (2 * rise)
    radius = np.hypot(half, height)
    return np.asarray(chord + height + np.sign(rise) * np.sqrt(radius**2 - (scores - half) ** 2))


def _synthetic_totals(first: FloatArray, second: FloatArray, w: float) -> tuple[FloatArray, FloatArray]:
    """Distributions of both totals in w P + (1 - w) Q, given the anchor alike in both."""
    anchors = first.sum(axis=0), second.sum(axis=0)
    given_first, given_second = (
        np.divide(table, anchor, out=np.zeros_like(table), where=anchor > 0)
        for table, anchor in zip((first, second), anchors, strict=True)
    )
    x = w * first.sum(axis=1) + (1 - w) * given_first @ anchors[1]
    y = w * given_second @ anchors[0] + (1 - w) * second.sum(axis=1)
    if min(x.sum(), y.sum()) < 1 - MOST_LOST:
        raise BadOption(
            f"{1 - min(x.sum(), y.sum()):.0%} of one group have anchor scores that nobody in the other has.",
            remedy="Presmooth (`degree=4`), or use a chained method.",
        )
    return x / x.sum(), y / y.sum()


def _chained(first: FloatArray, second: FloatArray, continuous: str) -> FloatArray:
    """X to the anchor in one group, the anchor to Y in the other, both equipercentile."""
    x, v_first = (_continuous(first.sum(axis=axis), continuous) for axis in (1, 0))
    y, v_second = (_continuous(second.sum(axis=axis), continuous) for axis in (1, 0))
    anchor = v_first.point(x.below(np.arange(first.shape[0], dtype=np.float64)))
    return y.point(v_second.below(anchor))


def _equipercentile_errors(f: FloatArray, g: FloatArray, n_x: float, n_y: float) -> FloatArray:
    """Kolen & Brennan (2014), equation 7.12."""
    shares = Uniform(f).below(np.arange(f.size, dtype=np.float64))
    target = Uniform(g)
    upper = target.block(shares)
    high, low = target.cumulated[upper + 1], target.cumulated[upper]
    density = high - low
    with np.errstate(divide="ignore", invalid="ignore"):
        sampled = shares * (1 - shares) * (n_x + n_y) / (n_x * n_y)
        within = (high - shares) * (shares - low) / (n_y * density)
        errors = np.sqrt(np.maximum(sampled - within, 0.0)) / density
    return np.where(shares > 0, errors, 0.0)


def _kernel_errors(own: FloatArray, other: FloatArray, degree: int | None, bandwidth: float | None) -> FloatArray:
    """Delta method over the score probabilities, the bandwidths taken as given."""
    scores = np.arange(own.size, dtype=np.float64)
    f, g = (kernel(_smoothed(counts, degree), bandwidth) for counts in (own, other))
    at = g.point(f.below(scores))
    variance = np.zeros(own.size)
    for counts, slope in ((own, f.slope(scores)), (other, g.slope(at))):
        if degree is None:
            p = counts / counts.sum()
            variance += (slope**2 @ p - (slope @ p) ** 2) / counts.sum()
        else:
            model: SmoothedCounts = smooth_counts(counts, degree=degree)
            variance += ((slope @ model.root) ** 2).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)) / g.density(at))


def _bootstrap(once: Equate, own: FloatArray, other: FloatArray, n_samples: int, rng: np.random.Generator | None) -> FloatArray:
    if rng is None:
        raise BadOption("A bootstrap needs random numbers.", remedy="Pass rng=np.random.default_rng(seed).")
    drawn = np.array([once(_redrawn(own, rng), _redrawn(other, rng)) for _ in range(n_samples)])
    return np.asarray(drawn.std(axis=0, ddof=1))


def _redrawn(table: FloatArray, rng: np.random.Generator) -> FloatArray:
    n = round(float(table.sum()))
    return rng.multinomial(n, table.ravel() / table.sum()).reshape(table.shape).astype(np.float64)
