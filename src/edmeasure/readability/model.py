"""A regression of text difficulty on features, whose error on texts it has not seen is part of the result.

Every fit is made again without each fold of texts; the residuals of texts left out give the stated error and, by the
jackknife+ (Barber, Candès, Ramdas & Tibshirani 2021), intervals for new texts that hold whatever the regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import lsq_linear
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.errors import BadOption, BadShape
from edmeasure.readability.features import FeatureReader, TextFeatures, is_constant

PENALTIES = np.logspace(-2, 4, 25)
TREES, LEARNING_RATE, LEAVES, LEAST_LEAF = 80, 0.05, 6, 20
FEWEST_TEXTS = 20
Regression = Literal["ridge", "boosting"]


@dataclass(frozen=True, eq=False)
class ReadabilityError(Exported):
    """How far predictions of texts that the fit had not seen are off; ``predicted`` (n,) are these predictions.

    Attributes
    ----------
    root_mean_square, mean_absolute : float
        In levels.
    baseline : float
        Root mean square of predicting the mean level: what knowing nothing of the text costs.
    correlation : float
    within_one : float
        Share of texts at most one level off after rounding.
    n_folds : int
        As many as texts for leaving one out.
    """

    root_mean_square: float
    mean_absolute: float
    baseline: float
    correlation: float
    within_one: float
    n_folds: int
    predicted: FloatArray

    @property
    def explained(self) -> float:
        """Share of the variance of levels that is predicted; below 0 the model is worse than the mean."""
        return 1 - (self.root_mean_square / self.baseline) ** 2

    def __str__(self) -> str:
        return (
            f"error on unseen texts {self.root_mean_square:.2f} levels (the mean alone: {self.baseline:.2f}), "
            f"correlation {self.correlation:.2f}, within one level {self.within_one:.0%}, {self.n_folds} folds"
        )


class ReadabilityModel(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Levels of Chinese texts from their features.

    Parameters
    ----------
    reader : FeatureReader, optional
        What is counted; the features without any list otherwise.
    regression
        ``"ridge"``: penalised least squares, penalty by leaving texts out (Golub, Heath & Wahba 1979). ``"boosting"``:
        gradient boosted trees (Friedman 2001; scikit-learn's), for a thousand texts and more.
    is_monotone
        Features that make a text harder (sentence length, strokes, uncommon characters...) never lower its level.
    folds
        Number of folds of the stated error, or ``"each"`` to leave out one text (or group) at a time.
    seed
        Of the folds.

    Attributes
    ----------
    feature_names_, coefficients_ (ridge: levels per standard deviation of the feature), error_ : ReadabilityError
    """

    def __init__(
        self,
        *,
        reader: FeatureReader | None = None,
        regression: Regression = "ridge",
        is_monotone: bool = True,
        folds: int | Literal["each"] = 10,
        seed: int = 0,
    ) -> None:
        self.reader = reader
        self.regression = regression
        self.is_monotone = is_monotone
        self.folds = folds
        self.seed = seed

    def fit(self, texts: Sequence[str], levels: npt.ArrayLike, *, groups: npt.ArrayLike | None = None) -> Self:
        """Fit to texts of known level; texts of one ``groups`` label (a book, an author) are left out together."""
        _validate.choice(self.regression, "regression", ("ridge", "boosting"))
        found = self._features(texts)
        y = _validate.float_vector(levels, len(texts), "levels")
        if y.size < FEWEST_TEXTS:
            raise BadShape(f"{y.size} texts.", remedy=f"Use at least {FEWEST_TEXTS}, better several hundred.")
        if y.min() == y.max():
            raise BadOption("All texts have the same level.", remedy="Pass texts of several levels.")
        fold = _fold_codes(y.size, groups, self.folds, np.random.default_rng(self.seed))
        self.feature_names_ = found.names
        self.used_ = ~is_constant(found.values)
        if not self.used_.any():
            raise BadOption("No feature differs between the texts.", remedy="Pass texts that differ.")
        x, signs = found.values[:, self.used_], found.signs[self.used_] * self.is_monotone
        self.rule_ = self._fitted(x, y, signs)
        self.fold_rules_ = [self._fitted(x[fold != one], y[fold != one], signs) for one in range(int(fold.max()) + 1)]
        left_out = np.empty(y.size)
        for one, rule in enumerate(self.fold_rules_):
            left_out[fold == one] = rule.predict(x[fold == one])
        self.fold_of_text_ = fold
        self.residuals_ = y - left_out
        self.error_ = _error(y, left_out, fold)
        if isinstance(self.rule_, _Ridge):
            self.coefficients_ = np.zeros(self.used_.size)
            self.coefficients_[self.used_] = self.rule_.coefficients
        return self

    def predict(self, texts: Sequence[str]) -> FloatArray:
        """Levels (n,), on the scale of the levels of the fit and not rounded."""
        x = self._usable(texts)
        return self.rule_.predict(x)

    def intervals(self, texts: Sequence[str], *, coverage: float = 0.9) -> tuple[FloatArray, FloatArray]:
        """Ends (n,) of intervals that hold a new text's level: cross-validated jackknife+.

        For texts of the kind of the fit's the share is at least about ``coverage`` (1 - 2 alpha is proved, 1 - alpha
        observed); for other kinds of text nothing is promised.
        """
        if not 0.5 <= coverage < 1:
            raise BadOption(f"coverage is {coverage}.", remedy="Use e.g. 0.8 or 0.9.")
        x = self._usable(texts)
        by_fold = np.stack([rule.predict(x) for rule in self.fold_rules_])
        away = np.abs(self.residuals_)
        n = away.size
        if np.ceil((1 - coverage) * (n + 1)) < 1:
            raise BadOption(f"{n} texts are too few for {coverage:.0%} intervals.", remedy="Lower `coverage`.")
        low_rank = int(np.floor((1 - coverage) * (n + 1))) - 1
        low, high = np.empty(x.shape[0]), np.empty(x.shape[0])
        for at in range(x.shape[0]):
            centre = by_fold[self.fold_of_text_, at]
            low[at] = np.sort(centre - away)[max(low_rank, 0)]
            high[at] = np.sort(centre + away)[min(n - 1 - low_rank, n - 1)]
        return low, high

    def explain(self, text: str) -> dict[str, float]:
        """What every feature adds to one text's level, against the mean text of the fit (ridge only); largest first."""
        if not isinstance(self.rule_, _Ridge):
            raise BadOption("Boosted trees have no coefficients.", remedy='Fit with regression="ridge".')
        parts = self.rule_.contributions(self._usable([text]))[0]
        names = [name for name, used in zip(self.feature_names_, self.used_, strict=True) if used]
        return dict(sorted(zip(names, parts.tolist(), strict=True), key=lambda pair: -abs(pair[1])))

    def _features(self, texts: Sequence[str]) -> TextFeatures:
        return (self.reader or FeatureReader()).read(texts)

    def _usable(self, texts: Sequence[str]) -> FloatArray:
        if not hasattr(self, "rule_"):
            raise BadOption("The model is not fitted.", remedy="Call `fit(texts, levels)` first.")
        return np.asarray(self._features(texts).values[:, self.used_])

    def _fitted(self, x: FloatArray, y: FloatArray, signs: IntArray) -> _Rule:
        return _Ridge.fit(x, y, signs) if self.regression == "ridge" else _Boosting.fit(x, y, signs)

    def __str__(self) -> str:
        return f"{self.regression} on {int(self.used_.sum())} features: {self.error_}" if hasattr(self, "error_") else repr(self)


class _Rule(Protocol):
    def predict(self, x: FloatArray) -> FloatArray:
        """Levels of feature rows."""


@dataclass(frozen=True, eq=False)
class _Ridge:
    """Coefficients per standard deviation; features are held to the range of the fit."""

    centre: FloatArray
    spread: FloatArray
    low: FloatArray
    high: FloatArray
    coefficients: FloatArray
    level: float

    @classmethod
    def fit(cls, x: FloatArray, y: FloatArray, signs: IntArray) -> _Ridge:
        centre, spread = x.mean(axis=0), x.std(axis=0)
        spread = np.where(is_constant(x), 1.0, spread)
        z, away = (x - centre) / spread, y - y.mean()
        penalty = _best_penalty(z, away)
        padded = np.concatenate([z, np.sqrt(penalty) * np.eye(z.shape[1])])
        aim = np.concatenate([away, np.zeros(z.shape[1])])
        ends = np.where(signs > 0, 0.0, -np.inf), np.where(signs < 0, 0.0, np.inf)
        coefficients = np.asarray(lsq_linear(padded, aim, bounds=ends).x, dtype=np.float64)
        return cls(centre, spread, x.min(axis=0), x.max(axis=0), coefficients, float(y.mean()))

    def contributions(self, x: FloatArray) -> FloatArray:
        held = np.clip(x, self.low, self.high)
        return np.asarray((held - self.centre) / self.spread * self.coefficients)

    def predict(self, x: FloatArray) -> FloatArray:
        return np.asarray(self.level + self.contributions(x).sum(axis=1))


@dataclass(frozen=True, eq=False)
class _Boosting:
    trees: HistGradientBoostingRegressor

    @classmethod
    def fit(cls, x: FloatArray, y: FloatArray, signs: IntArray) -> _Boosting:
        trees = HistGradientBoostingRegressor(
            max_iter=TREES,
            learning_rate=LEARNING_RATE,
            max_leaf_nodes=LEAVES,
            min_samples_leaf=min(LEAST_LEAF, max(y.size // 10, 2)),
            monotonic_cst=signs.tolist(),
            early_stopping=False,
            random_state=0,
        )
        return cls(trees.fit(x, y))

    def predict(self, x: FloatArray) -> FloatArray:
        return np.asarray(self.trees.predict(x), dtype=np.float64)


def _best_penalty(z: FloatArray, y: FloatArray) -> float:
    """Penalty with the least error of leaving one text out, e_i / (1 - h_ii) (Allen 1974)."""
    u, s, _ = np.linalg.svd(z, full_matrices=False)
    projected = u.T @ y
    kept = s[:, None] ** 2 / (s[:, None] ** 2 + PENALTIES)
    rest = y[:, None] - u @ (kept * projected[:, None])
    hat = u**2 @ kept + 1 / y.size
    losses = np.mean((rest / np.maximum(1 - hat, 1e-6)) ** 2, axis=0)
    return float(PENALTIES[int(np.argmin(losses))])


def _fold_codes(n: int, groups: npt.ArrayLike | None, folds: int | str, rng: np.random.Generator) -> IntArray:
    """Fold of every text; groups stay whole."""
    _, codes = _validate.group_codes(np.arange(n) if groups is None else groups, n)
    count = int(codes.max()) + 1
    if folds == "each":
        return codes
    if not isinstance(folds, int) or not 2 <= folds <= count:
        raise BadOption(f"folds is {folds!r} for {count} texts or groups.", remedy='Use 2 or more, at most as many, or "each".')
    return np.asarray(rng.permutation(np.arange(count) % folds)[codes], dtype=np.int64)


def _error(y: FloatArray, left_out: FloatArray, fold: IntArray) -> ReadabilityError:
    # the mean is left out like the model: of the other folds' texts
    totals, counts = np.bincount(fold, weights=y), np.bincount(fold)
    mean = ((y.sum() - totals) / (y.size - counts))[fold]
    is_flat = float(np.ptp(left_out)) == 0
    return ReadabilityError(
        root_mean_square=float(np.sqrt(np.mean((y - left_out) ** 2))),
        mean_absolute=float(np.mean(np.abs(y - left_out))),
        baseline=float(np.sqrt(np.mean((y - mean) ** 2))),
        correlation=0.0 if is_flat else float(np.corrcoef(y, left_out)[0, 1]),
        within_one=float(np.mean(np.abs(np.round(left_out) - y) <= 1)),
        n_folds=int(counts.size),
        predicted=left_out,
    )
