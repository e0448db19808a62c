"""The loop of an adaptive test: posterior at nodes, choice of the next item, stopping."""

from __future__ import annotations

import numpy as np

from edmeasure._loops import exact, exact_step
from edmeasure._validate import FloatArray, Int8Array, IntArray

INFORMATION, KULLBACK_LEIBLER = 0, 1
TINY = 1e-300
NEGLIGIBLE = 1e-14
TO_UNIT = 1.0 / 9007199254740992.0

LIMIT, ERROR, LITTLE_LEFT, NO_ITEM, UNANSWERED = range(5)


@exact_step
def uniform(seed: int, draw: int) -> float:
    """A number in [0, 1) that depends on seed and draw alone (SplitMix64; Steele, Lea & Flood 2014)."""
    z = np.uint64(seed) * np.uint64(0xD1342543DE82EF95) + np.uint64(draw + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * TO_UNIT


@exact_step
def _estimate(posterior: FloatArray, nodes: FloatArray) -> tuple[float, float]:
    """Make the posterior add up to one; returns its mean and deviation."""
    total, first, second = 0.0, 0.0, 0.0
    for q in range(nodes.shape[0]):
        total += posterior[q]
    for q in range(nodes.shape[0]):
        posterior[q] /= total
        first += posterior[q] * nodes[q]
    for q in range(nodes.shape[0]):
        second += posterior[q] * (nodes[q] - first) ** 2
    return first, np.sqrt(second)


@exact_step
def _judge(
    method: int,
    left: int,
    share: float,
    posterior: FloatArray,
    probs: FloatArray,
    logs: FloatArray,
    information: FloatArray,
    category_start: IntArray,
    weights: FloatArray,
    expected: FloatArray,
    value: FloatArray,
) -> None:
    """What every item promises at the estimate, which lies ``share`` of the way from node ``left`` to the next."""
    n_items, n_nodes = information.shape
    if method == INFORMATION:
        for j in range(n_items):
            value[j] = (1.0 - share) * information[j, left] + share * information[j, left + 1]
    else:
        expected[:] = 0.0
        # nodes outside, categories inside: no sum is reordered, and vector units can work on many categories
        for q in range(n_nodes):
            if posterior[q] > NEGLIGIBLE:
                for c in range(expected.shape[0]):
                    expected[c] += posterior[q] * logs[q, c]
        for j in range(n_items):
            value[j] = 0.0
            for c in range(category_start[j], category_start[j + 1]):
                here = (1.0 - share) * probs[c, left] + share * probs[c, left + 1]
                value[j] += here * (np.log(max(here, TINY)) - expected[c])
    for j in range(n_items):
        value[j] *= weights[j]


@exact_step
def _next_area(areas: IntArray, is_out: Int8Array, targets: FloatArray, given: FloatArray, n_given: int) -> int:
    """The area that is furthest behind its share and still has an item; -1 without one."""
    area, behind = -1, -1e300
    for j in range(areas.shape[0]):
        a = areas[j]
        if is_out[j] == 0 and a != area:
            lack = targets[a] - given[a] / max(n_given, 1)
            if lack > behind or (lack == behind and a < area):
                area, behind = a, lack
    return area


@exact_step
def _best_of(area: int, areas: IntArray, is_out: Int8Array, value: FloatArray, best: IntArray) -> int:
    """Fill ``best`` with the best items of an area, the first of equals first; returns how many there are."""
    among = best.shape[0]
    found = 0
    for j in range(areas.shape[0]):
        if is_out[j] != 0 or areas[j] != area:
            continue
        at = min(found, among - 1)
        if found >= among and value[j] <= value[best[at]]:
            continue
        while at > 0 and value[j] > value[best[at - 1]]:
            best[at] = best[at - 1]
            at -= 1
        best[at] = j
        found = min(found + 1, among)
    return found


@exact
def run(
    answers: Int8Array,
    seeds: IntArray,
    nodes: FloatArray,
    prior: FloatArray,
    probs: FloatArray,
    logs: FloatArray,
    information: FloatArray,
    category_start: IntArray,
    areas: IntArray,
    targets: FloatArray,
    weights: FloatArray,
    chances: FloatArray,
    method: int,
    among: int,
    limits: FloatArray,
    items: IntArray,
    theta: FloatArray,
    se: FloatArray,
    reasons: IntArray,
    proposed: IntArray,
) -> None:
    """Test every person; ``items`` (n, longest) is filled with the items in order, -1 after the last.

    ``limits`` are the fewest and most items, the error to reach and the least information of an item;
    an item whose answer is negative ends the test as its last item. ``proposed`` counts how often each
    item was chosen, whether or not its chance let it be given.
    """
    n_items, n_nodes = information.shape
    posterior, value, expected = np.empty(n_nodes), np.empty(n_items), np.empty(probs.shape[0])
    is_out = np.empty(n_items, dtype=np.int8)
    given = np.empty(targets.shape[0])
    best = np.empty(among, dtype=np.int64)
    step_width = nodes[1] - nodes[0]
    for i in range(answers.shape[0]):
        posterior[:] = prior
        is_out[:] = 0
        given[:] = 0.0
        n_given = 0
        while True:
            first, se[i] = _estimate(posterior, nodes)
            theta[i] = first
            if n_given >= limits[1]:
                reasons[i] = LIMIT
                break
            if n_given >= limits[0] and se[i] <= limits[2]:
                reasons[i] = ERROR
                break
            left = min(max(int((first - nodes[0]) / step_width), 0), n_nodes - 2)
            share = min(max((first - nodes[left]) / step_width, 0.0), 1.0)
            _judge(method, left, share, posterior, probs, logs, information, category_start, weights, expected, value)
            chosen = -1
            is_little = False
            while chosen < 0:
                area = _next_area(areas, is_out, targets, given, n_given)
                if area < 0:
                    break
                found = _best_of(area, areas, is_out, value, best)
                pick = best[int(uniform(seeds[i], n_items + n_given) * found)] if among > 1 else best[0]
                proposed[pick] += 1
                is_out[pick] = 1
                if uniform(seeds[i], pick) >= chances[pick]:
                    continue
                now = (1.0 - share) * information[pick, left] + share * information[pick, left + 1]
                is_little = n_given >= limits[0] and now < limits[3]
                chosen = pick
            if chosen < 0 or is_little:
                reasons[i] = LITTLE_LEFT if is_little else NO_ITEM
                break
            items[i, n_given] = chosen
            x = np.int64(answers[i, chosen])
            if x < 0:
                reasons[i] = UNANSWERED
                break
            given[areas[chosen]] += 1.0
            n_given += 1
            for q in range(n_nodes):
                posterior[q] *= probs[category_start[chosen] + x, q]
