"""Whether a simpler diagnosis model does: for the whole test, and item by item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from scipy.special import chdtrc

from edmeasure._validate import FloatArray, IntArray
from edmeasure.diagnosis._latent_classes import Model
from edmeasure.diagnosis.cdm import CDMFit
from edmeasure.diagnosis.items import DiagnosticItem
from edmeasure.errors import BadOption

REDUCED: tuple[Model, ...] = ("dina", "dino", "acdm", "llm", "rrum")
SPANNED = 1e-9


@dataclass(frozen=True)
class LikelihoodRatio:
    """Twice the gain of the log-likelihood by the larger model, against chi-square with ``df``."""

    statistic: float
    df: int
    p_value: float

    def __str__(self) -> str:
        return f"chi2({self.df}) = {self.statistic:.3f}, p = {self.p_value:.4f}"


@dataclass(frozen=True, eq=False)
class WaldTests:
    """Tests of reduced models, rows items and columns ``models``.

    Attributes
    ----------
    item_ids : tuple of str
        Items that require at least two attributes.
    statistic, p_value : float64 (n_items, n_models)
        NaN where a chance at 0 or 1 or an empty group leaves too little to test.
    df : int64 (n_items, n_models)
    """

    item_ids: tuple[str, ...]
    models: tuple[Model, ...]
    statistic: FloatArray
    df: IntArray
    p_value: FloatArray

    def chosen(self, *, level: float = 0.05) -> dict[str, Model]:
        """For every item the reduced model that fits best among those not rejected, else "gdina".

        Models with fewest parameters go first (DINA, DINO), then the highest p-value decides.
        """
        found: dict[str, Model] = {}
        for name, row, df in zip(self.item_ids, self.p_value, self.df, strict=True):
            kept = [at for at in range(len(self.models)) if row[at] >= level]
            best = max(kept, key=lambda at: (df[at], row[at]), default=None)
            found[name] = "gdina" if best is None else self.models[best]
        return found

    def __str__(self) -> str:
        rows = [
            f"{name}: " + ", ".join(f"{model} p = {p:.4f}" for model, p in zip(self.models, row, strict=True))
            for name, row in zip(self.item_ids, self.p_value, strict=True)
        ]
        return "\n".join(rows)


def likelihood_ratio(reduced: CDMFit, full: CDMFit) -> LikelihoodRatio:
    """Test a model against a larger one that contains it, fitted to the same answers.

    Notes
    -----
    Chi-square is right when the reduced model is true and lies inside the larger one; chances at 0
    or 1 and empty classes make the test cautious. A larger model with a lower log-likelihood was
    not maximized.
    """
    df = full.n_parameters - reduced.n_parameters
    if df <= 0:
        raise BadOption("The full model has no more parameters than the reduced one.", remedy="Swap them.")
    if full.loglik < reduced.loglik - 1e-3:
        raise BadOption(
            f"The full model's log-likelihood {full.loglik:.3f} is below the reduced model's {reduced.loglik:.3f}.",
            remedy="Fit it from more starts (`n_starts`), and to the same answers.",
        )
    statistic = max(0.0, 2.0 * (full.loglik - reduced.loglik))
    return LikelihoodRatio(statistic, df, float(chdtrc(df, statistic)))


def wald_tests(fit: CDMFit) -> WaldTests:
    """Test for every item of a G-DINA fit whether a reduced model explains its chances.

    Notes
    -----
    de la Torre & Lee (2013, J. Educ. Meas. 50): with chances p and their covariance V, a model that
    restricts R f(p) = 0 on the scale of its link f is tested by (R f)' (R F V F' R')^-1 (R f),
    F = f'(p), chi-square with as many degrees of freedom as rows of R. V comes from the joint
    information of all parameters.
    """
    items = [item for item in fit.items if item.model == "gdina" and len(item.attributes) > 1]
    if not items:
        raise BadOption("No item is a G-DINA item of two or more attributes.", remedy='Fit model="gdina" first.')
    tests = [[_wald(item, model) for model in REDUCED] for item in items]
    return WaldTests(
        item_ids=tuple(item.item_id for item in items),
        models=REDUCED,
        statistic=np.array([[statistic for statistic, _ in row] for row in tests]),
        df=np.array([[df for _, df in row] for row in tests], dtype=np.int64),
        p_value=np.array([[chdtrc(df, statistic) if df else np.nan for statistic, df in row] for row in tests]),
    )


def _wald(item: DiagnosticItem, model: Model) -> tuple[float, int]:
    """Wald statistic and degrees of freedom of one reduced model of one item."""
    known = np.isfinite(np.diag(item.success_covariance))
    design = _design(item, model)[known]
    # restrictions: what is left of the known chances beside the reduced model's own space
    restrictions = scipy.linalg.null_space(design.T, rcond=SPANNED).T
    if restrictions.shape[0] == 0:
        return float("nan"), 0
    p = item.success[known]
    value = {"llm": np.log(p / (1.0 - p)), "rrum": np.log(p)}.get(model, p)
    speed = {"llm": 1.0 / (p * (1.0 - p)), "rrum": 1.0 / p}.get(model, np.ones_like(p))
    turned = restrictions * speed
    distance = restrictions @ value
    spread = turned @ item.success_covariance[np.ix_(known, known)] @ turned.T
    return float(distance @ np.linalg.solve(spread, distance)), int(restrictions.shape[0])


def _design(item: DiagnosticItem, model: Model) -> FloatArray:
    """Columns that span a reduced model's chances on its link's scale."""
    patterns = item.patterns.astype(np.float64)
    ones = np.ones((patterns.shape[0], 1))
    if model == "dina":
        return np.hstack([ones, patterns.min(axis=1, keepdims=True)])
    if model == "dino":
        return np.hstack([ones, patterns.max(axis=1, keepdims=True)])
    return np.hstack([ones, patterns])
