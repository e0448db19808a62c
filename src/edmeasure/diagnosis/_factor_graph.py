"""Items and dependences of attributes as one graph of factors, with the expectation step on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edmeasure import _validate
from edmeasure._loops import each, parts_of
from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.diagnosis import _belief_kernels
from edmeasure.diagnosis.attribute_network import AttributeNetwork

SURE = 1e-4


@dataclass(frozen=True, eq=False)
class FactorGraph:
    """Factors: first the sets of attributes that items require, then every attribute with its parents.

    Attributes
    ----------
    scopes : tuple of tuples of int
        Attributes of every factor; state s has bit i set where the i-th is mastered.
    factor_items, item_start : int64
        Items of every factor.
    item_offset : int64 (J + 1,)
        Where every item's logarithms begin: of wrong answers in all states, then of right ones.
    """

    network: AttributeNetwork
    scopes: tuple[tuple[int, ...], ...]
    n_item_factors: int
    factor_items: IntArray
    item_start: IntArray
    item_offset: IntArray
    scope_start: IntArray
    scope: IntArray
    table_start: IntArray

    @property
    def n_edges(self) -> int:
        return self.scope.size

    def states(self, factor: int) -> Int8Array:
        """Patterns (2^n, n) of a factor's attributes, in the order of its states."""
        size = len(self.scopes[factor])
        return ((np.arange(1 << size)[:, None] >> np.arange(size)) & 1).astype(np.int8)

    def factor_of(self, item: int) -> int:
        """The factor in which an item lies."""
        return int(np.searchsorted(self.item_start, np.flatnonzero(self.factor_items == item)[0], side="right")) - 1


@dataclass(frozen=True, eq=False)
class Expected:
    """What answers say under given parameters."""

    loglik: float
    beliefs: FloatArray
    is_settled: BoolArray
    right: FloatArray
    seen: FloatArray
    families: FloatArray


def factor_graph(network: AttributeNetwork) -> FactorGraph:
    """One factor for all items that require the same attributes, one for every attribute given its parents."""
    required = [tuple(np.flatnonzero(row).tolist()) for row in network.entries]
    kinds = sorted(set(required))
    families = [(*held, k) for k, held in enumerate(network.parents)]
    scopes = (*kinds, *families)
    order = [[j for j, own in enumerate(required) if own == kind] for kind in kinds] + [[] for _ in families]
    sizes = np.array([len(scope) for scope in scopes], dtype=np.int64)
    widths = np.array([2 << len(own) for own in required], dtype=np.int64)
    return FactorGraph(
        network=network,
        scopes=scopes,
        n_item_factors=len(kinds),
        factor_items=np.array([j for items in order for j in items], dtype=np.int64),
        item_start=_starts(np.array([len(items) for items in order], dtype=np.int64)),
        item_offset=_starts(widths),
        scope_start=_starts(sizes),
        scope=np.array([k for scope in scopes for k in scope], dtype=np.int64),
        table_start=_starts(1 << sizes),
    )


def _starts(sizes: IntArray) -> IntArray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def item_logs(graph: FactorGraph, success: FloatArray) -> FloatArray:
    """Logarithms of wrong and right answers, item by item, from chances in every state (half as many)."""
    found = np.empty(graph.item_offset[-1])
    for begin, end in zip(graph.item_offset[:-1].tolist(), graph.item_offset[1:].tolist(), strict=True):
        middle, own = (begin + end) // 2, success[begin // 2 : end // 2]
        found[begin:middle], found[middle:end] = np.log1p(-own), np.log(own)
    return found


def family_tables(graph: FactorGraph, mastered: tuple[FloatArray, ...]) -> FloatArray:
    """Chances of every family's states, 1 for items' factors; ``mastered[k]`` is P(a_k = 1) in every state of the parents."""
    found = np.ones(graph.table_start[-1])
    for k, chances in enumerate(mastered):
        begin = graph.table_start[graph.n_item_factors + k]
        found[begin : begin + chances.size] = 1.0 - chances
        found[begin + chances.size : begin + 2 * chances.size] = chances
    return found


def expect(
    graph: FactorGraph,
    scores: Int8Array,
    weights: FloatArray,
    success: FloatArray,
    mastered: tuple[FloatArray, ...],
    messages: FloatArray,
    *,
    tolerance: float,
    max_sweeps: int,
) -> Expected:
    """Beliefs and expected counts by loopy belief propagation; ``messages`` (n, n_edges) go on from where they are."""
    n = scores.shape[0]
    beliefs, is_settled = np.empty((n, graph.network.n_attributes)), np.empty(n, dtype=np.bool_)
    logs, tables = item_logs(graph, success), family_tables(graph, mastered)

    def of_part(part: slice) -> tuple[float, tuple[FloatArray, FloatArray, FloatArray]]:
        right, seen = np.zeros((2, success.size))
        families = np.zeros(graph.table_start[-1])
        loglik = _belief_kernels.propagate(
            _validate.read_only(scores[part]),
            weights[part],
            graph.factor_items,
            graph.item_start,
            logs,
            graph.item_offset,
            tables,
            graph.scope_start,
            graph.scope,
            graph.table_start,
            tolerance,
            max_sweeps,
            messages[part],
            beliefs[part],
            is_settled[part],
            right,
            seen,
            families,
        )
        return loglik, (right, seen, families)

    found = each(of_part, parts_of(n))
    right, seen, families = (np.sum([one[1][at] for one in found], axis=0) for at in range(3))
    return Expected(sum(one[0] for one in found), beliefs, is_settled, right, seen, families)


def sampled(
    graph: FactorGraph,
    scores: Int8Array,
    success: FloatArray,
    mastered: tuple[FloatArray, ...],
    *,
    rng: np.random.Generator,
    n_draws: int,
    n_batches: int,
) -> FloatArray:
    """Chances by Gibbs sampling in batches (n, n_batches, K), from the pattern of no attribute."""
    order = np.argsort(graph.scope, kind="stable")
    edge_start = np.searchsorted(graph.scope[order], np.arange(graph.network.n_attributes + 1))
    edge_factor = np.repeat(np.arange(len(graph.scopes)), np.diff(graph.scope_start))
    logs, tables = item_logs(graph, success), family_tables(graph, mastered)
    means = np.empty((scores.shape[0], n_batches, graph.network.n_attributes))
    nothing, burn_in = np.zeros(graph.network.n_attributes, dtype=np.int8), n_draws // 4
    for person, own in enumerate(scores):
        luck = rng.random((burn_in + n_draws, graph.network.n_attributes))
        _belief_kernels.sample(
            _validate.read_only(own),
            graph.factor_items,
            graph.item_start,
            logs,
            graph.item_offset,
            tables,
            graph.scope_start,
            graph.scope,
            graph.table_start,
            edge_start,
            order,
            edge_factor,
            nothing,
            luck,
            burn_in,
            means[person],
        )
    return means


def enumerated(
    graph: FactorGraph, scores: Int8Array, success: FloatArray, mastered: tuple[FloatArray, ...]
) -> tuple[FloatArray, FloatArray]:
    """Exact chances (n, K) and log-likelihoods (n,) by going through all patterns."""
    n_attributes = graph.network.n_attributes
    patterns = ((np.arange(1 << n_attributes)[:, None] >> np.arange(n_attributes)) & 1).astype(np.int64)
    logs, joint = item_logs(graph, success), np.zeros((scores.shape[0], patterns.shape[0]))
    with np.errstate(divide="ignore"):
        prior = np.log(family_tables(graph, mastered))
    for factor, scope in enumerate(graph.scopes):
        state = patterns[:, list(scope)] @ (1 << np.arange(len(scope)))
        if factor >= graph.n_item_factors:
            joint += prior[graph.table_start[factor] + state]
        for j in graph.factor_items[graph.item_start[factor] : graph.item_start[factor + 1]].tolist():
            for x in (0, 1):
                who = scores[:, j] == x
                joint[who] += logs[graph.item_offset[j] + x * (1 << len(scope)) + state]
    highest = joint.max(axis=1, keepdims=True)
    weights = np.exp(joint - highest)
    total = weights.sum(axis=1)
    return (weights / total[:, None]) @ patterns, highest[:, 0] + np.log(total)
