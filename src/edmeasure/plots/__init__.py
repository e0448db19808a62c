"""Results drawn with matplotlib (the extra ``plot``): greys and one accent, on the caller's axes, in the caller's words.

Every function takes ``ax=`` (new axes in a figure of their own without, which needs no screen) and returns it, and
``labels=``, a mapping from the English words on the plot, and from names of items and attributes, to the caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes

from edmeasure.calibration.irt import IRTFit
from edmeasure.diagnosis.mastery import Mastery
from edmeasure.diagnosis.structured import AttributeBeliefs
from edmeasure.dif.likelihood import ModelDIF
from edmeasure.dif.observed import LogisticDIF, MantelHaenszel
from edmeasure.equating.forms import Equating
from edmeasure.errors import BadOption
from edmeasure.growth.progress import GrowthModel
from edmeasure.linking.drift import DriftReport
from edmeasure.plots.items import (
    plot_dif,
    plot_drift,
    plot_item,
    plot_item_information,
    plot_person_item_map,
    plot_test_information,
)
from edmeasure.plots.results import (
    plot_adaptive,
    plot_calibration,
    plot_equating,
    plot_growth,
    plot_history,
    plot_profile,
    plot_scores,
)
from edmeasure.plots.structure import plot_centres, plot_eigenvalues, plot_loadings
from edmeasure.profiles.clusters import Profiles
from edmeasure.profiles.confirmation import ConfirmedFactors
from edmeasure.profiles.exploration import FactorAnalysis, ParallelAnalysis
from edmeasure.scores.scoring import AbilityEstimate
from edmeasure.tracing.checks import PredictionQuality

__all__ = [
    "draw",
    "plot_adaptive",
    "plot_calibration",
    "plot_centres",
    "plot_dif",
    "plot_drift",
    "plot_eigenvalues",
    "plot_equating",
    "plot_growth",
    "plot_history",
    "plot_item",
    "plot_item_information",
    "plot_loadings",
    "plot_person_item_map",
    "plot_profile",
    "plot_scores",
    "plot_test_information",
]


def _plot_abilities(found: AbilityEstimate, **options: Any) -> Axes:
    return plot_scores(found.theta, **options)


USUAL: dict[type, Callable[..., Axes]] = {
    AbilityEstimate: _plot_abilities,
    AttributeBeliefs: plot_profile,
    ConfirmedFactors: plot_loadings,
    DriftReport: plot_drift,
    Equating: plot_equating,
    FactorAnalysis: plot_loadings,
    GrowthModel: plot_growth,
    IRTFit: plot_test_information,
    LogisticDIF: plot_dif,
    MantelHaenszel: plot_dif,
    Mastery: plot_profile,
    ModelDIF: plot_dif,
    ParallelAnalysis: plot_eigenvalues,
    PredictionQuality: plot_calibration,
    Profiles: plot_centres,
}
"""The plot that a result draws of itself."""


def draw(result: object, **options: Any) -> Axes:
    """A result's usual plot: that of its kind, else the history of a fit."""
    plot = USUAL.get(type(result))
    if plot is None and not hasattr(result, "history"):
        raise BadOption(f"There is no plot of {type(result).__name__}.", remedy=f"See the functions of {__name__}.")
    return (plot or plot_history)(result, **options)
