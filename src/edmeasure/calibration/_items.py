"""Calibrated items brought into line with a response matrix."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from edmeasure import _validate
from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.calibration import _em, _families, _packing
from edmeasure.calibration._families import PARTIAL_CREDIT, ItemModels
from edmeasure.calibration.irt import IRTFit
from edmeasure.errors import BadScore, BadShape
from edmeasure.responses import Responses


@dataclass(frozen=True, eq=False)
class ScoringItems:
    """The answers on calibrated items with those items' flat parameters."""

    scores: Int8Array
    max_scores: Int8Array
    slopes: FloatArray
    intercepts: FloatArray
    category_start: IntArray
    models: ItemModels = PARTIAL_CREDIT
    extras: FloatArray = field(default_factory=lambda: np.empty(0))

    def log_probabilities(self, nodes: FloatArray) -> FloatArray:
        """Log P(category | theta) of shape (n_categories, n_nodes)."""
        log_probs = _em.log_probabilities(self.slopes, self.intercepts, self.category_start, nodes)
        for item in self.models.others:
            parameters = item.parameters(self.slopes, self.intercepts, self.extras)
            log_probs[item.categories], _ = item.curves(parameters, nodes)
        return log_probs

    def at(self, positions: IntArray) -> ScoringItems:
        """Some of the items, without answers."""
        maxima = self.max_scores[positions]
        starts = _packing.category_starts(maxima)
        parts = _em.item_parts(self.category_start)
        flat = np.concatenate([np.empty(0), *[self.intercepts[parts[j]] for j in positions]])
        others = {item.position: item for item in self.models.others}
        names = [others[j].model if j in others else "" for j in positions.tolist()]
        models = _families.item_models(names, _em.item_parts(starts))
        extras = np.concatenate([np.empty(0), *[self.extras[others[j].extras] for j in positions.tolist() if j in others]])
        nobody = np.empty((0, positions.size), dtype=np.int8)
        return ScoringItems(nobody, maxima, self.slopes[positions], flat, starts, models, extras)

    def likelihoods(self, nodes: FloatArray) -> _packing.Likelihoods:
        """What the answers of all persons, in order, say at the nodes."""
        packed = _packing.pack(self.scores, self.max_scores)
        return _packing.Likelihoods(packed, packed.tables(self.log_probabilities(nodes)), nodes)


def aligned(fit: IRTFit, responses: Responses) -> ScoringItems:
    """Match items by id; items without parameters are left out."""
    known = {name: position for position, name in enumerate(fit.item_ids)}
    strangers = [name for name in responses.item_ids if name not in known]
    if strangers:
        raise BadShape(
            f"Items {strangers[:10]} are not in the fit.",
            remedy="Calibrate them, or leave them out with `Responses.items`.",
        )
    at_fit = np.array([known[name] for name in responses.item_ids], dtype=np.int64)
    calibrated = np.isfinite(fit.slopes[at_fit])
    at_fit = at_fit[calibrated]
    if at_fit.size == 0:
        raise BadShape("None of these items has parameters.", remedy="Pass at least one calibrated item.")
    max_scores = fit.max_scores[at_fit]
    scores = _validate.read_only(responses.items(calibrated).scores)
    if scores.size and (scores.max(axis=0) > max_scores).any():
        raise BadScore(
            "Some scores are above the maximum the items were calibrated with.",
            remedy="Mend the scores or calibrate again.",
        )
    return parameters_of(fit, at_fit, scores)


def parameters_of(fit: IRTFit, at: IntArray, scores: Int8Array) -> ScoringItems:
    """The items at some positions of a fit, with answers to them."""
    max_scores = fit.max_scores[at]
    starts = _packing.category_starts(max_scores)
    flat = np.concatenate([fit.intercepts[j, : int(m) + 1] for j, m in zip(at, max_scores, strict=True)])
    models = _families.item_models([fit.models[j] for j in at], _em.item_parts(starts))
    extras = _families.extras_of(models, at, fit.lower, fit.upper, fit.category_slopes)
    return ScoringItems(scores, max_scores, fit.slopes[at], flat, starts, models, extras)
