"""What a calibration of several abilities sets up: items that vary, their layout, and distinct answer rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.calibration import _calibration, _em, _families, _packing
from edmeasure.errors import BadOption, BadScore, BadShape, NothingToCalibrate
from edmeasure.multidimensional._layout import FAMILIES, Layout, Parameters, starting_intercepts
from edmeasure.responses import Responses, unit_weights

PROBE = 20_000


@dataclass(frozen=True, eq=False)
class Sheets:
    """Answers to the items that vary; equal rows are merged where that at least halves them."""

    responses: Responses
    kept: BoolArray
    models: tuple[str, ...]
    families: IntArray
    starts: IntArray
    usable: BoolArray
    sums: FloatArray
    weights: FloatArray
    rows: Int8Array
    row_weights: FloatArray

    @property
    def kept_ids(self) -> list[str]:
        """Ids of the items that vary."""
        return [self.responses.item_ids[j] for j in np.flatnonzero(self.kept).tolist()]

    @property
    def max_scores(self) -> Int8Array:
        return self.responses.max_scores[self.kept]

    def layout(self, loads: BoolArray, pairs: IntArray, *, precision: float = 0.0, testlets: IntArray | None = None) -> Layout:
        """The layout of these items' parameters under a loading pattern (J kept, D)."""
        return Layout(self.families, self.starts, self.usable, loads, pairs, precision, testlets)

    def start(self, layout: Layout, slopes: FloatArray, spreads: FloatArray | None = None) -> Parameters:
        """Given slopes, uncorrelated abilities, and the intercepts that go with them."""
        return Parameters(
            slopes * layout.loads,
            starting_intercepts(layout, self.sums, slopes * layout.loads),
            np.eye(layout.loads.shape[1]),
            np.empty(0) if spreads is None else spreads,
        )


def sheets_of(responses: Responses, models: str | Mapping[str, str], weights: npt.ArrayLike | None) -> Sheets:
    """Check answers and models, and leave out items without variance."""
    if responses.n_persons == 0:
        raise NothingToCalibrate("There are no persons.", remedy="Pass at least a few hundred.")
    person_weights = unit_weights(responses, weights)
    names = _families.model_names(models, responses.item_ids, responses.max_scores)
    strange = [item for item, name in zip(responses.item_ids, names, strict=True) if name not in FAMILIES]
    if strange:
        raise BadOption(f"Items {strange[:10]} follow none of {', '.join(FAMILIES)}.", remedy="Use one of these models for them.")
    counts, sums = _packing.count_answers(responses.scores, responses.max_scores, person_weights)
    parts = _em.item_parts(_packing.category_starts(responses.max_scores))
    kept = _calibration.varying_items(parts, counts)
    without_zero = [responses.item_ids[j] for j in np.flatnonzero(kept) if counts[parts[j].start] == 0]
    if without_zero:
        raise BadScore(f"Nobody got 0 points on items {without_zero[:10]}.", remedy="Lower their scores by their minimum.")
    flat_kept = np.repeat(kept, np.diff(_packing.category_starts(responses.max_scores)))
    own = responses.items(kept)
    rows, row_weights = _distinct_rows(own.scores, person_weights)
    return Sheets(
        responses=responses,
        kept=kept,
        models=names,
        families=np.array([FAMILIES[name] for name, keep in zip(names, kept, strict=True) if keep], dtype=np.int64),
        starts=_packing.category_starts(own.max_scores),
        usable=counts[flat_kept] > 0,
        sums=sums[flat_kept],
        weights=person_weights,
        rows=rows,
        row_weights=row_weights,
    )


def _distinct_rows(scores: Int8Array, weights: FloatArray) -> tuple[Int8Array, FloatArray]:
    """Distinct rows with summed weights, or the input when a probe shows few repetitions."""
    whole = np.ascontiguousarray(np.maximum(scores, -1))
    keys = whole.view(np.dtype((np.void, whole.shape[1]))).ravel()
    probe = keys[:: max(1, keys.size // PROBE)]
    if np.unique(probe).size > 0.5 * probe.size:
        return whole, weights
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    summed = np.asarray(np.bincount(inverse, weights=weights), dtype=np.float64)
    return np.ascontiguousarray(whole[first]), summed


def loading_pattern(loadings: npt.ArrayLike, responses: Responses, *, is_correlated: bool) -> BoolArray:
    """A 0/1 pattern of shape (J, D) under which the abilities can be told apart."""
    given = np.asarray(loadings)
    if given.ndim != 2 or given.shape[0] != responses.n_items or given.shape[1] < 1:
        raise BadShape(
            f"loadings has shape {given.shape} for {responses.n_items} items.",
            remedy="Pass one row per item, one column per ability.",
        )
    if not np.isin(given, (0, 1)).all():
        raise BadOption("loadings holds values other than 0 and 1.", remedy="Mark with 1 the abilities an item depends on.")
    pattern = given.astype(np.bool_)
    without = [responses.item_ids[j] for j in np.flatnonzero(~pattern.any(axis=1))]
    if without:
        raise BadOption(f"Items {without[:10]} depend on no ability.", remedy="Mark one, or leave the items out.")
    for d in range(pattern.shape[1]):
        if pattern[:, d].sum() < 2:
            raise BadOption(f"Ability {d + 1} has fewer than two items.", remedy="Leave it out, or mark more items.")
        same = [e for e in range(d) if np.array_equal(pattern[:, e], pattern[:, d])]
        if same and (is_correlated or pattern.all()):
            raise BadOption(
                f"Abilities {same[0] + 1} and {d + 1} have the same items.",
                remedy="Let their items differ, or pass n_dimensions instead of loadings to explore.",
            )
    return pattern


def axis(n_nodes: int, bound: float) -> FloatArray:
    """Equally spaced nodes in [-bound, bound]."""
    return np.linspace(-bound, bound, n_nodes)


def precision_of(slope_prior_sd: float) -> float:
    """Precision of the slopes' prior."""
    if np.isnan(slope_prior_sd) or slope_prior_sd <= 0:
        raise BadOption(f"slope_prior_sd is {slope_prior_sd}.", remedy="Give a positive number, or infinity for no prior.")
    return 1.0 / float(slope_prior_sd) ** 2
