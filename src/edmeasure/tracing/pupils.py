"""Knowledge tracing in which pupils differ: each has a prior knowledge and a pace of learning, over all skills.

On the logit scale a pupil's P(L0) and P(T) of a skill are the skill's plus the pupil's own difference, as Yudelson,
Koedinger & Gordon (2013, Artificial Intelligence in Education) individualise them. Here differences are normal among
pupils and integrated out, so that nothing is fitted to single pupils and new ones are followed like old ones.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._loops import each, parts_of
from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.calibration._em import Anderson
from edmeasure.errors import BadOption, BadShape
from edmeasure.tracing import _pupil_kernels
from edmeasure.tracing._pupil_kernels import (
    COULD_FORGET,
    COULD_GUESS,
    COULD_LEARN,
    COULD_SLIP,
    FIRST,
    FORGOT,
    GUESSED,
    LEARNT,
    N_SUMS,
    SEQUENCES,
    SLIPPED,
)
from edmeasure.tracing.bayesian import OF_GROUPS, TracedAnswers, trace
from edmeasure.tracing.interactions import Interactions

FEWEST_NODES, MOST_NODES = 3, 15
LARGEST_LOGIT = 12.0
LARGEST_SD = 5.0
START_SD = 0.7
NEWTON_STEPS = 8
LONGEST_STEP = 1.0
FALL = 1e-10
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class PupilTracing(Exported):
    """Skills for the average pupil, and how far pupils differ.

    Attributes
    ----------
    skill_ids : array of labels (S,)
    prior, learn, guess, slip, forget : float64 (S,)
        Of the average pupil; guess, slip and forgetting are the same for all.
    prior_sd, learn_sd : float
        Deviation of the logits of prior and learn between pupils.
    pupil_ids : array of labels (n,)
    prior_effect, learn_effect : float64 (n,)
        Posterior means of pupils' differences, in logits, given all their answers: for description, not prediction.
    loglik, loglik_alike : float
        And that of pupils who do not differ.
    history : float64
    converged : bool
    """

    skill_ids: npt.NDArray[np.generic]
    prior: FloatArray
    learn: FloatArray
    guess: FloatArray
    slip: FloatArray
    forget: FloatArray
    prior_sd: float
    learn_sd: float
    pupil_ids: npt.NDArray[np.generic]
    prior_effect: FloatArray
    learn_effect: FloatArray
    loglik: float
    loglik_alike: float
    history: FloatArray
    converged: bool
    n_nodes: int

    def follow(self, interactions: Interactions) -> TracedAnswers:
        """Follow pupils of any data; what is known of a pupil's differences grows with every answer to any skill.

        Every number in a row but ``known_after`` rests on earlier rows of the pupil only.
        """
        place = {label: at for at, label in enumerate(self.skill_ids.tolist())}
        strangers = [label for label in interactions.skill_ids.tolist() if label not in place]
        if strangers:
            raise BadShape(f"Skills {strangers[:10]} are not in the fit.", remedy="Fit them too, or leave their rows out.")
        skills = np.array([place[label] for label in interactions.skill_ids.tolist()], dtype=np.int64)[interactions.skills]
        nodes = _nodes(self.n_nodes, self.prior_sd > 0, self.learn_sd > 0)
        rows = interactions.time[np.argsort(interactions.pupils[interactions.time], kind="stable")]
        changes = np.flatnonzero(np.diff(interactions.pupils[rows])) + 1
        starts = np.concatenate([[0], changes, [interactions.n]]).astype(np.int64)
        chance, before, after = np.empty((3, interactions.n))
        prior = _logistic(_logit(self.prior)[:, None] + self.prior_sd * nodes.prior)
        learn = _logistic(_logit(self.learn)[:, None] + self.learn_sd * nodes.learn)
        ends = self.guess, self.slip, self.forget
        _pupil_kernels.follow(
            rows, starts, interactions.correct, skills, prior, learn, *ends, nodes.weights, chance, before, after
        )
        return TracedAnswers(chance, before, after)

    def _columns(self) -> Mapping[str, object]:
        names = ("prior", "learn", "guess", "slip", "forget")
        return {"skill": self.skill_ids, **{name: getattr(self, name) for name in names}}

    def __str__(self) -> str:
        return (
            f"tracing of {self.pupil_ids.size:,} pupils who differ by {self.prior_sd:.3f} in prior knowledge and "
            f"{self.learn_sd:.3f} in learning (logits), {self.skill_ids.size} skills: log-likelihood {self.loglik:.4f}, "
            f"{self.loglik - self.loglik_alike:.4f} above pupils alike" + ("" if self.converged else ", NOT CONVERGED")
        )


def trace_pupils(
    interactions: Interactions,
    *,
    rng: np.random.Generator,
    individual: Collection[str] = OF_GROUPS,
    forgets: bool = False,
    n_nodes: int = 5,
    n_starts: int = 5,
    max_iterations: int = 200,
    tolerance: float = 1e-4,
) -> PupilTracing:
    """Estimate skills and the spread of pupils by marginal maximum likelihood.

    Parameters
    ----------
    rng, n_starts
        For the fit of pupils alike (`trace`) from which this one begins.
    individual
        What differs: ``"prior"``, ``"learn"`` or both, without correlation.
    n_nodes
        Gauss-Hermite nodes in each direction.
    tolerance
        Largest change of a logit or deviation by a step at which iteration stops.

    Raises
    ------
    BadOption

    Notes
    -----
    EM with pupils' differences as missing data (Bock & Aitkin 1981), its steps mixed by Anderson's method. A pupil
    with one skill says little about differences: use it where pupils practise several.
    """
    unknown = sorted(set(individual) - set(OF_GROUPS))
    if unknown or not individual:
        raise BadOption(f"individual is {sorted(individual)}.", remedy="Use 'prior', 'learn' or both.")
    if not FEWEST_NODES <= n_nodes <= MOST_NODES or max_iterations < 1:
        raise BadOption("n_nodes or max_iterations does not fit.", remedy=f"Use {FEWEST_NODES} to {MOST_NODES} nodes.")
    _validate.positive(tolerance, "tolerance")
    alike = trace(interactions, rng=rng, forgets=forgets, individual=(), n_starts=n_starts)
    nodes = _nodes(n_nodes, "prior" in individual, "learn" in individual)
    problem = _problem(interactions, nodes, forgets)
    parts = (alike.prior[:, 0], alike.learn[:, 0], alike.guess, alike.slip, alike.forget)
    sds = START_SD * np.array([nodes.prior.any(), nodes.learn.any()], dtype=np.float64)
    end = problem.climb(np.concatenate([*map(_logit, parts), sds]), max_iterations, tolerance)
    prior, learn, guess, slip, forget = _logistic(end.vector[:-2].reshape(5, -1))
    prior_sd, learn_sd = end.vector[-2:].tolist()
    return PupilTracing(
        skill_ids=interactions.skill_ids,
        prior=prior,
        learn=learn,
        guess=guess,
        slip=slip,
        forget=forget * forgets,
        prior_sd=prior_sd,
        learn_sd=learn_sd,
        pupil_ids=interactions.pupil_ids,
        prior_effect=prior_sd * (end.posterior @ nodes.prior),
        learn_effect=learn_sd * (end.posterior @ nodes.learn),
        loglik=float(end.history[-1]),
        loglik_alike=float(alike.loglik.sum()),
        history=end.history,
        converged=end.converged,
        n_nodes=n_nodes,
    )


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Standard normal differences of pupils (Q,) and their weights."""

    prior: FloatArray
    learn: FloatArray
    weights: FloatArray


@dataclass(frozen=True, eq=False)
class _End:
    vector: FloatArray
    history: FloatArray
    posterior: FloatArray
    converged: bool


@dataclass(frozen=True, eq=False)
class _Problem:
    """Sequences by pupil."""

    answers: Int8Array
    starts: IntArray
    skills: IntArray
    pupil_starts: IntArray
    n_skills: int
    nodes: _Nodes
    forgets: bool

    def image(self, vector: FloatArray) -> tuple[FloatArray, float, FloatArray]:
        """One EM step, the log-likelihood before it, and pupils' posterior of the nodes."""
        alpha, beta, *ends = vector[:-2].reshape(5, -1)
        prior = _logistic(alpha[:, None] + vector[-2] * self.nodes.prior)
        learn = _logistic(beta[:, None] + vector[-1] * self.nodes.learn)
        guess, slip, forget = (_logistic(end) for end in ends)
        forget = forget * self.forgets
        posterior = np.empty((self.pupil_starts.size - 1, self.nodes.weights.size))

        def summed(part: slice) -> tuple[FloatArray, float]:
            sums = np.zeros((self.n_skills, N_SUMS, self.nodes.weights.size))
            pupils = self.pupil_starts[part.start : part.stop + 1]
            sequences = slice(pupils[0], pupils[-1] + 1)
            values = prior, learn, guess, slip, forget, self.nodes.weights
            loglik = _pupil_kernels.expect(
                self.answers, self.starts[sequences], self.skills[pupils[0] : pupils[-1]], pupils - pupils[0], *values, sums,
                posterior[part],
            )  # fmt: skip
            return sums, loglik

        found = each(summed, parts_of(posterior.shape[0]))
        sums = np.sum([one[0] for one in found], axis=0)
        alpha, prior_sd = _climb_logits(alpha, float(vector[-2]), self.nodes.prior, sums[:, FIRST], sums[:, SEQUENCES])
        beta, learn_sd = _climb_logits(beta, float(vector[-1]), self.nodes.learn, sums[:, LEARNT], sums[:, COULD_LEARN])
        total = sums.sum(axis=2)
        shares = [total[:, a] / np.maximum(total[:, b], TINY) for a, b in ((GUESSED, COULD_GUESS), (SLIPPED, COULD_SLIP))]
        lost = total[:, FORGOT] / np.maximum(total[:, COULD_FORGET], TINY)
        pieces = [alpha, beta, *map(_logit, (*shares, lost)), np.array([prior_sd, learn_sd])]
        return _bounded(np.concatenate(pieces)), sum(one[1] for one in found), posterior

    def climb(self, start: FloatArray, max_iterations: int, tolerance: float) -> _End:
        """EM with Anderson mixing; a step that would lower the likelihood gives way to the plain one."""
        vector = image = _bounded(start)
        mixing, history, best = Anderson(), [-np.inf], (vector, np.empty((0, 0)))
        has_converged = False
        for _ in range(max_iterations):
            stepped, loglik, posterior = self.image(vector)
            if not loglik >= history[-1] - FALL * abs(loglik):
                if not mixing.points:
                    break
                mixing.clear()
                vector = image
                continue
            history.append(loglik)
            best, image = (vector, posterior), stepped
            has_converged = bool(np.abs(image - vector).max() < tolerance)
            if has_converged:
                break
            vector = _bounded(mixing.push(vector, image))
        return _End(best[0], np.array(history[1:]), best[1], has_converged)


def _problem(interactions: Interactions, nodes: _Nodes, forgets: bool) -> _Problem:
    order = np.argsort(interactions.sequence_pupils, kind="stable")
    lengths = np.diff(interactions.starts)[order]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    within = np.arange(interactions.n) - np.repeat(starts[:-1], lengths)
    rows = interactions.rows[np.repeat(interactions.starts[:-1][order], lengths) + within]
    per_pupil = np.bincount(interactions.sequence_pupils, minlength=interactions.pupil_ids.size)
    return _Problem(
        answers=_validate.read_only(interactions.correct[rows]),
        starts=starts,
        skills=interactions.sequence_skills[order],
        pupil_starts=np.concatenate([[0], np.cumsum(per_pupil)]),
        n_skills=interactions.skill_ids.size,
        nodes=nodes,
        forgets=forgets,
    )


def _nodes(n_nodes: int, is_prior: bool, is_learn: bool) -> _Nodes:
    points, weights = np.polynomial.hermite_e.hermegauss(n_nodes)
    weights /= weights.sum()
    none, one = np.zeros(1), np.ones(1)
    first, of_first = (points, weights) if is_prior else (none, one)
    second, of_second = (points, weights) if is_learn else (none, one)
    return _Nodes(np.repeat(first, second.size), np.tile(second, first.size), np.outer(of_first, of_second).ravel())


def _climb_logits(
    logits: FloatArray, sd: float, nodes: FloatArray, events: FloatArray, chances: FloatArray
) -> tuple[FloatArray, float]:
    """Newton steps of the skills' logits and of the deviation between pupils, for expected counts (S, Q)."""
    for _ in range(NEWTON_STEPS):
        share = _logistic(logits[:, None] + sd * nodes)
        rest, spread = events - chances * share, np.maximum(chances * share * (1.0 - share), 0.0)
        own, cross = np.maximum(spread.sum(axis=1), TINY), spread @ nodes
        to_own, to_sd = rest.sum(axis=1), float((rest @ nodes).sum())
        bend = float((spread @ nodes**2).sum() - (cross**2 / own).sum())
        by = (
            0.0
            if bend <= TINY
            else float(np.clip((to_sd - float((cross * to_own / own).sum())) / bend, -LONGEST_STEP, LONGEST_STEP))
        )
        step = np.clip((to_own - cross * by) / own, -LONGEST_STEP, LONGEST_STEP)
        logits, sd = np.clip(logits + step, -LARGEST_LOGIT, LARGEST_LOGIT), min(abs(sd + by), LARGEST_SD)
        if max(float(np.abs(step).max()), abs(by)) < FALL:
            break
    return logits, sd


def _bounded(vector: FloatArray) -> FloatArray:
    found = np.clip(vector, -LARGEST_LOGIT, LARGEST_LOGIT)
    found[-2:] = np.clip(np.abs(found[-2:]), 0.0, LARGEST_SD)
    return found


def _logit(chance: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(np.log(chance) - np.log1p(-chance), -LARGEST_LOGIT, LARGEST_LOGIT))


def _logistic(logit: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))
