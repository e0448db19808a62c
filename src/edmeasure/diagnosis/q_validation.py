"""Whether answers agree with the Q-matrix: which attributes each item seems to require."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.diagnosis.cdm import CDMFit
from edmeasure.diagnosis.mastery import class_posteriors
from edmeasure.diagnosis.qmatrix import QMatrix
from edmeasure.errors import BadOption, BadShape
from edmeasure.responses import Responses

SMALLEST = 1e-12
MOST_ATTRIBUTES = 12


@dataclass(frozen=True, eq=False)
class QValidation:
    """Suggested Q-matrix and the evidence.

    Attributes
    ----------
    q_matrix : QMatrix
        With the suggested entries.
    given : int8 (n_items, n_attributes)
        The entries that the fit used.
    pvaf_given, pvaf_suggested : float64 (n_items,)
        Share of the variance of an item's chances that its required attributes account for.
    mesa : float64 (n_items, n_attributes)
        The highest share that any 1, 2, ... attributes account for.
    """

    q_matrix: QMatrix
    given: Int8Array
    pvaf_given: FloatArray
    pvaf_suggested: FloatArray
    mesa: FloatArray

    @property
    def changed(self) -> tuple[str, ...]:
        """Items whose suggested attributes are not the given ones."""
        differs = (self.q_matrix.entries != self.given).any(axis=1)
        return tuple(self.q_matrix.item_ids[j] for j in np.flatnonzero(differs))

    def __str__(self) -> str:
        if not self.changed:
            return "the answers agree with the Q-matrix"
        place = {name: j for j, name in enumerate(self.q_matrix.item_ids)}
        return "\n".join(
            f"{name}: {self._named(self.given[j])} ({self.pvaf_given[j]:.3f}) "
            f"-> {self._named(self.q_matrix.entries[j])} ({self.pvaf_suggested[j]:.3f})"
            for name, j in ((name, place[name]) for name in self.changed)
        )

    def _named(self, row: Int8Array) -> str:
        return ", ".join(name for name, bit in zip(self.q_matrix.attribute_names, row, strict=True) if bit)


def validate_q_matrix(fit: CDMFit, responses: Responses, *, share: float = 0.95) -> QValidation:
    """Suggest for every item the fewest attributes that account for its chances.

    Parameters
    ----------
    fit
        A G-DINA fit of these answers with the Q-matrix in question.
    share
        Proportion of variance accounted for (PVAF) at which attributes suffice.

    Notes
    -----
    de la Torre & Chiu (2016, Psychometrika 81): with w the posterior shares of attribute patterns
    and p an item's chance in each, the discrimination index of attributes q is the variance of
    p averaged within the groups that q tells apart; PVAF divides it by that of all attributes. Of
    the smallest q with enough PVAF the best is suggested. A suggestion is a question to the people
    who wrote the item; change a few items at a time and fit again.
    """
    if not 0.0 < share < 1.0:
        raise BadOption(f"share is {share}.", remedy="Use e.g. 0.95.")
    n_attributes = fit.q_matrix.n_attributes
    if n_attributes > MOST_ATTRIBUTES:
        raise BadOption(f"There are {n_attributes} attributes.", remedy=f"Validate at most {MOST_ATTRIBUTES} at a time.")
    lacking = [name for name in fit.item_ids if name not in responses.item_ids]
    if lacking:
        raise BadShape(f"Items {lacking[:10]} of the fit have no answers.", remedy="Pass the answers that were fitted.")
    responses = responses.items([responses.item_ids.index(name) for name in fit.item_ids])
    right, given = _by_pattern(fit, responses)
    codes = fit.patterns.astype(np.int64) @ (1 << np.arange(n_attributes))
    rows = fit.q_matrix.rows_of(fit.item_ids)
    pvaf = np.zeros((rows.shape[0], 2**n_attributes))
    for mask in range(1, 2**n_attributes):
        groups = np.unique(codes & mask, return_inverse=True)[1]
        pvaf[:, mask] = _between(right, given, groups)
    pvaf /= np.maximum(pvaf[:, -1:], SMALLEST)
    size = np.array([mask.bit_count() for mask in range(2**n_attributes)])
    mesa = np.stack([pvaf[:, size == k].max(axis=1) for k in range(1, n_attributes + 1)], axis=1)
    fewest = 1 + np.argmax(mesa >= share, axis=1)
    best = np.array([int(np.argmax(np.where(size == k, row, -1.0))) for k, row in zip(fewest, pvaf, strict=True)])
    entries = ((best[:, None] >> np.arange(n_attributes)) & 1).astype(np.int8)
    own = rows.astype(np.int64) @ (1 << np.arange(n_attributes))
    at = np.arange(rows.shape[0])
    suggested = QMatrix(entries, fit.item_ids, fit.q_matrix.attribute_names, fit.patterns)
    return QValidation(suggested, rows, pvaf[at, own], pvaf[at, best], mesa)


def _by_pattern(fit: CDMFit, responses: Responses) -> tuple[FloatArray, FloatArray]:
    """Expected right answers and answers of every item by pattern, (n_items, n_patterns)."""
    right = np.zeros((responses.n_items, fit.classes.n_classes))
    given = np.zeros_like(right)
    for rows, posterior in class_posteriors(fit, responses):
        weighted = posterior * responses.weights[rows, None]
        right += np.einsum("nj,nc->jc", (responses.scores[rows] == 1).astype(np.float64), weighted)
        given += np.einsum("nj,nc->jc", (responses.scores[rows] >= 0).astype(np.float64), weighted)
    return fit.classes.spread(right), fit.classes.spread(given)


def _between(right: FloatArray, given: FloatArray, groups: IntArray) -> FloatArray:
    """Variance of chances between groups of patterns, for every item."""
    totals = np.zeros((int(groups.max()) + 1, right.shape[0]))
    passed = np.zeros_like(totals)
    np.add.at(totals, groups, given.T)
    np.add.at(passed, groups, right.T)
    chance = passed / np.maximum(totals, SMALLEST)
    share = totals / np.maximum(totals.sum(axis=0), SMALLEST)
    mean = (share * chance).sum(axis=0)
    return np.asarray((share * (chance - mean) ** 2).sum(axis=0))
