"""EM for diagnosis models: many random starts climb, the best go on to the maximum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edmeasure._loops import each
from edmeasure._validate import FloatArray, Int8Array
from edmeasure.calibration import _packing
from edmeasure.calibration._em import item_parts
from edmeasure.calibration._packing import PackedResponses
from edmeasure.diagnosis import _cdm_kernels
from edmeasure.diagnosis._cdm_kernels import IDENTITY, LOG, LOGIT, SATURATED, Answers, Cells, Expected
from edmeasure.diagnosis._latent_classes import LatentClasses, Model, latent_classes
from edmeasure.errors import BadOption

LINKS: dict[Model, int] = {
    "dina": SATURATED,
    "dino": SATURATED,
    "gdina": SATURATED,
    "acdm": IDENTITY,
    "llm": LOGIT,
    "rrum": LOG,
}
MOST_CLASSES = 4096
SMALL_TABLE = 64
SAMPLE = 3000
CLIMB_STEPS = 600
STALL = 1e-2
FINE_STALL = 1e-5
SAME_MAXIMUM = 0.1
CONTENDING = 2.0
MOST_CONTENDERS = 4
LOWEST_GUESS, HIGHEST_GUESS = 0.05, 0.35
EVENNESS = 5.0
REVIVED = 1e-4
MOST_REVIVALS = 4
PULLING = 2e-3
RARE = 1e-6


@dataclass(frozen=True, eq=False)
class Problem:
    """What one fit maximises: distinct right/wrong answer rows, classes, and the items' models."""

    packed: PackedResponses
    classes: LatentClasses
    cells: Cells

    @property
    def answers(self) -> Answers:
        return Answers(self.packed.codes, self.packed.weights, self.packed.layout)

    @property
    def n_coefficients(self) -> int:
        return int(self.cells.coefficient_start[-1])

    def success(self, point: FloatArray) -> FloatArray:
        """Success of every cell at ``point``."""
        return cell_success(self.cells, point)

    def prior(self, point: FloatArray) -> FloatArray:
        """Class probabilities at ``point``."""
        return point[self.n_coefficients :]


@dataclass(frozen=True, eq=False)
class Search:
    """Where the starts ended, and the best of them carried to the maximum: its last log-likelihoods."""

    point: FloatArray
    history: FloatArray
    has_converged: bool
    start_logliks: FloatArray

    @property
    def starts_at_best(self) -> int:
        return int((self.start_logliks > self.start_logliks.max() - SAME_MAXIMUM).sum())


def problem_of(
    scores: Int8Array, weights: FloatArray, q_matrix: Int8Array, models: Sequence[Model], patterns: Int8Array
) -> Problem:
    """Pack the answers and lay out the cells."""
    classes = latent_classes(q_matrix, models, patterns)
    if classes.n_classes > MOST_CLASSES:
        raise BadOption(
            f"The items tell {classes.n_classes} attribute patterns apart.",
            remedy=f"At most {MOST_CLASSES} can be estimated: name prerequisites, use DINA, or join attributes.",
        )
    few = scores.shape[0] <= 2 * SAMPLE
    packed = _packing.pack(
        scores,
        np.ones(scores.shape[1], dtype=np.int8),
        weights=weights,
        collapse=True,
        row_limit=SMALL_TABLE if few else _packing.ROW_LIMIT,
    )
    return Problem(packed, classes, cells_of(classes, q_matrix, models))


def cells_of(classes: LatentClasses, q_matrix: Int8Array, models: Sequence[Model]) -> Cells:
    """Coefficients and links of every item."""
    link = np.array([LINKS[model] for model in models], dtype=np.int64)
    required = q_matrix.sum(axis=1).astype(np.int64)
    sizes = np.where(link == SATURATED, np.diff(classes.cell_start), 1 + required)
    design = np.zeros((classes.n_cells, 1 + int(required.max())), dtype=np.int8)
    design[:, 0] = 1
    for row, part in zip(q_matrix, classes.parts, strict=True):
        design[part, 1 : 1 + int(row.sum())] = classes.cell_patterns[part][:, row == 1]
    return Cells(
        cell_of=np.ascontiguousarray(classes.cell_of),
        cell_start=classes.cell_start,
        coefficient_start=np.cumsum([0, *sizes], dtype=np.int64),
        link=link,
        design=design,
    )


def linked(link: int, chance: FloatArray) -> FloatArray:
    """Success on the scale where an item's coefficients add up."""
    if link == LOGIT:
        return np.asarray(np.log(chance) - np.log1p(-chance))
    return np.log(chance) if link == LOG else chance


def cell_success(cells: Cells, point: FloatArray) -> FloatArray:
    """Success of every cell from the coefficients."""
    success = np.empty(int(cells.cell_start[-1]))
    for j, part in enumerate(item_parts(cells.coefficient_start)):
        rows = slice(cells.cell_start[j], cells.cell_start[j + 1])
        link = cells.link[j]
        eta = point[part] if link == SATURATED else cells.design[rows, : part.stop - part.start] @ point[part]
        success[rows] = 1.0 / (1.0 + np.exp(-eta)) if link == LOGIT else np.exp(eta) if link == LOG else eta
    return np.clip(success, _cdm_kernels.CLOSEST, 1.0 - _cdm_kernels.CLOSEST)


def log_probabilities(classes: LatentClasses, success: FloatArray) -> FloatArray:
    """Log P(answer | class), (2 n_items, n_classes): wrong and right of every item in turn."""
    chances = success[classes.cell_of]
    return np.asarray(np.stack([np.log1p(-chances), np.log(chances)], axis=1).reshape(-1, classes.n_classes))


def random_start(problem: Problem, rng: np.random.Generator) -> FloatArray:
    """Success rising with the attributes held, from a random guess to a random mastery, and even classes."""
    classes, cells = problem.classes, problem.cells
    guess = rng.uniform(LOWEST_GUESS, HIGHEST_GUESS, classes.n_items)
    mastery = 1.0 - rng.uniform(LOWEST_GUESS, HIGHEST_GUESS, classes.n_items)
    point = np.empty(problem.n_coefficients + classes.n_classes)
    for j, part in enumerate(item_parts(cells.coefficient_start)):
        link = cells.link[j]
        low, high = linked(link, guess[j]), linked(link, mastery[j])
        if link == SATURATED:
            seen = classes.cell_patterns[classes.parts[j]]
            point[part] = low + (high - low) * (seen == 1).sum(axis=1) / (seen >= 0).sum(axis=1)
        else:
            point[part] = (high - low) / (part.stop - part.start - 1)
            point[part.start] = low
    point[problem.n_coefficients :] = rng.dirichlet(np.full(classes.n_classes, EVENNESS))
    return point


def _sampled(answers: Answers, rng: np.random.Generator) -> Answers:
    n = answers.codes.shape[0]
    if n <= SAMPLE:
        return answers
    rows = np.sort(rng.choice(n, SAMPLE, replace=False))
    return Answers(np.ascontiguousarray(answers.codes[rows]), answers.weights[rows], answers.layout)


def _room(answers: Answers, classes: LatentClasses) -> Expected:
    """Uninitialised tables and sums for E-steps."""
    by_row = np.empty((2, int(answers.layout.row_start[-1]), classes.n_classes))
    right, wrong = np.empty((2, classes.n_cells))
    return Expected(by_row[0], by_row[1], np.empty(classes.n_classes), right, wrong, np.empty(classes.n_classes))


def _climb(problem: Problem, answers: Answers, starts: Sequence[FloatArray], stall: float, steps: int) -> list[FloatArray]:
    """Take every start uphill until ten steps gain less than ``stall``; the log-likelihoods on the way."""

    def climb(start: FloatArray) -> FloatArray:
        logliks = np.empty(steps)
        room = _room(answers, problem.classes)
        return logliks[: _cdm_kernels.climb(answers, problem.cells, stall, room, start, logliks)]

    return each(climb, starts)


def search(problem: Problem, rng: np.random.Generator, *, n_starts: int, max_iterations: int, stall: float) -> Search:
    """Climb from random starts, on a sample where there are many rows; take the best of them to the maximum on all."""
    if n_starts < 1:
        raise BadOption(f"n_starts is {n_starts}.", remedy="Use at least 1; 20 is usual.")
    answers, steps = _sampled(problem.answers, rng), min(CLIMB_STEPS, max_iterations)
    points = [random_start(problem, rng) for _ in range(n_starts)]
    ways = _climb(problem, answers, points, STALL, steps)
    reached = np.array([way[-1] for way in ways])
    distinct = _distinct(problem, points, reached)
    further = _climb(problem, answers, [points[start] for start in distinct], FINE_STALL, steps)
    best = int(np.argmax([way[-1] for way in further]))
    point = points[distinct[best]]
    history: list[float] = []
    for _ in range(MOST_REVIVALS):
        _revive(problem, point)
        (way,) = _climb(problem, problem.answers, [point], stall, max_iterations)
        history += way[len(history) > 0 :].tolist()
        if not (class_pulls(problem, point, expectation(problem, point)[0]) > PULLING).any():
            break
    return Search(point, np.array(history), has_converged=way.size < max_iterations, start_logliks=reached)


def _distinct(problem: Problem, points: Sequence[FloatArray], reached: FloatArray) -> list[int]:
    """The best starts, one for every maximum: that whose chances fall least where attributes are added.

    Where no item asks for an attribute alone, labels of classes can be exchanged at the same likelihood.
    """
    order = np.argsort(-reached, kind="stable").tolist()
    found: list[int] = []
    for start in order:
        if reached[start] < reached[order[0]] - CONTENDING or len(found) == MOST_CONTENDERS:
            break
        if found and reached[start] > reached[found[-1]] - SAME_MAXIMUM:
            continue
        same = [other for other in order if 0.0 <= reached[start] - reached[other] < SAME_MAXIMUM]
        found.append(min(same, key=lambda other: fall(problem.classes, problem.success(points[other]))))
    return found


def fall(classes: LatentClasses, success: FloatArray) -> float:
    """How much chances fall, summed over items, from patterns to patterns that include them."""
    total = 0.0
    for part in classes.parts:
        patterns, chances = classes.cell_patterns[part], success[part]
        includes = (patterns[:, None, :] >= patterns[None, :, :]).all(axis=2)
        total += float((includes * np.maximum(chances[None, :] - chances[:, None], 0.0)).sum())
    return total


def _revive(problem: Problem, point: FloatArray) -> None:
    """Give every class a chance again."""
    prior = problem.prior(point)
    np.maximum(prior, REVIVED / prior.size, out=prior)
    prior /= prior.sum()


def class_pulls(problem: Problem, point: FloatArray, expected: Expected) -> FloatArray:
    """Derivatives of the mean log-likelihood by class probabilities, less the mean; only upward ones of empty classes."""
    prior = problem.prior(point)
    pulls = expected.persons / (expected.persons.sum() * prior) - 1.0
    return np.asarray(np.where(prior < RARE, np.maximum(pulls, 0.0), pulls))


def expectation(problem: Problem, point: FloatArray) -> tuple[Expected, float]:
    """Expected answers and persons at ``point``, and the log-likelihood."""
    answers = problem.answers
    room = _room(answers, problem.classes)
    # a climb of one step is an E-step
    loglik = np.empty(1)
    _cdm_kernels.climb(answers, problem.cells, 0.0, room, point.copy(), loglik)
    return room, float(loglik[0])
