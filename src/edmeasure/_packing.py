"""Items packed into groups whose joint answer pattern fits one byte.

A group of items with S1, S2, ... states (categories, plus one for missing where it occurs) has
S1*S2*... <= 256 patterns. The likelihood of a pattern at all nodes is looked up once instead of
item by item, and E-step counts are gathered per pattern and unfolded once ("four Russians").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _kernels
from edmeasure._validate import FloatArray, Int8Array, IntArray

ROW_LIMIT = 256
MAX_CHUNKS = 32
CHUNK_PERSONS = 1024
CHUNK_CELLS = 30_000_000
COLLAPSE_PROBE = 20_000


@dataclass(frozen=True, eq=False)
class PackedResponses:
    """Pattern codes of persons (or of distinct patterns) with the tables' layout."""

    codes: npt.NDArray[np.uint8]
    weights: FloatArray
    category_start: IntArray
    n_states: IntArray
    missing_state: IntArray
    group_first: IntArray
    row_start: IntArray
    skip_code: IntArray
    person_row: IntArray | None

    @property
    def n_rows(self) -> int:
        return int(self.row_start[-1])

    def n_chunks(self, n_nodes: int) -> int:
        """Parallel chunks: from the data alone, and within 240 MB of pattern counts."""
        fitting = CHUNK_CELLS // (self.n_rows * n_nodes)
        return max(1, min(MAX_CHUNKS, fitting, int(self.codes.shape[0]) // CHUNK_PERSONS))

    def tables(self, log_probs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pattern likelihoods (n_rows, n_nodes) scaled to maximum 1, and the log scales."""
        table = np.empty((self.n_rows, log_probs.shape[1]))
        scale = np.empty(self.n_rows)
        _kernels.group_tables(
            log_probs,
            self.category_start,
            self.n_states,
            self.missing_state,
            self.group_first,
            self.row_start,
            table,
            scale,
        )
        return table, scale

    def expect(self, log_probs: FloatArray, prior: FloatArray) -> tuple[FloatArray, float]:
        """Expected answers (n_categories, n_nodes) and the weighted marginal log-likelihood."""
        table, scale = self.tables(log_probs)
        pattern_counts, loglik = _kernels.expected_patterns(
            self.codes,
            self.weights,
            self.row_start,
            self.skip_code,
            table,
            scale,
            prior,
            self.n_chunks(prior.shape[0]),
        )
        counts = np.zeros_like(log_probs)
        _kernels.unfold_counts(
            pattern_counts,
            self.category_start,
            self.n_states,
            self.missing_state,
            self.group_first,
            self.row_start,
            counts,
        )
        return counts, float(np.sum(loglik))

    def posterior(self, table: FloatArray, row_scale: FloatArray, prior: FloatArray, rows: slice) -> FloatArray:
        """Posterior (n_rows_taken, n_nodes) of some rows of codes, from ``tables()``."""
        codes = self.codes[rows]
        posterior = np.empty((codes.shape[0], prior.shape[0]))
        _kernels.posterior_rows(codes, self.row_start, self.skip_code, table, row_scale, prior, posterior)
        return posterior


def category_starts(max_scores: Int8Array) -> IntArray:
    """Offset of every item's first category in the flat category axis, and the total."""
    starts = np.zeros(max_scores.shape[0] + 1, dtype=np.int64)
    np.cumsum(max_scores.astype(np.int64) + 1, out=starts[1:])
    return starts


def pack(
    scores: Int8Array,
    max_scores: Int8Array,
    *,
    weights: FloatArray | None = None,
    collapse: bool = False,
) -> PackedResponses:
    """Pack scores; with ``collapse`` identical rows are merged where that at least halves them."""
    n, n_items = scores.shape
    has_missing = (scores < 0).any(axis=0)
    n_states = max_scores.astype(np.int64) + 1 + has_missing
    missing_state = np.where(has_missing, max_scores.astype(np.int64) + 1, -1)
    stride = np.ones(n_items, dtype=np.int64)
    group = np.zeros(n_items, dtype=np.int64)
    group_first = [0]
    sizes: list[int] = []
    size = 1
    for j in range(n_items):
        if size * n_states[j] > ROW_LIMIT:
            group_first.append(j)
            sizes.append(size)
            size = 1
        stride[j] = size
        group[j] = len(sizes)
        size *= int(n_states[j])
    group_first.append(n_items)
    sizes.append(size)
    row_start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    starts = np.asarray(group_first, dtype=np.int64)
    all_missing = np.logical_and.reduceat(has_missing, starts[:-1])
    skip_code = np.where(all_missing, np.asarray(sizes) - 1, -1).astype(np.int64)
    codes = np.zeros((n, len(sizes)), dtype=np.uint8)
    _kernels.pack_codes(scores, group, stride, missing_state, codes)
    row_weights = np.ones(n) if weights is None else weights
    person_row: IntArray | None = None
    if collapse:
        codes, row_weights, person_row = _collapsed(codes, row_weights)
    return PackedResponses(
        codes=codes,
        weights=row_weights,
        category_start=category_starts(max_scores),
        n_states=n_states,
        missing_state=missing_state,
        group_first=starts,
        row_start=row_start,
        skip_code=skip_code,
        person_row=person_row,
    )


def _collapsed(codes: npt.NDArray[np.uint8], weights: FloatArray) -> tuple[npt.NDArray[np.uint8], FloatArray, IntArray | None]:
    """Distinct rows with summed weights, or the input when a probe shows few repetitions."""
    n = codes.shape[0]
    as_keys = codes.view(np.dtype((np.void, codes.shape[1]))).ravel()
    probe = as_keys[:: max(1, n // COLLAPSE_PROBE)]
    if n < 2 or np.unique(probe).size > 0.5 * probe.size:
        return codes, weights, None
    _, first, inverse = np.unique(as_keys, return_index=True, return_inverse=True)
    summed = np.asarray(np.bincount(inverse, weights=weights), dtype=np.float64)
    return np.ascontiguousarray(codes[first]), summed, inverse.astype(np.int64)
