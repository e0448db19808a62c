"""Bayesian knowledge tracing: whether a pupil has learnt a skill, answer by answer.

A pupil knows the skill at first with probability P(L0), learns it after an answer with P(T), and
answers rightly with 1 - P(S) when knowing it and P(G) when not (Corbett & Anderson 1995, User
Modeling and User-Adapted Interaction 4); with forgetting, knowledge is lost with P(F).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._loops import MAX_PARTS, each
from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.calibration._em import Anderson
from edmeasure.errors import BadOption, BadShape
from edmeasure.tracing import _chain_kernels as _tracing_kernels
from edmeasure.tracing._chain_kernels import (
    COULD_FORGET,
    COULD_GUESS,
    COULD_LEARN,
    COULD_SLIP,
    FIRST,
    FORGOT,
    GUESSED,
    LANES,
    LEARNT,
    LOGLIK,
    N_SUMS,
    PADDING,
    SLIPPED,
)
from edmeasure.tracing.interactions import Interactions

LEAST = 1e-9
SHORTEST = 0.25
AT_BOUND = 1e-4
FALL = 1e-10
AGREE = 1e-2
TINY = 1e-12
PART_BLOCKS = 64
USUAL_START = np.array([0.4, 0.15, 0.2, 0.1, 0.05])
LOWEST_START = np.array([0.05, 0.02, 0.05, 0.02, 0.01])
HIGHEST_START = np.array([0.9, 0.5, 0.5, 0.4, 0.2])
OF_GROUPS = ("prior", "learn")


@dataclass(frozen=True, eq=False)
class TracingFit(Exported):
    """Knowledge tracing parameters of skills (S), those of groups as (S, G).

    Attributes
    ----------
    skill_ids, group_ids : arrays of labels
    prior, learn : float64 (S, G)
        Chance of knowing the skill before the first answer, and of learning it after an answer.
    guess, slip, forget : float64 (S,)
        Chance of a right answer without the skill, of a wrong one with it, and of losing it.
    loglik : float64 (S,); n_answers, n_pupils, n_iterations : int64 (S,); converged : bool (S,)
    residual : float64 (S,)
        Largest change of a parameter by one more EM step.
    start_logliks : float64 (S, n_starts)
    histories : tuple of float64 arrays
        Log-likelihood of every accepted step of the best start.
    """

    skill_ids: npt.NDArray[np.generic]
    group_ids: npt.NDArray[np.generic]
    prior: FloatArray
    learn: FloatArray
    guess: FloatArray
    slip: FloatArray
    forget: FloatArray
    loglik: FloatArray
    n_answers: IntArray
    n_pupils: IntArray
    n_iterations: IntArray
    converged: BoolArray
    residual: FloatArray
    start_logliks: FloatArray
    histories: tuple[FloatArray, ...]

    @property
    def agreeing_starts(self) -> IntArray:
        """Starts of every skill that ended within 0.01 of its best log-likelihood."""
        return np.asarray((self.start_logliks > self.loglik[:, None] - AGREE).sum(axis=1), dtype=np.int64)

    @property
    def degenerate(self) -> tuple[tuple[str, str], ...]:
        """Skills whose parameters do not mean what they are called, with the reason."""
        reasons = (
            ("guess above 0.5", self.guess > 0.5),
            ("slip above 0.5", self.slip > 0.5),
            ("guess and slip above 1: knowing it hurts", self.guess + self.slip > 1.0),
            ("nobody learns it", (self.learn < AT_BOUND).all(axis=1)),
            ("everybody knows it from the start", (self.prior > 1.0 - AT_BOUND).all(axis=1)),
        )
        return tuple(
            (str(name), reason) for s, name in enumerate(self.skill_ids) for reason, is_so in reasons if np.asarray(is_so)[s]
        )

    def __str__(self) -> str:
        ends = f"{self.agreeing_starts.min()} of {self.start_logliks.shape[1]} starts or more agree"
        whole = f"knowledge tracing of {self.skill_ids.size} skills, {self.n_answers.sum():,} answers"
        found = f"log-likelihood {self.loglik.sum():.4f}, {self.converged.sum()} converged"
        lines = [f"{whole}: {found}, residual up to {self.residual.max():.1e}, {ends}"]
        for s in range(min(self.skill_ids.size, 10)):
            groups = [
                f"{f'{label}: ' if self.group_ids.size > 1 else ''}prior {prior:.3f}, learn {learn:.3f}"
                for label, prior, learn in zip(self.group_ids, self.prior[s], self.learn[s], strict=True)
            ]
            ends = f"guess {self.guess[s]:.3f}, slip {self.slip[s]:.3f}, forget {self.forget[s]:.3f}"
            lines.append("; ".join([f"skill {self.skill_ids[s]}: {groups[0]}", *groups[1:], ends]))
        lines += [f"skill {name}: {reason}" for name, reason in self.degenerate[:10]]
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class TracedAnswers(Exported):
    """What was known before and after every answer, in the order of the rows.

    Attributes
    ----------
    chance : float64 (n,)
        Chance of a right answer, from earlier answers only.
    known_before, known_after : float64 (n,)
        Chance of mastery before the answer, and after it and the learning that follows.
    """

    chance: FloatArray
    known_before: FloatArray
    known_after: FloatArray

    def __str__(self) -> str:
        return f"{self.chance.size:,} answers: mean chance {self.chance.mean():.3f}, known {self.known_after.mean():.3f} after"


@dataclass(frozen=True, eq=False)
class _Skill:
    """One skill's sequences side by side, and which estimates differ by group."""

    lanes: Int8Array
    block_starts: IntArray
    groups: IntArray
    pupils: FloatArray
    parts: tuple[slice, ...]
    individual: tuple[bool, bool]
    highest: FloatArray

    def image(self, vector: FloatArray, *, in_threads: bool) -> tuple[FloatArray, float]:
        """One EM step and the log-likelihood before it."""
        n_groups = self.pupils.size
        prior, learn, (guess, slip, forget) = np.split(vector, [n_groups, 2 * n_groups])

        def summed(part: slice) -> FloatArray:
            sums = np.zeros((n_groups, N_SUMS))
            starts = self.block_starts[part.start : part.stop + 1]
            groups = self.groups[part.start * LANES : part.stop * LANES]
            _tracing_kernels.expect(self.lanes, starts, groups, prior, learn, guess, slip, forget, sums)
            return sums

        by_part = each(summed, self.parts) if in_threads else [summed(part) for part in self.parts]
        sums = np.sum(by_part, axis=0)
        total = sums.sum(axis=0)
        first = _shares(sums[:, FIRST], self.pupils, is_individual=self.individual[0])
        learnt = _shares(sums[:, LEARNT], sums[:, COULD_LEARN], is_individual=self.individual[1])
        ends = total[[GUESSED, SLIPPED, FORGOT]] / np.maximum(total[[COULD_GUESS, COULD_SLIP, COULD_FORGET]], TINY)
        return self.bounded(np.concatenate([first, learnt, ends])), float(total[LOGLIK])

    def bounded(self, vector: FloatArray) -> FloatArray:
        return np.clip(vector, np.minimum(LEAST, self.highest), self.highest)

    def climb(self, start: FloatArray, max_iterations: int, tolerance: float, *, in_threads: bool) -> _End:
        """EM with Anderson mixing; a step that would lower the likelihood gives way to the plain one."""
        vector = image = best = self.bounded(start)
        mixing, history, residual = Anderson(), [-np.inf], np.inf
        for _ in range(max_iterations):
            stepped, loglik = self.image(vector, in_threads=in_threads)
            if not loglik >= history[-1] - FALL * abs(loglik):
                if not mixing.points:
                    break
                mixing.clear()
                vector = image
                continue
            history.append(loglik)
            best, image = vector, stepped
            residual = float(np.abs(image - vector).max())
            if residual < tolerance:
                break
            # an EM step leaves a bound too slowly to be seen, so mixing may not go there of itself
            proposal = mixing.push(vector, image)
            vector = self.bounded(np.clip(proposal, SHORTEST * image, 1.0 - SHORTEST * (1.0 - image)))
        return _End(best, np.array(history[1:]), residual, residual < tolerance)


@dataclass(frozen=True, eq=False)
class _End:
    vector: FloatArray
    history: FloatArray
    residual: float
    converged: bool


def trace(
    interactions: Interactions,
    *,
    rng: np.random.Generator,
    forgets: bool = False,
    individual: Collection[str] = OF_GROUPS,
    n_starts: int = 5,
    highest_guess: float = 1.0,
    highest_slip: float = 1.0,
    max_iterations: int = 500,
    tolerance: float = 1e-6,
) -> TracingFit:
    """Estimate every skill's parameters by maximum likelihood.

    Parameters
    ----------
    interactions
        Answers with pupils, skills and, for estimates by group, groups.
    rng
        Draws the starts after the first.
    forgets
        Estimate P(F); else knowledge is kept.
    individual
        Which of ``"prior"`` and ``"learn"`` differ between groups of pupils.
    highest_guess, highest_slip
        Bounds that keep estimates meaningful (Baker, Corbett & Aleven 2008 use 0.3 and 0.1).
    tolerance
        A start ends when an EM step moves no parameter by more.

    Raises
    ------
    BadOption

    Notes
    -----
    Expected counts by forward and backward recursions (Baum, Petrie, Soules & Weiss 1970), EM steps
    mixed by Anderson's method. The same to the last bit whatever the number of threads.
    """
    unknown = sorted(set(individual) - set(OF_GROUPS))
    if unknown:
        raise BadOption(f"individual names {unknown}.", remedy="Use 'prior' and 'learn'.")
    if n_starts < 1 or max_iterations < 1:
        raise BadOption("n_starts or max_iterations is below 1.", remedy="Use at least 1.")
    for value, name in ((highest_guess, "highest_guess"), (highest_slip, "highest_slip")):
        if not 0 < value <= 1:
            raise BadOption(f"{name} is {value}.", remedy="Use a bound above 0 and up to 1.")
    _validate.positive(tolerance, "tolerance")
    n_groups, n_skills = interactions.group_ids.size, interactions.skill_ids.size
    bounds = np.array([1 - LEAST, 1 - LEAST, min(highest_guess, 1 - LEAST), min(highest_slip, 1 - LEAST), (1 - LEAST) * forgets])
    repeats = np.array([n_groups, n_groups, 1, 1, 1])
    drawn = rng.uniform(LOWEST_START, HIGHEST_START, (n_skills, n_starts - 1, 5))
    starts = np.concatenate([np.broadcast_to(USUAL_START, (n_skills, 1, 5)), drawn], axis=1)
    problems = _skills(interactions, ("prior" in individual, "learn" in individual), np.repeat(bounds, repeats))

    def ends_of(s: int) -> list[_End]:
        return [
            problems[s].climb(np.repeat(start, repeats), max_iterations, tolerance, in_threads=n_skills == 1)
            for start in starts[s]
        ]

    ends = each(ends_of, range(n_skills))
    return _result(interactions, problems, ends)


def trace_answers(fit: TracingFit, interactions: Interactions) -> TracedAnswers:
    """Follow pupils of any data through their answers with known parameters.

    Every number in a row but ``known_after`` rests on earlier rows only. Skills and groups are
    matched by label; pupils need not be those of the fit.
    """
    skills = _matched(interactions.skill_ids, fit.skill_ids, "Skills")[interactions.sequence_skills]
    groups = _matched(interactions.group_ids, fit.group_ids, "Groups")[interactions.groups[interactions.sequence_pupils]]
    answers = interactions.correct[interactions.rows]
    before, after, chance = np.empty((3, interactions.n))
    _tracing_kernels.walk(
        answers, interactions.starts, skills, groups, fit.prior, fit.learn, fit.guess, fit.slip, fit.forget, before, after, chance
    )
    in_rows = np.empty((3, interactions.n))
    in_rows[:, interactions.rows] = chance, before, after
    return TracedAnswers(*in_rows)


def _matched(labels: npt.NDArray[np.generic], known: npt.NDArray[np.generic], name: str) -> IntArray:
    place = {label: at for at, label in enumerate(known.tolist())}
    strangers = [label for label in labels.tolist() if label not in place]
    if strangers:
        raise BadShape(f"{name} {strangers[:10]} are not in the fit.", remedy="Fit them too, or leave their rows out.")
    return np.array([place[label] for label in labels.tolist()], dtype=np.int64)


def _shares(events: FloatArray, chances: FloatArray, *, is_individual: bool) -> FloatArray:
    """Events per chance, by group or for all groups; a group without chances takes that of all."""
    pooled = events.sum() / max(chances.sum(), TINY)
    if not is_individual:
        return np.full(events.size, pooled)
    return np.where(chances > 0, events / np.maximum(chances, TINY), pooled)


def _skills(interactions: Interactions, individual: tuple[bool, bool], highest: FloatArray) -> list[_Skill]:
    answers = interactions.correct[interactions.rows]
    lengths = np.diff(interactions.starts)
    skills, groups = interactions.sequence_skills, interactions.groups[interactions.sequence_pupils]
    ends = np.searchsorted(skills, np.arange(interactions.skill_ids.size + 1))
    found = []
    for first, last in pairwise(ends):
        # like lengths side by side, so that few steps are padding
        chosen = first + np.argsort(-lengths[first:last], kind="stable")
        block_starts = np.concatenate([[0], np.cumsum(lengths[chosen][::LANES])])
        n_blocks = block_starts.size - 1
        lanes = np.full(block_starts[-1] * LANES, PADDING, dtype=np.int8)
        _tracing_kernels.lay_out(answers, interactions.starts, chosen, block_starts, lanes)
        in_lanes = np.full(n_blocks * LANES, -1, dtype=np.int64)
        in_lanes[: chosen.size] = groups[chosen]
        count = max(1, min(MAX_PARTS, n_blocks // PART_BLOCKS))
        parts = tuple(slice(part * n_blocks // count, (part + 1) * n_blocks // count) for part in range(count))
        pupils = np.bincount(groups[chosen], minlength=interactions.group_ids.size).astype(np.float64)
        found.append(_Skill(lanes, block_starts, in_lanes, pupils, parts, individual, highest))
    return found


def _result(interactions: Interactions, problems: list[_Skill], ends: list[list[_End]]) -> TracingFit:
    n_groups = interactions.group_ids.size
    logliks = np.array([[end.history[-1] for end in of_skill] for of_skill in ends])
    best = [of_skill[int(at)] for of_skill, at in zip(ends, logliks.argmax(axis=1), strict=True)]
    prior, learn, others = np.split(np.array([end.vector for end in best]), [n_groups, 2 * n_groups], axis=1)
    guess, slip, forget = np.ascontiguousarray(others.T)
    return TracingFit(
        skill_ids=interactions.skill_ids,
        group_ids=interactions.group_ids,
        prior=np.ascontiguousarray(prior),
        learn=np.ascontiguousarray(learn),
        guess=guess,
        slip=slip,
        forget=forget,
        loglik=logliks.max(axis=1),
        n_answers=np.bincount(interactions.skills),
        n_pupils=np.array([int(problem.pupils.sum()) for problem in problems]),
        n_iterations=np.array([end.history.size for end in best]),
        converged=np.array([end.converged for end in best]),
        residual=np.array([end.residual for end in best]),
        start_logliks=logliks,
        histories=tuple(end.history for end in best),
    )
