"""Calibrated items brought into line with a response matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edmeasure import _em, _packing
from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.errors import BadScore, BadShape
from edmeasure.irt import IRTFit
from edmeasure.responses import Responses

CHUNK_PERSONS = 2048


@dataclass(frozen=True, eq=False)
class ScoringItems:
    """The answers on calibrated items with those items' flat parameters."""

    scores: Int8Array
    max_scores: Int8Array
    slopes: FloatArray
    intercepts: FloatArray
    category_start: IntArray

    @property
    def n_chunks(self) -> int:
        return max(1, int(self.scores.shape[0]) // CHUNK_PERSONS)

    def packed(self) -> _packing.PackedResponses:
        """Pattern codes of all persons, in order, not collapsed."""
        return _packing.pack(self.scores, self.max_scores)

    def log_probabilities(self, nodes: FloatArray) -> FloatArray:
        """Log P of every category of every item at every node."""
        return _em.log_probabilities(self.slopes, self.intercepts, self.category_start, nodes)


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
    columns = np.flatnonzero(calibrated)
    at_fit = at_fit[calibrated]
    if columns.size == 0:
        raise BadShape("None of these items has parameters.", remedy="Pass at least one calibrated item.")
    max_scores = fit.max_scores[at_fit]
    scores = responses.scores if columns.size == responses.n_items else np.ascontiguousarray(responses.scores[:, columns])
    if scores.size and (scores.max(axis=0) > max_scores).any():
        raise BadScore(
            "Some scores are above the maximum the items were calibrated with.",
            remedy="Mend the scores or calibrate again.",
        )
    starts = _packing.category_starts(max_scores)
    flat = np.concatenate([fit.intercepts[j, : int(m) + 1] for j, m in zip(at_fit, max_scores, strict=True)] or [np.empty(0)])
    return ScoringItems(scores, max_scores, fit.slopes[at_fit], flat, starts)
