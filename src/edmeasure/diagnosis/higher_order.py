"""Diagnosis with a general ability behind the attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.special

from edmeasure._validate import FloatArray
from edmeasure.calibration._em import Anderson, quadrature
from edmeasure.diagnosis import _cdm_em, _cdm_information, _cdm_kernels
from edmeasure.diagnosis._cdm_em import Problem, Search
from edmeasure.diagnosis._latent_classes import Model
from edmeasure.diagnosis.cdm import CDMFit, models_of, problem_of, result_of
from edmeasure.diagnosis.qmatrix import QMatrix
from edmeasure.errors import BadOption
from edmeasure.responses import Responses

N_NODES, BOUND = 41, 5.0
NEWTON_STEPS = 8
LONGEST_STEP = 1.0
STEEPEST = 8.0
PACE = 10
FALL = 1e-10


@dataclass(frozen=True, eq=False)
class HigherOrderFit:
    """A diagnosis whose attributes depend on one normal ability.

    Attributes
    ----------
    fit : CDMFit
        With the pattern probabilities of the structure; ``classify`` takes it.
    slopes, intercepts : float64 (n_attributes,), within -8..8
        P(attribute k | theta) = 1 / (1 + exp(-(slope theta + intercept))).
    slope_se, intercept_se : float64 (n_attributes,)
        From the products of scores of all parameters together.
    """

    fit: CDMFit
    slopes: FloatArray
    intercepts: FloatArray
    slope_se: FloatArray
    intercept_se: FloatArray

    @property
    def inseparable(self) -> tuple[str, ...]:
        """Attributes that ability decides all but alone: their slope ran into its bound."""
        names = self.fit.q_matrix.attribute_names
        return tuple(name for name, slope in zip(names, self.slopes, strict=True) if abs(slope) >= STEEPEST)

    def __str__(self) -> str:
        rows = [
            f"{name}: slope {slope:.3f} ({slope_se:.3f}), intercept {intercept:.3f} ({intercept_se:.3f})"
            for name, slope, slope_se, intercept, intercept_se in zip(
                self.fit.q_matrix.attribute_names,
                self.slopes,
                self.slope_se,
                self.intercepts,
                self.intercept_se,
                strict=True,
            )
        ]
        if self.inseparable:
            rows.append("decided by ability all but alone: " + ", ".join(self.inseparable))
        return "\n".join([str(self.fit), *rows])


@dataclass(frozen=True, eq=False)
class _Structure:
    """Attributes at quadrature nodes: ``patterns`` (n_patterns, K) and the nodes with their weights."""

    patterns: FloatArray
    nodes: FloatArray
    weights: FloatArray

    def logits(self, parameters: FloatArray) -> FloatArray:
        """Logit P(attribute | node), (K, n_nodes), from slopes and intercepts in a row."""
        slopes, intercepts = np.split(parameters, 2)
        return slopes[:, None] * self.nodes + intercepts[:, None]

    def chances(self, parameters: FloatArray) -> FloatArray:
        """P(attribute | node), (K, n_nodes)."""
        return np.asarray(scipy.special.expit(self.logits(parameters)))

    def joint(self, parameters: FloatArray) -> FloatArray:
        """P(pattern, node), (n_patterns, n_nodes)."""
        logits = self.logits(parameters)
        logs = self.patterns @ np.logaddexp(0.0, -logits) + (1.0 - self.patterns) @ np.logaddexp(0.0, logits)
        return np.asarray(np.exp(-logs) * self.weights)

    def slopes_of(self, parameters: FloatArray) -> FloatArray:
        """Derivatives of the patterns' probabilities by slopes and intercepts, (n_patterns, 2K)."""
        joint, chances = self.joint(parameters), self.chances(parameters)
        by_intercept = joint.sum(axis=1)[:, None] * self.patterns - joint @ chances.T
        by_slope = (joint @ self.nodes)[:, None] * self.patterns - joint @ (chances * self.nodes).T
        return np.hstack([by_slope, by_intercept])

    def improved(self, parameters: FloatArray, persons: FloatArray) -> FloatArray:
        """One EM step from expected persons per pattern: weighted logistic regressions on the nodes."""
        joint = self.joint(parameters)
        counts = joint * (persons / np.maximum(joint.sum(axis=1), _cdm_kernels.RAREST))[:, None]
        total, held = counts.sum(axis=0), self.patterns.T @ counts
        slopes, intercepts = np.split(parameters.copy(), 2)
        for _ in range(NEWTON_STEPS):
            chance = self.chances(np.concatenate([slopes, intercepts]))
            rest, spread = held - total * chance, total * chance * (1.0 - chance)
            g0, g1 = rest.sum(axis=1), rest @ self.nodes
            h00, h01, h11 = spread.sum(axis=1), spread @ self.nodes, spread @ self.nodes**2
            determinant = np.maximum(h00 * h11 - h01**2, _cdm_kernels.CLOSEST)
            step = (h00 * g1 - h01 * g0) / determinant
            # a slope at its bound stays there, and the intercept moves alone
            held_back = (np.abs(slopes) >= STEEPEST) & (step * slopes > 0)
            shift = np.where(held_back, g0 / np.maximum(h00, _cdm_kernels.CLOSEST), (h11 * g0 - h01 * g1) / determinant)
            slopes = np.clip(slopes + np.clip(step, -LONGEST_STEP, LONGEST_STEP), -STEEPEST, STEEPEST)
            intercepts += np.clip(shift, -LONGEST_STEP, LONGEST_STEP)
        return np.concatenate([slopes, intercepts])


def diagnose_higher_order(
    responses: Responses,
    q_matrix: QMatrix,
    *,
    rng: np.random.Generator,
    model: Model | Mapping[str, Model] = "dina",
    weights: npt.ArrayLike | None = None,
    n_starts: int = 20,
    max_iterations: int = 2000,
    tolerance: float = 1e-6,
) -> HigherOrderFit:
    """Estimate a diagnosis model whose attributes are independent given one normal ability.

    Parameters
    ----------
    responses, q_matrix, rng, model, weights, n_starts, max_iterations, tolerance
        As in `diagnose`. The starts are those of free pattern probabilities; the best of them
        leads to the structured maximum, and the certificate tells of that search.

    Returns
    -------
    HigherOrderFit

    Raises
    ------
    BadOption
        Also with prerequisites: attributes that forbid each other are not independent given ability.

    Notes
    -----
    de la Torre & Douglas (2004, Psychometrika 69), with a slope for every attribute. EM over
    patterns and 41 nodes on [-5, 5]; two parameters per attribute stand in for 2^K - 1 pattern
    probabilities, so that patterns which no item tells apart get probabilities of their own.
    """
    if q_matrix.patterns.shape[0] < 2**q_matrix.n_attributes:
        raise BadOption("The Q-matrix has prerequisites.", remedy="Leave them out, or use `diagnose`.")
    models = models_of(model, responses.item_ids)
    problem = problem_of(responses, q_matrix, models, weights)
    found = _cdm_em.search(problem, rng, n_starts=n_starts, max_iterations=max_iterations, stall=tolerance)
    structure = _Structure(q_matrix.patterns.astype(np.float64), *quadrature(N_NODES, BOUND))
    point, parameters, history, converged = _maximize(problem, structure, found.point, max_iterations, tolerance)
    ended = Search(point, history, converged, found.start_logliks)
    of_patterns = structure.slopes_of(parameters)
    errors = _cdm_information.errors_of(problem, point, of_patterns)
    probabilities = structure.joint(parameters).sum(axis=1)
    fit = result_of(responses, q_matrix, models, problem, ended, errors, probabilities, structure=of_patterns)
    slopes, intercepts = np.split(parameters, 2)
    slope_se, intercept_se = np.split(errors.structure_se, 2)
    # the direction of ability is free: more of it should mean more attributes
    sign = -1.0 if slopes.sum() < 0 else 1.0
    return HigherOrderFit(fit, sign * slopes, intercepts, slope_se, intercept_se)


def _maximize(
    problem: Problem, structure: _Structure, start: FloatArray, max_iterations: int, tolerance: float
) -> tuple[FloatArray, FloatArray, FloatArray, bool]:
    """EM with Anderson mixing from the items of a free fit: point, structure, log-likelihoods, whether they converged."""
    n, class_of_pattern = problem.n_coefficients, problem.classes.class_of_pattern
    free = problem.classes.spread(problem.prior(start)) @ structure.patterns
    vector = np.concatenate([start[:n], np.ones(free.size), 1.2 * np.log(free / (1.0 - free))])
    mixing, history = Anderson(), [-np.inf]
    image = vector
    for _ in range(max_iterations):
        by_pattern = structure.joint(vector[n:]).sum(axis=1)
        prior = np.bincount(class_of_pattern, weights=by_pattern)
        point = np.concatenate([vector[:n], prior / prior.sum()])
        expected, loglik = _cdm_em.expectation(problem, point)
        if not loglik >= history[-1] - FALL * abs(loglik):
            if not mixing.points:
                break
            mixing.clear()
            vector = image
            continue
        best = point, vector[n:]
        history.append(loglik)
        if len(history) > PACE + 1 and loglik - history[-1 - PACE] < tolerance:
            return *best, np.array(history[1:]), True
        coefficients = np.empty(n)
        _cdm_kernels.maximize_items(problem.cells, expected, vector[:n], coefficients)
        persons = (expected.persons / np.maximum(prior, _cdm_kernels.RAREST))[class_of_pattern] * by_pattern
        image = np.concatenate([coefficients, structure.improved(vector[n:], persons)])
        vector = mixing.push(vector, image)
        np.clip(vector[n : n + free.size], -STEEPEST, STEEPEST, out=vector[n : n + free.size])
        _cdm_kernels.bound(problem.cells, vector[:n], coefficients)
    return *best, np.array(history[1:]), False
