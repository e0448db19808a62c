"""Observed information of a diagnosis model's coefficients and class probabilities together.

A person's likelihood f = sum_c pi_c prod_j P_jc(x_j) is linear in every class probability and in
the success of every single item, so that, with scores s of the marginal log-likelihood,

    -d2 log f / da db = s_a s_b - (d2 f / da db) / f,

and the last term is zero for two parameters of one item or for two class probabilities. Leaving
the class probabilities out makes errors too small (Philipp, Strobl, de la Torre & Zeileis 2018,
J. Educ. Behav. Stat. 43).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from edmeasure import _linear
from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.calibration._em import item_parts
from edmeasure.calibration._packing import PackedResponses
from edmeasure.diagnosis import _cdm_em
from edmeasure.diagnosis._cdm_em import RARE, Problem
from edmeasure.diagnosis._cdm_kernels import IDENTITY, LOG, LOGIT, SATURATED

BLOCK = 16_384
BOUNDARY = 1e-4
MOST_PARAMETERS = 1500
FLAT = 1e-7
SADDLE = 1e-4
LOADED = 1e-6


@dataclass(frozen=True, eq=False)
class Errors:
    """Covariances of coefficients and of cells' success; standard errors of everything about patterns.

    ``structure_se`` belongs to the parameters of a structured pattern distribution. Along
    ``n_flat`` directions the likelihood does not change: NaN for what they move.
    """

    coefficients: FloatArray
    success: FloatArray
    pattern_se: FloatArray
    prevalence_se: FloatArray
    structure_se: FloatArray
    n_flat: int
    is_maximum: bool | None


def answers_of(packed: PackedResponses, rows: slice) -> Int8Array:
    """Right 1, wrong 0, missing -1 from the codes of some rows, (n_rows, n_items)."""
    layout = packed.layout
    found = np.empty((packed.codes[rows].shape[0], layout.n_states.size), dtype=np.int8)
    for g in range(layout.group_first.size - 1):
        rest = packed.codes[rows, g].astype(np.int64)
        for j in range(layout.group_first[g], layout.group_first[g + 1]):
            rest, state = np.divmod(rest, layout.n_states[j])
            found[:, j] = np.where(state == layout.missing_state[j], -1, state)
    return found


def _weights_of(right: FloatArray, wrong: FloatArray, chances: FloatArray) -> FloatArray:
    """Derivative of log P(answer) by success: 1/p, -1/(1-p), or 0 where there is no answer."""
    weights = right * (1.0 / chances)
    weights -= wrong * (1.0 / (1.0 - chances))
    return weights


def _of_success(problem: Problem, success: FloatArray, prior: FloatArray, kept: IntArray, *, is_outer: bool) -> FloatArray:
    """Information of all cells' success and the probabilities of the ``kept`` classes, before their sum is fixed.

    The outer one is only the sum of products of scores.
    """
    classes, packed = problem.classes, problem.packed
    n_cells, size = classes.n_cells, classes.n_cells + kept.size
    tables = packed.tables(_cdm_em.log_probabilities(classes, success))
    membership = np.zeros((kept.size, n_cells))
    membership[np.arange(kept.size)[:, None], classes.cell_of[:, kept].T] = 1.0
    information = np.zeros((size, size))
    for begin in range(0, packed.codes.shape[0], BLOCK):
        rows = slice(begin, begin + BLOCK)
        posterior = packed.posterior(tables, prior, rows)
        answers, weights = answers_of(packed, rows), packed.weights[rows]
        right, wrong = (answers == 1).astype(np.float64), (answers == 0).astype(np.float64)
        scores = np.empty((posterior.shape[0], size))
        in_cell = _linear.product(np.ascontiguousarray(posterior[:, kept]), membership)
        scores[:, :n_cells] = in_cell * _weights_of(right[:, classes.item_of_cell], wrong[:, classes.item_of_cell], success)
        scores[:, n_cells:] = posterior[:, kept] / prior[kept]
        information += _linear.weighted_gram(scores, weights)
        for at, c in enumerate([] if is_outer else kept):
            cells = classes.cell_of[:, c]
            slopes = _weights_of(right, wrong, success[cells])
            share = weights * posterior[:, c]
            both = _linear.weighted_gram(slopes, share)
            np.fill_diagonal(both, 0.0)
            information[np.ix_(cells, cells)] -= both
            crossed = _linear.weighted_moment(slopes, share) / prior[c]
            information[cells, n_cells + at] -= crossed
            information[n_cells + at, cells] -= crossed
    return information


def _slopes(problem: Problem, success: FloatArray, gradient: FloatArray) -> tuple[FloatArray, FloatArray]:
    """d success / d coefficients, (n_cells, n_coefficients), and what the links' bend adds to the information."""
    cells, parts = problem.cells, item_parts(problem.cells.coefficient_start)
    slopes = np.zeros((problem.classes.n_cells, problem.n_coefficients))
    bends = np.zeros((problem.n_coefficients, problem.n_coefficients))
    for link, rows, part in zip(cells.link, problem.classes.parts, parts, strict=True):
        if link == SATURATED:
            slopes[rows, part] = np.eye(part.stop - part.start)
            continue
        design, p = cells.design[rows, : part.stop - part.start], success[rows]
        speed = {IDENTITY: np.ones_like(p), LOGIT: p * (1.0 - p), LOG: p}[link]
        bend = {IDENTITY: np.zeros_like(p), LOGIT: p * (1.0 - p) * (1.0 - 2.0 * p), LOG: p}[link]
        slopes[rows, part] = speed[:, None] * design
        bends[part, part] = (design * (gradient[rows] * bend)[:, None]).T @ design
    return slopes, bends


def _freedom(problem: Problem, success: FloatArray, persons: FloatArray) -> FloatArray:
    """Directions (n_coefficients, n_free) in which coefficients can move: chances at 0 or 1 or of nobody stay."""
    inside = (success > BOUNDARY) & (success < 1.0 - BOUNDARY) & (persons > BOUNDARY)
    blocks: list[FloatArray] = []
    for link, rows, part in zip(
        problem.cells.link, problem.classes.parts, item_parts(problem.cells.coefficient_start), strict=True
    ):
        size = part.stop - part.start
        held = np.eye(size) if link == SATURATED else problem.cells.design[rows, :size].astype(np.float64)
        blocks.append(scipy.linalg.null_space(held[~inside[rows]]) if not inside[rows].all() else np.eye(size))
    return np.asarray(scipy.linalg.block_diag(*blocks))


def _error_factor(information: FloatArray, wanted: FloatArray) -> tuple[FloatArray, int, bool]:
    """F with covariance F F' of ``wanted`` times the parameters, the number of flat directions, and whether none curves upwards.

    Rows are NaN for what does not move at all and for what lies along flat directions.
    """
    scale = 1.0 / np.sqrt(np.maximum(np.diag(information), 1e-300))
    curvature, directions = np.linalg.eigh(information * np.outer(scale, scale))
    turned = wanted @ (scale[:, None] * directions)
    steep = curvature > FLAT * curvature[-1]
    flat = ~steep & (np.abs(turned).max(axis=0) > 0)
    moved = (turned**2).sum(axis=1)
    unknown = (moved == 0) | ((turned[:, flat] ** 2).sum(axis=1) > LOADED * moved)
    factor = turned[:, steep] / np.sqrt(curvature[steep])
    factor[unknown] = np.nan
    return factor, int(flat.sum()), bool(curvature[0] > -SADDLE * curvature[-1])


def no_errors(problem: Problem, n_structure: int = 0) -> Errors:
    """NaN for everything."""
    n, n_cells = problem.n_coefficients, problem.classes.n_cells
    n_patterns, n_attributes = problem.classes.patterns.shape
    return Errors(
        coefficients=np.full((n, n), np.nan),
        success=np.full((n_cells, n_cells), np.nan),
        pattern_se=np.full(n_patterns, np.nan),
        prevalence_se=np.full(n_attributes, np.nan),
        structure_se=np.full(n_structure, np.nan),
        n_flat=0,
        is_maximum=None,
    )


def _free_probabilities(problem: Problem, prior: FloatArray) -> FloatArray:
    """Derivatives of patterns' probabilities by those of all classes that are not empty but the likeliest."""
    kept = np.flatnonzero(prior > RARE)
    shares = np.zeros((prior.size, kept.size))
    shares[kept, np.arange(kept.size)] = 1.0
    shares[np.argmax(prior)] = -1.0
    return problem.classes.spread(np.delete(shares, np.argmax(prior[kept]), axis=1).T).T


def errors_of(problem: Problem, point: FloatArray, structure: FloatArray | None = None) -> Errors:
    """Covariances from the observed information of everything that lies off the bounds.

    ``structure`` holds the derivatives (n_patterns, m) of patterns' probabilities by the parameters
    of their distribution; errors then come from the products of scores, right only when the model is.
    """
    success, prior = problem.success(point), problem.prior(point)
    expected, _ = _cdm_em.expectation(problem, point)
    of_patterns = _free_probabilities(problem, prior) if structure is None else structure
    freedom = _freedom(problem, success, expected.right + expected.wrong)
    n_free, n_structure = freedom.shape[1], of_patterns.shape[1]
    if n_free + n_structure > MOST_PARAMETERS:
        return no_errors(problem, n_structure)
    kept = np.flatnonzero(prior > RARE)
    slopes, bends = _slopes(problem, success, expected.right / success - expected.wrong / (1.0 - success))
    of_classes = np.zeros((prior.size, n_structure))
    np.add.at(of_classes, problem.classes.class_of_pattern, of_patterns)
    turn = scipy.linalg.block_diag(slopes @ freedom, of_classes[kept])
    is_outer = structure is not None
    information = turn.T @ _of_success(problem, success, prior, kept, is_outer=is_outer) @ turn
    if not is_outer:
        information[:n_free, :n_free] -= freedom.T @ bends @ freedom
    of_prevalence = problem.classes.patterns.T @ of_patterns
    about_patterns = np.vstack([of_patterns, of_prevalence, np.eye(n_structure)])
    wanted = scipy.linalg.block_diag(np.vstack([freedom, slopes @ freedom]), about_patterns)
    factor, n_flat, is_maximum = _error_factor(information, wanted)
    n, n_cells = problem.n_coefficients, success.size
    errors = np.sqrt((factor**2).sum(axis=1))[n + n_cells :]
    of_pattern, of_prevalence, of_structure = np.split(errors, np.cumsum([of_patterns.shape[0], of_prevalence.shape[0]]))
    return Errors(
        coefficients=factor[:n] @ factor[:n].T,
        success=factor[n : n + n_cells] @ factor[n : n + n_cells].T,
        pattern_se=of_pattern,
        prevalence_se=of_prevalence,
        structure_se=of_structure,
        n_flat=n_flat,
        is_maximum=is_maximum,
    )
