"""What a sample's weights and clusters cost: design effects and effective sample sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure._export import Exported
from edmeasure.errors import BadOption
from edmeasure.survey import _design_errors, _figures
from edmeasure.survey._sample import read_sample
from edmeasure.survey.sampling import SampleDesign


@dataclass(frozen=True)
class DesignEffect(Exported):
    """How much larger a mean's sampling variance is than that of as many persons drawn one by one (Kish 1965).

    Attributes
    ----------
    effect : float
        Ratio of variances; its root is what errors grow by.
    from_weights : float
        1 + cv^2 of the weights, the part that unequal weights alone would bring (Kish 1992).
    effective_n : float
        Persons drawn one by one who would tell as much: n / effect.
    """

    effect: float
    from_weights: float
    effective_n: float
    n: int

    @property
    def root(self) -> float:
        """Factor by which standard errors grow."""
        return float(np.sqrt(self.effect))

    def _columns(self) -> Mapping[str, object]:
        return {name: [value] for name, value in self.to_dict().items()}

    def __str__(self) -> str:
        return (
            f"design effect {self.effect:.2f} ({self.from_weights:.2f} from weights): "
            f"{self.n:,} persons tell as much as {self.effective_n:,.0f} drawn one by one"
        )


def design_effect(values: npt.ArrayLike, *, design: SampleDesign) -> DesignEffect:
    """Design effect of the mean of ``values`` (n,) or (m, n); of m plausible values the mean sampling variance counts."""
    sample = read_sample(values, None, None, None, design)
    w = design.weights[design.weights > 0]
    if w.size < 2:
        raise BadOption("Fewer than two persons weigh anything.", remedy="Pass a sample of at least two.")
    drawn, alone = [], []
    for y in sample.values:
        drawn.append(_design_errors.covariance(design, _figures.mean_figure(y, design))[1][0, 0])
        away = y - _figures.weighted_mean(y, design.weights)
        alone.append(_figures.weighted_mean(away**2, design.weights) / (w.size - 1))
    if min(alone) <= 0:
        raise BadOption("The values are the same for everybody.", remedy="Pass values that differ.")
    effect = float(np.mean(drawn) / np.mean(alone))
    unequal = float(w.size * np.sum(w**2) / w.sum() ** 2)
    return DesignEffect(effect, unequal, w.size / effect if effect > 0 else float("inf"), int(w.size))
