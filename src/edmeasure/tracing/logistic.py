"""Logistic tracing: performance factors, and ratings of pupils and skills with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.errors import BadOption, BadShape
from edmeasure.tracing import _chain_kernels as _tracing_kernels
from edmeasure.tracing.interactions import Interactions

NEWTON_STEPS = 50
LONGEST_STEP = 2.0
CLOSE = 1e-8
LEAST = 1e-12
FIRST_STEP = 0.5
SCALES = (-9.0, 2.0)
RATED = ("ability_sd", "strength_sd", "difficulty_sd", "difficulty_mean", "drift")


@dataclass(frozen=True, eq=False)
class PerformanceFactors(Exported):
    """Weights of earlier answers to the same skill.

    Attributes
    ----------
    skill_ids : array of labels (S,)
    easiness, success, failure : float64 (S,)
        Logit of a first answer, and what every earlier right and wrong answer adds to it.
    loglik : float
        Without the penalty.
    converged : bool (S,)
    """

    skill_ids: npt.NDArray[np.generic]
    easiness: FloatArray
    success: FloatArray
    failure: FloatArray
    loglik: float
    converged: BoolArray

    def chances(self, interactions: Interactions) -> FloatArray:
        """Chance of a right answer in every row, from earlier rows of the same pupil and skill."""
        place = {label: at for at, label in enumerate(self.skill_ids.tolist())}
        strangers = [label for label in interactions.skill_ids.tolist() if label not in place]
        if strangers:
            raise BadShape(f"Skills {strangers[:10]} are not in the fit.", remedy="Fit them too, or leave their rows out.")
        skill = np.array([place[label] for label in interactions.skill_ids.tolist()])[interactions.skills]
        right, wrong = _earlier(interactions)
        return _logistic(self.easiness[skill] + self.success[skill] * right + self.failure[skill] * wrong)

    def __str__(self) -> str:
        return (
            f"performance factors of {self.skill_ids.size} skills: log-likelihood {self.loglik:.4f}; a right answer adds "
            f"{self.success.mean():.3f}, a wrong one {self.failure.mean():.3f} on average"
        )


@dataclass(frozen=True, eq=False)
class Ratings(Exported):
    """Means and variances of abilities and difficulties on the logit scale.

    Attributes
    ----------
    pupil_ids, skill_ids : arrays of labels
    ability, ability_variance : float64 (n_pupils,)
    strength, strength_variance : float64 (n_pupils, n_skills)
        How much better than their ability pupils are at a skill.
    difficulty, difficulty_variance : float64 (n_skills,)
    drift : float
        Variance that every answer adds to the pupil's ability and strength, for learning.
    """

    pupil_ids: npt.NDArray[np.generic]
    skill_ids: npt.NDArray[np.generic]
    ability: FloatArray
    ability_variance: FloatArray
    strength: FloatArray
    strength_variance: FloatArray
    difficulty: FloatArray
    difficulty_variance: FloatArray
    drift: float

    def __str__(self) -> str:
        return (
            f"ratings of {self.pupil_ids.size:,} pupils on {self.skill_ids.size:,} skills: ability "
            f"{self.ability.mean():.3f} (error {np.sqrt(self.ability_variance.mean()):.3f}), difficulty from "
            f"{self.difficulty.min():.3f} to {self.difficulty.max():.3f}"
        )


def performance_factors(interactions: Interactions, *, ridge: float = 0.1) -> PerformanceFactors:
    """Fit every skill's three weights by penalised maximum likelihood.

    Parameters
    ----------
    interactions
    ridge
        Precision of a normal prior of every weight around 0, which keeps skills without variety finite.

    Notes
    -----
    Pavlik, Cen & Koedinger (2009, AIED), with one skill per answer, where the skills' weights are
    independent: Newton's method on all skills at once.
    """
    _validate.positive(ridge, "ridge")
    n_skills, skills = interactions.skill_ids.size, interactions.skills
    right, wrong = _earlier(interactions)
    columns = (np.ones(interactions.n), right, wrong)
    weights, moved = np.zeros((n_skills, 3)), np.full(n_skills, np.inf)
    for _ in range(NEWTON_STEPS):
        chance = _logistic(_logits(weights, skills, columns))
        rest, spread = interactions.correct - chance, chance * (1.0 - chance)
        slope = np.stack([np.bincount(skills, rest * x, n_skills) for x in columns], axis=1) - ridge * weights
        bend = np.empty((n_skills, 3, 3))
        for i in range(3):
            for j in range(i + 1):
                bend[:, i, j] = bend[:, j, i] = np.bincount(skills, spread * columns[i] * columns[j], n_skills)
        step = np.linalg.solve(bend + ridge * np.eye(3), slope[:, :, None])[:, :, 0]
        moved = np.abs(step).max(axis=1)
        weights = weights + step * np.minimum(1.0, LONGEST_STEP / np.maximum(moved, CLOSE))[:, None]
        if moved.max() < CLOSE:
            break
    chance = _logistic(_logits(weights, skills, columns))
    loglik = float(np.log(np.where(interactions.correct == 1, chance, 1.0 - chance)).sum())
    easiness, success, failure = np.ascontiguousarray(weights.T)
    return PerformanceFactors(interactions.skill_ids, easiness, success, failure, loglik, moved < np.sqrt(CLOSE))


def rate(
    interactions: Interactions,
    *,
    start: Ratings | None = None,
    ability_sd: float = 1.0,
    strength_sd: float = 0.7,
    difficulty_sd: float = 1.0,
    difficulty_mean: float = 0.0,
    drift: float = 0.01,
) -> tuple[FloatArray, Ratings]:
    """Rate pupils and skills from one answer after the other: chances before every answer, and where all ended.

    Parameters
    ----------
    interactions
        Taken in order of time over all pupils.
    start
        Ratings to go on from, with the same pupils and skills: the result is that of one run.
    ability_sd, strength_sd, difficulty_sd
        Spread of those about whom nothing is known.
    difficulty_mean
        Where skills are expected before the first answer: below 0 where most answers are right.
    drift
        Variance added after every answer.

    Notes
    -----
    logit P = ability + strength - difficulty. A logistic Kalman filter as Glickman (1999, Applied
    Statistics 48) rates chess players: with the prior variance V of the logit, the chance is
    p = F(m / sqrt(1 + 3 V / pi^2)), and every part of variance v moves by v (x - p) / (1 + V p (1 - p)) and
    loses v^2 p (1 - p) / (1 + V p (1 - p)). Elo's constant step becomes one that shrinks as more is known
    (Pelanek 2016, Computers & Education 98, on uses in schools).
    """
    for value, name in ((ability_sd, "ability_sd"), (strength_sd, "strength_sd"), (difficulty_sd, "difficulty_sd")):
        _validate.positive(value, name)
    if not np.isfinite(difficulty_mean):
        raise BadOption(f"difficulty_mean is {difficulty_mean}.", remedy="Use 0 or the logit of the share wrong.")
    if not 0 <= drift < np.inf:
        raise BadOption(f"drift is {drift}.", remedy="Use 0 or a small number such as 0.01.")
    n_pupils, n_skills = interactions.pupil_ids.size, interactions.skill_ids.size
    ability, strength, difficulty = np.zeros(n_pupils), np.zeros((n_pupils, n_skills)), np.full(n_skills, difficulty_mean)
    of_ability = np.full(n_pupils, ability_sd**2)
    of_strength = np.full((n_pupils, n_skills), strength_sd**2)
    of_difficulty = np.full(n_skills, difficulty_sd**2)
    if start is not None:
        is_same = np.array_equal(start.pupil_ids, interactions.pupil_ids)
        if not is_same or not np.array_equal(start.skill_ids, interactions.skill_ids):
            raise BadShape("start has other pupils or skills.", remedy="Rate the same pupils and skills.")
        ability, strength, difficulty = start.ability.copy(), start.strength.copy(), start.difficulty.copy()
        of_ability, of_strength = start.ability_variance.copy(), start.strength_variance.copy()
        of_difficulty = start.difficulty_variance.copy()
    chance = np.empty(interactions.n)
    _tracing_kernels.rate(
        interactions.time,
        interactions.pupils,
        interactions.skills,
        interactions.correct,
        ability,
        strength,
        difficulty,
        of_ability,
        of_strength,
        of_difficulty,
        drift,
        chance,
    )
    return chance, Ratings(
        interactions.pupil_ids,
        interactions.skill_ids,
        ability,
        of_ability,
        strength,
        of_strength,
        difficulty,
        of_difficulty,
        drift,
    )


@dataclass(frozen=True, eq=False)
class RatingOptions(Exported):
    """Options of `rate` under which answers were predicted best.

    Attributes
    ----------
    ability_sd, strength_sd, difficulty_sd, difficulty_mean, drift : float
    loglik : float
        Of all answers, each predicted from earlier ones: the marginal log-likelihood of the filter.
    """

    ability_sd: float
    strength_sd: float
    difficulty_sd: float
    difficulty_mean: float
    drift: float
    loglik: float

    @property
    def options(self) -> dict[str, float]:
        """What `rate` takes: ``rate(answers, **found.options)``."""
        return {name: getattr(self, name) for name in RATED}

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value:.4f}" for name, value in self.options.items())
        return f"{told}: log-likelihood {self.loglik:.4f}"


def tune_rating(interactions: Interactions, *, max_runs: int = 150) -> RatingOptions:
    """Find the options of `rate` with the highest likelihood of every answer given earlier ones.

    Notes
    -----
    The prediction error decomposition (Schweppe 1965), climbed by Nelder & Mead's (1965) simplex in logarithms of deviations
    and drift. Tune on other pupils than those whose predictions are judged.
    """
    if max_runs < 1:
        raise BadOption("max_runs is below 1.", remedy="Use at least 1.")
    right = interactions.correct == 1

    def options_at(point: FloatArray) -> dict[str, float]:
        scales = np.exp(np.clip(point[:4], *SCALES))
        return {
            **dict(zip(RATED[:3], scales[:3].tolist(), strict=True)),
            "drift": float(scales[3]),
            "difficulty_mean": float(point[4]),
        }

    def fall(point: FloatArray) -> float:
        held = options_at(point)
        chance, _ = rate(
            interactions,
            ability_sd=held["ability_sd"],
            strength_sd=held["strength_sd"],
            difficulty_sd=held["difficulty_sd"],
            difficulty_mean=held["difficulty_mean"],
            drift=held["drift"],
        )
        chance = np.clip(chance, LEAST, 1.0 - LEAST)
        return -float(np.log(np.where(right, chance, 1.0 - chance)).mean())

    share = float(np.clip(right.mean(), LEAST, 1.0 - LEAST))
    usual = np.array([0.0, np.log(0.7), 0.0, np.log(0.01), np.log(1.0 - share) - np.log(share)])
    corners = np.vstack([usual, usual + FIRST_STEP * np.eye(usual.size)])
    limits = {"maxfev": max_runs, "xatol": 1e-2, "fatol": 1e-6, "initial_simplex": corners}
    end = minimize(fall, usual, method="Nelder-Mead", options=limits)
    found = options_at(end.x)
    return RatingOptions(**found, loglik=-float(end.fun) * interactions.n)


def _earlier(interactions: Interactions) -> tuple[FloatArray, FloatArray]:
    """Right and wrong answers of the same pupil to the same skill before every row."""
    right_so_far = np.concatenate([[0], np.cumsum(interactions.correct[interactions.rows], dtype=np.int64)])
    lengths = np.diff(interactions.starts)
    first: IntArray = np.repeat(interactions.starts[:-1], lengths)
    right, wrong = np.empty((2, interactions.n))
    right[interactions.rows] = right_so_far[:-1] - right_so_far[first]
    wrong[interactions.rows] = np.arange(interactions.n) - first
    return right, wrong - right


def _logits(weights: FloatArray, skills: IntArray, columns: tuple[FloatArray, ...]) -> FloatArray:
    total = np.zeros(skills.size)
    for c, column in enumerate(columns):
        total += weights[skills, c] * column
    return total


def _logistic(logit: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -500.0, 500.0))))
