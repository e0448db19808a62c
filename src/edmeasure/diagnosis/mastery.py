"""Which attributes each person masters, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.calibration import _packing
from edmeasure.diagnosis.cdm import CDMFit
from edmeasure.errors import BadScore, BadShape
from edmeasure.responses import Responses

MOST_POSTERIORS = 4_000_000


@dataclass(frozen=True, eq=False)
class Mastery:
    """Attributes of persons; rows are persons in the order of the answers.

    Attributes
    ----------
    attribute_names : tuple of str
    probabilities : float64 (n_persons, n_attributes)
        Posterior chance that the person masters the attribute (EAP).
    map_patterns, mle_patterns : int8 (n_persons, n_attributes)
        The pattern with the highest posterior chance, and with the highest likelihood; of patterns
        that tie, the one with fewest attributes.
    map_probability : float64 (n_persons,)
        Posterior chance of ``map_patterns``.
    attribute_accuracy, attribute_consistency : float64 (n_attributes,)
        Share of persons whose attribute is classified rightly, and alike on a parallel test.
    pattern_accuracy, pattern_consistency : float
        The same for the whole pattern.
    """

    attribute_names: tuple[str, ...]
    probabilities: FloatArray
    map_patterns: Int8Array
    mle_patterns: Int8Array
    map_probability: FloatArray
    attribute_accuracy: FloatArray
    attribute_consistency: FloatArray
    pattern_accuracy: float
    pattern_consistency: float

    @property
    def masters(self) -> BoolArray:
        """Whether each attribute is more likely mastered than not."""
        return self.probabilities > 0.5

    def uncertain(self, *, below: float = 0.8) -> BoolArray:
        """Attributes (n_persons, n_attributes) that are known with less than this chance either way."""
        return np.maximum(self.probabilities, 1.0 - self.probabilities) < below

    def __str__(self) -> str:
        lines = [
            f"{name}: mastered by {share:.1%}, accuracy {accuracy:.3f}, consistency {consistency:.3f}"
            for name, share, accuracy, consistency in zip(
                self.attribute_names,
                self.probabilities.mean(axis=0),
                self.attribute_accuracy,
                self.attribute_consistency,
                strict=True,
            )
        ]
        lines.append(f"whole pattern: accuracy {self.pattern_accuracy:.3f}, consistency {self.pattern_consistency:.3f}")
        return "\n".join(lines)


def classify(fit: CDMFit, responses: Responses) -> Mastery:
    """Posterior chances and most likely patterns of every person, for any pattern of missing answers.

    Parameters
    ----------
    fit, responses
        Items are matched by id; negative codes count as missing. A person without answers gets the
        population's chances.

    Notes
    -----
    With p the posterior chances, attribute accuracy is the mean of max(p, 1 - p) and consistency
    the mean of p^2 + (1 - p)^2; pattern accuracy is the mean of the highest pattern chance and
    consistency the mean of the sum of their squares (Wang, Song, Chen, Meng & Ding 2015, J. Educ.
    Meas. 52). Both take the model and its parameters as true.
    """
    n, n_attributes = responses.n_persons, fit.q_matrix.n_attributes
    probabilities, map_probability, repeated = np.empty((n, n_attributes)), np.empty(n), np.empty(n)
    map_pattern, mle_pattern = np.empty((2, n), dtype=np.int64)
    class_of_pattern, shares = fit.classes.class_of_pattern, fit.pattern_shares
    held = np.zeros((fit.classes.n_classes, n_attributes))
    np.add.at(held, class_of_pattern, shares[:, None] * fit.patterns)
    # the likeliest pattern of every class, of equals the first, which has fewest attributes
    order = np.lexsort((np.arange(shares.size), -shares, class_of_pattern))
    first = order[np.searchsorted(class_of_pattern[order], np.arange(fit.classes.n_classes))]
    squares = np.bincount(class_of_pattern, weights=shares**2)
    for rows, posterior in class_posteriors(fit, responses):
        probabilities[rows] = np.einsum("nc,ck->nk", posterior, held)
        highest = (posterior * shares[first]).argmax(axis=1)
        map_pattern[rows] = first[highest]
        map_probability[rows] = np.take_along_axis(posterior * shares[first], highest[:, None], axis=1)[:, 0]
        repeated[rows] = np.einsum("nc,c->n", posterior**2, squares)
    for rows, likelihood in class_posteriors(fit, responses, is_flat=True):
        mle_pattern[rows] = first[likelihood.argmax(axis=1)]
    weights = responses.weights / responses.weights.sum() if n else responses.weights
    sure = np.maximum(probabilities, 1.0 - probabilities)
    return Mastery(
        attribute_names=fit.q_matrix.attribute_names,
        probabilities=probabilities,
        map_patterns=fit.patterns[map_pattern],
        mle_patterns=fit.patterns[mle_pattern],
        map_probability=map_probability,
        attribute_accuracy=weights @ sure,
        attribute_consistency=weights @ (probabilities**2 + (1.0 - probabilities) ** 2),
        pattern_accuracy=float(weights @ map_probability),
        pattern_consistency=float(weights @ repeated),
    )


def class_posteriors(fit: CDMFit, responses: Responses, *, is_flat: bool = False) -> Iterator[tuple[slice, FloatArray]]:
    """Rows of persons and their chances (n_rows, n_classes); flat weighs all classes alike, as the likelihood does."""
    n_classes = fit.classes.n_classes
    packed, logs = _packed(fit, responses)
    tables = packed.tables(logs)
    prior = np.full(n_classes, 1.0 / n_classes) if is_flat else fit.class_probabilities
    block = max(1, MOST_POSTERIORS // n_classes)
    for begin in range(0, responses.n_persons, block):
        rows = slice(begin, min(responses.n_persons, begin + block))
        yield rows, packed.posterior(tables, prior, rows)


def mean_loglik(fit: CDMFit, responses: Responses) -> float:
    """Mean over persons of the log of the chance that the model gives their answers."""
    packed, logs = _packed(fit, responses)
    return packed.expect(logs, fit.class_probabilities)[1] / responses.n_persons


def _packed(fit: CDMFit, responses: Responses) -> tuple[_packing.PackedResponses, FloatArray]:
    """Packed answers, and log P(answer | class) of every item's two categories."""
    columns = _columns(fit, responses)
    known = fit.success[fit.classes.cell_of[columns]]
    logs = np.stack([np.log1p(-known), np.log(known)], axis=1).reshape(-1, fit.classes.n_classes)
    return _packing.pack(responses.scores, np.ones(columns.size, dtype=np.int8)), logs


def _columns(fit: CDMFit, responses: Responses) -> IntArray:
    """Where the items lie in the fit."""
    place = {name: j for j, name in enumerate(fit.item_ids)}
    strangers = [name for name in responses.item_ids if name not in place]
    if strangers:
        raise BadShape(
            f"Items {strangers[:10]} are not in the fit.",
            remedy="Diagnose them too, or leave them out with `Responses.items`.",
        )
    if responses.scores.size and responses.scores.max() > 1:
        raise BadScore("Some scores are above 1.", remedy="Score these items right/wrong as they were diagnosed.")
    return np.array([place[name] for name in responses.item_ids], dtype=np.int64)
