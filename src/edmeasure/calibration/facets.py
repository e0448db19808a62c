"""Many-facet Rasch model: points that depend on pupil, task, and who judged, when or where.

Model (Linacre 1989): for a pupil of ability theta, item i and levels l of the facets f (rater,
occasion, ...), in logits,

    log P(k) / P(k - 1) = theta - b_i - t_ik - sum_f s_fl,     theta ~ N(0, sd^2),

with severities s of each facet and steps t of each item adding up to zero. Every combination of
item and levels is one item of a partial credit model with a common slope, whose intercepts are
linear in b, t and s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.calibration import _calibration, _em, _information, _packing
from edmeasure.calibration.certificate import Certificate, certify
from edmeasure.calibration.irt import IRTFit
from edmeasure.calibration.priors import ItemPriors
from edmeasure.errors import BadOption, BadScore, BadShape
from edmeasure.responses import Responses

SEPARATOR = "|"


@dataclass(frozen=True)
class Facet(Exported):
    """Severities in logits, adding up to zero, with errors; a higher one means fewer points."""

    name: str
    levels: tuple[str, ...]
    severities: FloatArray
    errors: FloatArray

    def __str__(self) -> str:
        rows = zip(self.levels, self.severities, self.errors, strict=True)
        return f"{self.name}: " + ", ".join(f"{level} {value:+.2f} ({error:.2f})" for level, value, error in rows)


@dataclass(frozen=True, eq=False)
class FacetFit(Exported):
    """A many-facet calibration.

    Attributes
    ----------
    item_ids : tuple of str
    difficulties, difficulty_errors : float64 (J,)
        In logits.
    facets : tuple of Facet
    sd : float
        Deviation of ability in logits.
    fit : IRTFit
        Every combination as an item ``item|level|...``, on the scale where ability has deviation one.
    responses : Responses
        The points by person and combination: score them with ``fit``, and abilities are free of severity.
    """

    item_ids: tuple[str, ...]
    difficulties: FloatArray
    difficulty_errors: FloatArray
    facets: tuple[Facet, ...]
    sd: float
    sd_error: float
    person_ids: tuple[str, ...]
    fit: IRTFit
    responses: Responses

    def __str__(self) -> str:
        lines = [
            f"facets: {len(self.item_ids)} items, {len(self.person_ids):,} persons, "
            f"log-likelihood {self.fit.loglik:.4f}, sd of ability {self.sd:.3f} ({self.sd_error:.3f}) logits"
            + ("" if self.fit.converged else ", NOT CONVERGED")
        ]
        return "\n".join([*lines, *map(str, self.facets)])


@dataclass(frozen=True, eq=False)
class Ratings:
    """Points by person and combination; the item and the facets' levels of every combination."""

    responses: Responses
    person_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    tops: IntArray
    levels: tuple[tuple[str, ...], ...]
    item: IntArray
    level: IntArray


def calibrate_facets(
    *,
    persons: npt.ArrayLike,
    items: npt.ArrayLike,
    scores: npt.ArrayLike,
    facets: Mapping[str, npt.ArrayLike],
    n_nodes: int = 61,
    bound: float = 6.0,
    max_iterations: int = 500,
    tolerance: float = 1e-6,
) -> FacetFit:
    """Calibrate ratings given one per row: who was judged, on what, with how many points, at which levels.

    Parameters
    ----------
    persons, items, scores : (n_ratings,)
        Labels, labels, and whole points from 0; a negative score is no rating.
    facets
        Label of every rating by facet, as ``{"rater": [...], "occasion": [...]}``.

    Raises
    ------
    BadShape
        When columns differ in length or two ratings fall on one combination of one person.
    BadOption
        When severities and difficulties cannot be told apart: raters who have no item in common.
    """
    ratings = _combined(persons, items, scores, facets)
    design = _design(ratings)
    responses = ratings.responses
    weights = np.ones(responses.n_persons)
    problem = _problem(responses, weights, design, n_nodes, bound)
    _, sums = _packing.count_answers(responses.scores, responses.max_scores, weights)
    first = _em.starting_values(problem, sums)
    first.intercepts = np.einsum("ce,e->c", design, _em.effects_of(design, first.intercepts))
    state, trace = _em.maximize(problem, first, max_iterations=max_iterations, tolerance=tolerance, loglik_tolerance=1e-9)
    reach = _reach(problem, design)
    gradient, information = _information.observed_information(problem, state, responses.scores, weights)
    own = reach.T @ information @ reach
    covariance = np.asarray(np.linalg.pinv(own, hermitian=True), dtype=np.float64)
    evidence = certify(problem, state, trace, responses.item_ids, None, [state.loglik], ("",))
    is_maximum = bool(np.linalg.eigvalsh(own).min() > 0)
    evidence = replace(evidence, gradient_norm=float(np.abs(reach.T @ gradient).max()), is_maximum=is_maximum)
    fit = _item_fit(responses, problem, state, trace, evidence)
    return _result(ratings, list(facets), fit, _em.effects_of(design, state.intercepts), covariance)


def _combined(
    persons: npt.ArrayLike, items: npt.ArrayLike, scores: npt.ArrayLike, facets: Mapping[str, npt.ArrayLike]
) -> Ratings:
    """One row per person and one column per combination of item and levels that occurs."""
    points = _validate.score_matrix(np.asarray(scores)[:, None])[:, 0]
    n = points.size
    person_ids, person = _validate.group_codes(persons, n)
    item_ids, item = _validate.group_codes(items, n)
    coded = [_validate.group_codes(labels, n) for labels in facets.values()]
    keys, column = np.unique(np.stack([item, *(codes for _, codes in coded)], axis=1), axis=0, return_inverse=True)
    if np.unique(person * len(keys) + column).size < n:
        raise BadShape(
            "A person has two ratings of one item at the same levels.", remedy="Name what tells them apart as a facet."
        )
    matrix = np.full((person_ids.size, len(keys)), _validate.MISSING, dtype=np.int8)
    matrix[person, column] = points
    tops = np.zeros(item_ids.size, dtype=np.int64)
    np.maximum.at(tops, item, points.astype(np.int64))
    for i, top in enumerate(tops):
        unused = sorted(set(range(int(top) + 1)) - set(points[item == i].tolist()))
        if unused or top == 0:
            raise BadScore(
                f"Nobody got {unused or [1]} points on {item_ids[i]}.", remedy="Join those points, or leave the item out."
            )
    levels = tuple(tuple(str(label) for label in labels.tolist()) for labels, _ in coded)
    names = [
        SEPARATOR.join([str(item_ids[key[0]]), *(levels[f][level] for f, level in enumerate(key[1:]))]) for key in keys.tolist()
    ]
    responses = Responses.from_array(matrix, max_scores=tops[keys[:, 0]], item_ids=names)
    return Ratings(
        responses=responses,
        person_ids=tuple(str(label) for label in person_ids.tolist()),
        item_ids=tuple(str(label) for label in item_ids.tolist()),
        tops=tops,
        levels=levels,
        item=keys[:, 0],
        level=keys[:, 1:],
    )


def _design(ratings: Ratings) -> FloatArray:
    """Intercepts from an effect per step of every item, and one per level of every facet but the last."""
    starts = _packing.category_starts(ratings.responses.max_scores)
    combination, category = _em.categories(starts)
    first_step = np.concatenate([[0], np.cumsum(ratings.tops)])
    design = np.zeros((category.size, int(first_step[-1])))
    scored = np.flatnonzero(category > 0)
    design[scored, first_step[ratings.item[combination[scored]]] + category[scored] - 1] = 1.0
    columns = [design]
    for f, levels in enumerate(ratings.levels):
        columns.append(-category[:, None] * _contrasts(len(levels))[ratings.level[combination, f]])
    every = np.concatenate(columns, axis=1)
    if np.linalg.matrix_rank(every) < every.shape[1]:
        raise BadOption(
            "Severities and difficulties cannot be told apart.",
            remedy="Let levels of every facet have items and levels in common.",
        )
    return every


def _contrasts(n_levels: int) -> FloatArray:
    """Levels from all but the last, which is minus their sum."""
    return np.concatenate([np.eye(n_levels - 1), -np.ones((1, n_levels - 1))])


def _problem(responses: Responses, weights: FloatArray, design: FloatArray, n_nodes: int, bound: float) -> _em.Problem:
    n = responses.n_persons
    one = _calibration.grouping(None, n, reference=None, latent_density="normal", is_fixed=False)
    held = np.zeros(responses.n_items, dtype=np.bool_)
    # every category counts as used: its intercept rests on ratings at other levels too
    used = np.ones(design.shape[0], dtype=np.int64)
    names = ("PCM",) * responses.n_items
    problem = _calibration.problem_of(responses, weights, one, names, ItemPriors(), held, used, n_nodes=n_nodes, bound=bound)
    return replace(problem, design=design)


def _reach(problem: _em.Problem, design: FloatArray) -> FloatArray:
    """Derivatives of all slopes and intercepts by the common slope and the effects."""
    is_slope = np.zeros((design.shape[0], 1))
    is_slope[problem.category_start[:-1]] = 1.0
    return np.concatenate([is_slope, design], axis=1)


def _item_fit(responses: Responses, problem: _em.Problem, state: _em.State, trace: _em.Trace, evidence: Certificate) -> IRTFit:
    """Every combination as an item; errors belong to the effects."""
    intercepts = np.full((responses.n_items, int(responses.max_scores.max()) + 1), np.nan)
    for j, part in enumerate(problem.item_parts):
        intercepts[j, : part.stop - part.start] = state.intercepts[part]
    return IRTFit(
        item_ids=responses.item_ids,
        max_scores=responses.max_scores,
        slopes=state.slopes,
        intercepts=intercepts,
        slope_se=np.full(state.slopes.size, np.nan),
        intercept_se=np.full(intercepts.shape, np.nan),
        loglik=state.loglik,
        n_iterations=len(trace.changes),
        converged=trace.converged,
        certificate=evidence,
        history=trace.logliks,
        excluded=(),
        unused_categories=(),
        nodes=problem.nodes,
        node_weights=problem.node_weights,
        models=tuple("1PL" if top == 1 else "PCM" for top in responses.max_scores),
    )


def _result(ratings: Ratings, names: list[str], fit: IRTFit, effects: FloatArray, covariance: FloatArray) -> FacetFit:
    errors = np.sqrt(np.diag(covariance))
    last_steps = np.cumsum(ratings.tops) - 1
    at = int(ratings.tops.sum())
    facets = []
    for name, levels in zip(names, ratings.levels, strict=True):
        own = slice(at, at + len(levels) - 1)
        contrasts, spread = _contrasts(len(levels)), covariance[1:, 1:][own, own]
        error = np.sqrt(np.diag(contrasts @ spread @ contrasts.T))
        facets.append(Facet(name, levels, contrasts @ effects[own], error))
        at = own.stop
    return FacetFit(
        item_ids=ratings.item_ids,
        difficulties=-effects[last_steps] / ratings.tops,
        difficulty_errors=errors[1:][last_steps] / ratings.tops,
        facets=tuple(facets),
        sd=float(fit.slopes[0]),
        sd_error=float(errors[0]),
        person_ids=ratings.person_ids,
        fit=fit,
        responses=ratings.responses,
    )
