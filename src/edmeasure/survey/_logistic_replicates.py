"""Logistic regressions of one sample under many sets of weights, in passes over chunks of persons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edmeasure._loops import each, parts_of, reordered
from edmeasure._validate import FloatArray
from edmeasure.errors import BadOption
from edmeasure.survey.sampling import SampleDesign

MAX_STEPS = 50
TOLERANCE = 1e-10
LARGEST_ETA = 30.0


@reordered
def _add_scores(x: FloatArray, y: FloatArray, weights: FloatArray, coefficients: FloatArray, scores: FloatArray) -> None:
    """Add sum_i w_ir x_i (y_i - mu_ir) to ``scores`` (R, p) for weights (b, R) and coefficients (R, p)."""
    for i in range(x.shape[0]):
        for r in range(coefficients.shape[0]):
            if weights[i, r] == 0.0:
                continue
            eta = 0.0
            for a in range(x.shape[1]):
                eta += x[i, a] * coefficients[r, a]
            rest = weights[i, r] * (y[i] - 1.0 / (1.0 + np.exp(-eta)))
            for a in range(x.shape[1]):
                scores[r, a] += rest * x[i, a]


def chances(x: FloatArray, coefficients: FloatArray) -> FloatArray:
    """P(y = 1) of every row."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.einsum("ia,a->i", x, coefficients))))


def fit(x: FloatArray, y: FloatArray, design: SampleDesign) -> FloatArray:
    """Coefficients (p,) that maximise the weighted likelihood, by Newton's steps."""
    beta = np.zeros(x.shape[1])
    for _ in range(MAX_STEPS):
        score, information = np.zeros(x.shape[1]), np.zeros((x.shape[1], x.shape[1]))
        for rows in design.chunks(x.shape[1] ** 2):
            part, w = x[rows], design.weights[rows]
            mu = chances(part, beta)
            score += np.einsum("i,ia->a", w * (y[rows] - mu), part)
            information += np.einsum("i,ia,ib->ab", w * mu * (1 - mu), part, part)
        step = _solved(information, score)
        beta += step / max(1.0, float(np.abs(step).max()) / 2)
        if float(np.abs(beta).max()) > LARGEST_ETA:
            break
        if float(np.abs(step).max()) < TOLERANCE:
            return beta
    raise BadOption(
        "The logistic regression has no finite solution.",
        remedy="Some predictor tells the outcome exactly: drop it or join its categories.",
    )


def fit_replicates(x: FloatArray, y: FloatArray, design: SampleDesign, start: FloatArray, inverse: FloatArray) -> FloatArray:
    """Coefficients (R, p) under every replicate's weights, from the full ones.

    ``inverse`` (R, p, p) is the inverse information at the full coefficients. It serves all steps (chord method): it
    changes little, and each pass then needs scores alone.
    """
    beta = np.tile(start, (design.n_replicates, 1))
    for _ in range(MAX_STEPS):
        step = np.einsum("rab,rb->ra", inverse, _scores(x, y, design, beta))
        beta += step
        if float(np.abs(step).max()) < TOLERANCE * 100:
            return beta
    raise BadOption(
        "The logistic regression of some replicate has no finite solution.",
        remedy="Join rare categories of the predictors, or use Taylor linearisation.",
    )


def _scores(x: FloatArray, y: FloatArray, design: SampleDesign, beta: FloatArray) -> FloatArray:
    total = np.zeros_like(beta)
    for rows in design.chunks(design.n_replicates):
        weights, part, outcome = design.replicate_weights(rows), np.ascontiguousarray(x[rows]), np.ascontiguousarray(y[rows])
        pieces = parts_of(part.shape[0])
        own = np.zeros((len(pieces), *beta.shape))
        each(_adder(part, outcome, weights, beta, pieces, own), range(len(pieces)))
        total += own.sum(axis=0)
    return total


def _adder(
    x: FloatArray, y: FloatArray, weights: FloatArray, beta: FloatArray, pieces: list[slice], own: FloatArray
) -> Callable[[int], None]:
    def add(piece: int) -> None:
        here = pieces[piece]
        _add_scores(x[here], y[here], weights[here], beta, own[piece])

    return add


def _solved(information: FloatArray, score: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.solve(information, score), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full(score.size, LARGEST_ETA)
