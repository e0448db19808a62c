"""Cognitive diagnosis with dozens of attributes, whose patterns are too many to count.

Attributes depend on each other along an `AttributeNetwork`, items on theirs. Beliefs about a person's attributes come
from loopy belief propagation (Pearl 1988; Murphy, Weiss & Jordan 1999), exact where items and dependences form a tree and
an approximation elsewhere, whose error `check_beliefs` measures on the data at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.calibration._em import Anderson
from edmeasure.diagnosis import _factor_graph
from edmeasure.diagnosis._factor_graph import Expected, FactorGraph, factor_graph
from edmeasure.diagnosis.attribute_network import AttributeNetwork
from edmeasure.errors import BadOption, BadScore, BadShape, NothingToCalibrate
from edmeasure.responses import Responses, unit_weights

MODELS = ("dina", "dino", "gdina")
SURE = 1e-4
PRIOR_ANSWERS = 1.0
USUAL_FAILURE = 0.2
JITTER = 0.1
STEP_SWEEPS = 6
LAST_SWEEPS = 400
STEP_TOLERANCE, LAST_TOLERANCE = 1e-3, 1e-7
TREE_STEPS = 15
FALL = 1e-6
MOST_STEPS_DOWN = 3


@dataclass(frozen=True, eq=False)
class StructuredDiagnosis(Exported):
    """Items, attributes and their dependences.

    Attributes
    ----------
    network : AttributeNetwork
        With the tree learnt from the data, where none was given.
    item_ids : tuple of str; models : tuple of str
    success : tuple of float64 arrays
        Of every item, in every state of its attributes: bit i of the place stands for the i-th of them.
    guessing, slip : float64 (J,)
        Wrong and right answers of those without and with all its attributes.
    mastered : tuple of float64 arrays
        Of every attribute, P(mastered) in every state of its parents; 0 without a prerequisite.
    prevalence : float64 (K,)
    loglik : float
        Bethe's approximation.
    history : float64
    start_logliks : float64 (n_starts,)
    converged : bool
    unsettled : float
        Share of persons whose messages still moved after 400 sweeps; their beliefs are not to be used.
    """

    network: AttributeNetwork
    item_ids: tuple[str, ...]
    models: tuple[str, ...]
    success: tuple[FloatArray, ...]
    guessing: FloatArray
    slip: FloatArray
    mastered: tuple[FloatArray, ...]
    prevalence: FloatArray
    loglik: float
    history: FloatArray
    start_logliks: FloatArray
    converged: bool
    unsettled: float

    def _columns(self) -> Mapping[str, object]:
        return {"item": self.item_ids, "guessing": self.guessing, "slip": self.slip}

    def __str__(self) -> str:
        shares = ", ".join(
            f"{name} {share:.3f}" for name, share in zip(self.network.attribute_names[:12], self.prevalence, strict=False)
        )
        more = f" and {self.prevalence.size - 12} more" if self.prevalence.size > 12 else ""
        return "\n".join(
            [
                f"structured diagnosis: {len(self.item_ids)} items, {self.prevalence.size} attributes, "
                f"{sum(map(len, self.network.parents))} edges, approximate log-likelihood {self.loglik:.4f}, "
                f"{self.history.size} steps" + ("" if self.converged else ", NOT CONVERGED"),
                f"guessing {self.guessing.mean():.3f}, slip {self.slip.mean():.3f} on average",
                f"beliefs of {self.unsettled:.2%} of persons did not settle",
                f"mastered: {shares}{more}",
            ]
        )


@dataclass(frozen=True, eq=False)
class AttributeBeliefs(Exported):
    """Attributes of persons.

    Attributes
    ----------
    attribute_names : tuple of str
    probabilities : float64 (n, K)
        Chance that the person masters the attribute, by belief propagation.
    is_settled : bool (n,)
    attribute_accuracy : float64 (K,)
        Expected share of persons classified rightly, if model and beliefs hold.
    """

    attribute_names: tuple[str, ...]
    probabilities: FloatArray
    is_settled: BoolArray
    attribute_accuracy: FloatArray

    @property
    def masters(self) -> BoolArray:
        """Whether each attribute is more likely mastered than not."""
        return self.probabilities > 0.5

    def uncertain(self, *, below: float = 0.8) -> BoolArray:
        """Attributes (n, K) that are known with less than this chance either way."""
        return np.maximum(self.probabilities, 1.0 - self.probabilities) < below

    def _columns(self) -> Mapping[str, object]:
        chances = dict(zip(self.attribute_names, np.ascontiguousarray(self.probabilities.T), strict=True))
        return {**chances, "is_settled": self.is_settled}

    def __str__(self) -> str:
        low, high = self.attribute_accuracy.min(), self.attribute_accuracy.max()
        return (
            f"beliefs about {len(self.attribute_names)} attributes of {self.is_settled.size:,} persons: accuracy {low:.3f} to "
            f"{high:.3f}, {1.0 - self.is_settled.mean():.2%} did not settle"
        )


def diagnose_structured(
    responses: Responses,
    network: AttributeNetwork,
    *,
    rng: np.random.Generator,
    model: str = "dina",
    n_starts: int = 2,
    max_iterations: int = 200,
    tolerance: float = 1e-3,
) -> StructuredDiagnosis:
    """Estimate items and dependences of up to 256 attributes.

    Parameters
    ----------
    responses
        Right/wrong items, matched by id; negative codes count as missing.
    rng
        Draws the starts after the first.
    model
        ``"dina"``, ``"dino"`` or ``"gdina"``, for all items.
    tolerance
        Largest change of a chance by a step at which iteration stops.

    Raises
    ------
    NothingToCalibrate, BadOption, BadScore, BadShape

    Notes
    -----
    EM with beliefs in place of posteriors: the log-likelihood is Bethe's approximation, and steps need not raise it.
    Every chance has the weight of one imagined answer at its usual value, which keeps it off 0 and 1. With 12 attributes
    or fewer use `diagnose`, which is exact, with errors and free patterns.
    """
    _validate.choice(model, "model", MODELS)
    _validate.positive(tolerance, "tolerance")
    if n_starts < 1 or max_iterations < 1:
        raise BadOption("n_starts or max_iterations is below 1.", remedy="Use at least 1.")
    scores = _scores(responses, network)
    weights = np.where((scores >= 0).any(axis=1), unit_weights(responses, None), 0.0)
    network = _network_of(responses, network)
    chances = rng.uniform(-JITTER, JITTER, (n_starts, network.n_attributes)) * (np.arange(n_starts) > 0)[:, None]
    if not network.is_given:
        loose = _Climb(factor_graph(network), scores, weights, model)
        beliefs = loose.run(loose.start(chances[0]), TREE_STEPS, tolerance).beliefs
        network = network.with_tree(beliefs, weights)
    climb = _Climb(factor_graph(network), scores, weights, model)
    ends = [climb.run(climb.start(shift), max_iterations, tolerance) for shift in chances]
    best = max(ends, key=lambda end: end.loglik)
    success, mastered = climb.split(best.vector)
    by_item = tuple(success[b // 2 : e // 2] for b, e in zip(climb.graph.item_offset, climb.graph.item_offset[1:], strict=False))
    return StructuredDiagnosis(
        network=network,
        item_ids=responses.item_ids,
        models=(model,) * len(responses.item_ids),
        success=by_item,
        guessing=np.array([own[0] for own in by_item]),
        slip=np.array([1.0 - own[-1] for own in by_item]),
        mastered=mastered,
        prevalence=np.asarray(weights @ best.beliefs / weights.sum()),
        loglik=best.loglik,
        history=best.history,
        start_logliks=np.array([end.loglik for end in ends]),
        converged=best.converged,
        unsettled=float(1.0 - best.is_settled.mean()),
    )


def believe(fit: StructuredDiagnosis, responses: Responses) -> AttributeBeliefs:
    """Chances of every person's attributes, for any pattern of missing answers."""
    graph, scores = placed(fit, responses)
    messages = np.zeros((scores.shape[0], graph.n_edges))
    found = expected_of(fit, graph, scores, responses.weights, messages)
    share = responses.weights / responses.weights.sum()
    sure = np.maximum(found.beliefs, 1.0 - found.beliefs)
    return AttributeBeliefs(fit.network.attribute_names, found.beliefs, found.is_settled, share @ sure)


@dataclass(frozen=True, eq=False)
class _End:
    vector: FloatArray
    loglik: float
    history: FloatArray
    beliefs: FloatArray
    is_settled: BoolArray
    converged: bool


class _Climb:
    """EM on one graph; the vector holds chances of items' states, then of attributes given their parents."""

    def __init__(self, graph: FactorGraph, scores: Int8Array, weights: FloatArray, model: str) -> None:
        self.graph, self.scores, self.weights = graph, scores, weights
        n_items = graph.item_offset.size - 1
        self.n_success = int(graph.item_offset[-1]) // 2
        usual, group = [], []
        for j in range(n_items):
            states = graph.states(graph.factor_of(j))
            share = _share_of(states, model)
            usual.append(USUAL_FAILURE + (1.0 - 2.0 * USUAL_FAILURE) * share)
            first = graph.item_offset[j] // 2
            group.append(first + (np.arange(share.size) if model == "gdina" else share.astype(np.int64)))
        self.usual, self.group = np.concatenate(usual), np.concatenate(group)
        self.parts = np.cumsum([1 << len(held) for held in graph.network.parents])[:-1]
        self.is_barred = np.concatenate([_barred(graph.network, k) for k in range(graph.network.n_attributes)])

    def start(self, shift: FloatArray) -> FloatArray:
        """Items at their usual chances, attributes at one half, moved by ``shift``."""
        sizes = [1 << len(held) for held in self.graph.network.parents]
        chances = np.where(self.is_barred, 0.0, np.repeat(0.5 + shift, sizes))
        return np.concatenate([self.usual, chances])

    def split(self, vector: FloatArray) -> tuple[FloatArray, tuple[FloatArray, ...]]:
        return vector[: self.n_success], tuple(np.split(vector[self.n_success :], self.parts))

    def image(self, expected: Expected) -> FloatArray:
        """Chances from expected counts."""
        right, seen = (np.bincount(self.group, given, self.n_success) for given in (expected.right, expected.seen))
        held = (right + PRIOR_ANSWERS * self.usual[self.group_first]) / (seen + PRIOR_ANSWERS)
        success = np.clip(held[self.group], SURE, 1.0 - SURE)
        chances = []
        for k, parents in enumerate(self.graph.network.parents):
            begin, width = self.graph.table_start[self.graph.n_item_factors + k], 1 << len(parents)
            lacked, mastered = expected.families[begin : begin + 2 * width].reshape(2, width)
            chances.append((mastered + 0.5 * PRIOR_ANSWERS) / (lacked + mastered + PRIOR_ANSWERS))
        return np.concatenate([success, np.where(self.is_barred, 0.0, np.clip(np.concatenate(chances), SURE, 1.0 - SURE))])

    @property
    def group_first(self) -> IntArray:
        """A state of every group, by the group's number."""
        found = np.zeros(self.n_success, dtype=np.int64)
        found[self.group[::-1]] = np.arange(self.n_success)[::-1]
        return found

    def expect(self, vector: FloatArray, messages: FloatArray, *, is_last: bool) -> Expected:
        success, mastered = self.split(vector)
        tolerance, sweeps = (LAST_TOLERANCE, LAST_SWEEPS) if is_last else (STEP_TOLERANCE, STEP_SWEEPS)
        given = self.graph, self.scores, self.weights, success, mastered, messages
        return _factor_graph.expect(*given, tolerance=tolerance, max_sweeps=sweeps)

    def run(self, vector: FloatArray, max_iterations: int, tolerance: float) -> _End:
        """EM, its steps mixed by Anderson's method while that does not lower the likelihood."""
        messages = np.zeros((self.scores.shape[0], self.graph.n_edges))
        mixing, image, converged = Anderson(), vector, False
        history: list[float] = []
        for _ in range(max_iterations):
            expected = self.expect(vector, messages, is_last=False)
            if history and expected.loglik < history[-1] - FALL * abs(history[-1]) and mixing.points:
                mixing.clear()
                vector = image
                history.append(history[-1])
                continue
            history.append(expected.loglik)
            image = self.image(expected)
            converged = bool(np.abs(image - vector).max() < tolerance)
            if converged:
                break
            proposal = mixing.push(vector, image)
            proposal[self.n_success :][self.is_barred] = 0.0
            vector = np.clip(proposal, 0.25 * image, 1.0 - 0.25 * (1.0 - image))
        found = self.expect(image, messages, is_last=True)
        return _End(image, found.loglik, np.array([*history, found.loglik]), found.beliefs, found.is_settled, converged)


def _share_of(states: Int8Array, model: str) -> FloatArray:
    """How much of what an item wants a state has: all or nothing, or the share of attributes."""
    if model == "dina":
        return np.asarray(states.min(axis=1), dtype=np.float64)
    return np.asarray(states.max(axis=1) if model == "dino" else states.mean(axis=1), dtype=np.float64)


def _barred(network: AttributeNetwork, k: int) -> BoolArray:
    """States of an attribute's parents in which a prerequisite is lacking."""
    parents, needed = network.parents[k], network.needed(k)
    states = (np.arange(1 << len(parents))[:, None] >> np.arange(len(parents))) & 1
    return np.asarray((states[:, needed] == 0).any(axis=1))


def _scores(responses: Responses, network: AttributeNetwork) -> Int8Array:
    strangers = [name for name in responses.item_ids if name not in network.item_ids]
    if strangers:
        raise BadShape(f"Items {strangers[:10]} are not in the network.", remedy="Add their rows, or leave them out.")
    if responses.scores.size and responses.scores.max() > 1:
        raise BadScore("Some scores are above 1.", remedy="Score these items right/wrong.")
    if not (responses.scores >= 0).any():
        raise NothingToCalibrate("Nobody answered anything.", remedy="Pass at least a few hundred persons.")
    return responses.scores


def _network_of(responses: Responses, network: AttributeNetwork) -> AttributeNetwork:
    """The network with items in the order of the answers."""
    place = {name: j for j, name in enumerate(network.item_ids)}
    entries = np.ascontiguousarray(network.entries[[place[name] for name in responses.item_ids]])
    unasked = [network.attribute_names[k] for k in np.flatnonzero(entries.sum(axis=0) == 0)]
    if unasked:
        raise BadOption(f"No item of the answers requires the attributes {unasked[:10]}.", remedy="Leave them out.")
    return replace(network, entries=entries, item_ids=responses.item_ids)


def placed(fit: StructuredDiagnosis, responses: Responses) -> tuple[FactorGraph, Int8Array]:
    """The fit's graph, and scores with all its items, missing where they were not given."""
    scores = _scores(responses, fit.network)
    place = {name: j for j, name in enumerate(fit.item_ids)}
    whole = np.full((scores.shape[0], len(fit.item_ids)), _validate.MISSING, dtype=np.int8)
    whole[:, [place[name] for name in responses.item_ids]] = scores
    return factor_graph(fit.network), whole


def expected_of(
    fit: StructuredDiagnosis, graph: FactorGraph, scores: Int8Array, weights: FloatArray, messages: FloatArray
) -> Expected:
    """Beliefs under the fit's parameters, swept until they settle."""
    success = np.concatenate(fit.success)
    return _factor_graph.expect(
        graph, scores, weights, success, fit.mastered, messages, tolerance=LAST_TOLERANCE, max_sweeps=LAST_SWEEPS
    )
