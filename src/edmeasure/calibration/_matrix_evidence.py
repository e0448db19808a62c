"""The E-step as matrix products through the array API: NumPy, PyTorch or CuPy, on whatever device they run.

With indicators X of the answers (persons x categories above 0) the log-likelihoods of all persons
at all nodes are X W + c, and the expected answers X' P of the posteriors P: two products in float64
per E-step. Indicators are spread out block by block from a byte per answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.calibration._em import categories
from edmeasure.calibration._evidence import Evidence, Expected
from edmeasure.errors import BadOption

BLOCK_ROWS = 65_536
COMPAT = "sklearn.externals.array_api_compat"


@dataclass(frozen=True, eq=False)
class Columns:
    """Indicators of answers above 0, and masks of items that were not given to everybody."""

    category_start: IntArray
    item: IntArray
    category: IntArray
    masked: IntArray

    @classmethod
    def of(cls, category_start: IntArray, has_missing: BoolArray) -> Columns:
        item, category = categories(category_start)
        above = category > 0
        return cls(category_start, item[above], category[above], np.flatnonzero(has_missing))

    def weights(self, log_probs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What answers and masks add to log-likelihoods (n_columns, n_nodes), and what everybody has (n_nodes,)."""
        firsts = self.category_start[:-1]
        rises = np.delete(log_probs, firsts, axis=0) - log_probs[firsts][self.item]
        everybody = np.delete(log_probs[firsts], self.masked, axis=0).sum(axis=0)
        return np.concatenate([rises, log_probs[firsts][self.masked]]), everybody

    def counts(self, of_columns: FloatArray, persons: FloatArray) -> FloatArray:
        """Expected answers (n_categories, n_nodes) from those of the columns and the expected persons."""
        firsts, n_answers = self.category_start[:-1], self.item.size
        counts = np.empty((self.category_start[-1], persons.size))
        counts[np.setdiff1d(np.arange(counts.shape[0]), firsts)] = of_columns[:n_answers]
        given = np.tile(persons, (firsts.size, 1))
        given[self.masked] = of_columns[n_answers:]
        np.subtract.at(given, self.item, of_columns[:n_answers])
        counts[firsts] = np.maximum(given, 0.0)
        return counts


@dataclass(frozen=True, eq=False)
class MatrixEvidence(Evidence):
    """Scores (int8) and weights of every group on a device, and the namespace that reckons there."""

    xp: Any
    device: object | None
    columns: Columns
    groups: tuple[tuple[Any, Any], ...]

    @property
    def category_start(self) -> IntArray:
        return self.columns.category_start

    def expect_groups(self, log_probs: FloatArray, priors: FloatArray) -> Expected:
        xp = self.xp
        by_column, everybody = self.columns.weights(log_probs)
        weights, base = self._there(by_column), self._there(everybody)
        of_columns, persons, loglik = np.zeros_like(by_column), np.zeros(priors.shape), 0.0
        for g, (scores, person_weights) in enumerate(self.groups):
            prior = self._there(priors[g])
            for first in range(0, scores.shape[0], BLOCK_ROWS):
                rows = slice(first, min(first + BLOCK_ROWS, scores.shape[0]))
                indicators = self._indicators(scores[rows, :])
                logs = indicators @ weights + base
                highest = xp.max(logs, axis=1, keepdims=True)
                joint = xp.exp(logs - highest) * prior
                total = xp.sum(joint, axis=1, keepdims=True)
                own = xp.reshape(person_weights[rows], (-1, 1))
                posterior = joint * (own / total)
                loglik += float(xp.sum(own * (xp.log(total) + highest)))
                of_columns += self._here(xp.matrix_transpose(indicators) @ posterior)
                persons[g] += self._here(xp.sum(posterior, axis=0))
        return self.columns.counts(of_columns, persons.sum(axis=0)), loglik, persons

    def _indicators(self, scores: Any) -> Any:
        xp = self.xp
        answers = xp.take(scores, self._there(self.columns.item), axis=1)
        parts = [answers == self._there(self.columns.category.astype(np.int8))]
        if self.columns.masked.size:
            parts.append(xp.take(scores, self._there(self.columns.masked), axis=1) >= 0)
        return xp.astype(xp.concat(parts, axis=1), xp.float64)

    def _there(self, numbers: Any) -> Any:
        return self.xp.asarray(numbers, device=self.device)

    def _here(self, numbers: Any) -> FloatArray:
        compat = import_module(COMPAT)
        on_host = compat.to_device(numbers, "cpu") if compat.is_torch_array(numbers) or compat.is_cupy_array(numbers) else numbers
        return np.asarray(on_host, dtype=np.float64)


def matrix_evidence(
    backend: object, device: object | None, groups: Sequence[tuple[Int8Array, FloatArray]], category_start: IntArray
) -> MatrixEvidence:
    """Put every group's scores and weights where ``backend`` reckons."""
    xp = _namespace(backend)
    has_missing = np.any([scores.min(axis=0, initial=0) < 0 for scores, _ in groups], axis=0)
    there = tuple(
        (xp.asarray(np.array(scores), device=device), xp.asarray(np.array(weights), device=device)) for scores, weights in groups
    )
    return MatrixEvidence(xp, device, Columns.of(category_start, has_missing), there)


def _namespace(backend: object) -> Any:
    """The namespace made to follow the array API where it is one of those that nearly do."""
    try:
        probe = backend.asarray([0.0])  # type: ignore[attr-defined]
        found = import_module(COMPAT).array_namespace(probe)
    except (AttributeError, TypeError) as unfit:
        raise BadOption(
            f"backend is {backend!r}.", remedy="Use 'numba', or a namespace of the array API: numpy, torch, cupy."
        ) from unfit
    return found
