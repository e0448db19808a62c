"""Loops over pupils' earlier answers: features of practice, and the Newton sums of a logistic model on them."""

from __future__ import annotations

import numpy as np

from edmeasure._loops import exact, exact_step
from edmeasure._validate import FloatArray, Int8Array, IntArray

KINDS = (
    "intercept",
    "count",
    "right",
    "wrong",
    "log-count",
    "log-right",
    "log-wrong",
    "decayed-share",
    "decayed-logit",
    "recency",
    "age",
    "spacing",
)
INTERCEPT, COUNT, RIGHT, WRONG, LOG_COUNT, LOG_RIGHT, LOG_WRONG, SHARE, LOGIT, RECENCY, AGE, SPACING = range(len(KINDS))

SHORTEST_GAP = 1.0
GHOSTS = 3
ELAPSED_POWER = 0.6
PRACTICE_POWER = 0.1
SEEN_HALF = 0.5


@exact_step
def _spaced(rows: IntArray, first: int, t: int, clock: FloatArray, decay: float, slope: float, lags: float) -> float:
    """Strength after spaced practice: N^c T^-(b + m mean(1 / ln(lag + e))), T the weighted time since."""
    n = t - first
    if n == 0:
        return 0.0
    whole, elapsed = 0.0, 0.0
    for i in range(first, t):
        since = max(clock[rows[t]] - clock[rows[i]], SHORTEST_GAP)
        weight = since**-ELAPSED_POWER
        whole += weight
        elapsed += weight * since
    power = decay if n == 1 else decay + slope * lags / (n - 1)
    return float(n**PRACTICE_POWER * (elapsed / whole) ** -power)


@exact
def fill_feature(
    kind: int,
    first_parameter: float,
    second_parameter: float,
    rows: IntArray,
    starts: IntArray,
    correct: Int8Array,
    clock: FloatArray,
    column: FloatArray,
) -> None:
    """One feature of every row, from earlier rows of its sequence and its own time."""
    ghosts = 0.0
    for _ in range(GHOSTS):
        ghosts = first_parameter * (ghosts + 1.0)
    for i in range(starts.shape[0] - 1):
        first = starts[i]
        right, recent, recent_right, recent_wrong, whole, lags = 0.0, 0.0, 0.0, 0.0, ghosts, 0.0
        for t in range(first, starts[i + 1]):
            row, n = rows[t], float(t - first)
            gap = max(clock[row] - clock[rows[t - 1]], SHORTEST_GAP) if t > first else 0.0
            if t > first + 1:
                lags += 1.0 / np.log(max(clock[rows[t - 1]] - clock[rows[t - 2]], SHORTEST_GAP) + np.e)
            value = 1.0
            if kind == COUNT:
                value = n
            elif kind == RIGHT:
                value = right
            elif kind == WRONG:
                value = n - right
            elif kind == LOG_COUNT:
                value = np.log1p(n)
            elif kind == LOG_RIGHT:
                value = np.log1p(right)
            elif kind == LOG_WRONG:
                value = np.log1p(n - right)
            elif kind == SHARE:
                value = recent / whole
            elif kind == LOGIT:
                value = np.log((SEEN_HALF + recent_right) / (SEEN_HALF + recent_wrong))
            elif kind == RECENCY:
                value = gap**-first_parameter if t > first else 0.0
            elif kind == AGE:
                since = max(clock[row] - clock[rows[first]], SHORTEST_GAP)
                value = np.log1p(n) * since**-first_parameter
            elif kind == SPACING:
                value = _spaced(rows, first, t, clock, first_parameter, second_parameter, lags)
            column[row] = value
            x = float(correct[row])
            right += x
            recent = first_parameter * (recent + x)
            whole = first_parameter * (whole + 1.0)
            recent_right = first_parameter * recent_right + x
            recent_wrong = first_parameter * recent_wrong + 1.0 - x


@exact
def newton_sums(
    skills: IntArray,
    correct: Int8Array,
    own: FloatArray,
    shared: FloatArray,
    weights: FloatArray,
    common: FloatArray,
    own_slope: FloatArray,
    common_slope: FloatArray,
    own_bend: FloatArray,
    cross_bend: FloatArray,
    common_bend: FloatArray,
) -> float:
    """Add slope and negative curvature of the log-likelihood; returns the log-likelihood.

    ``own`` (n, k) are features with a weight for every skill, ``shared`` (n, m) those with one for all.
    """
    k, m = own.shape[1], shared.shape[1]
    total = 0.0
    for row in range(skills.shape[0]):
        s = skills[row]
        logit = 0.0
        for a in range(k):
            logit += weights[s, a] * own[row, a]
        for b in range(m):
            logit += common[b] * shared[row, b]
        signed = logit if correct[row] == 1 else -logit
        small = np.exp(-abs(signed))
        total -= np.log1p(small) + max(-signed, 0.0)
        chance = 1.0 / (1.0 + np.exp(-logit))
        rest, spread = correct[row] - chance, chance * (1.0 - chance)
        for a in range(k):
            own_slope[s, a] += rest * own[row, a]
            scaled = spread * own[row, a]
            for other in range(a + 1):
                own_bend[s, a, other] += scaled * own[row, other]
            for b in range(m):
                cross_bend[s, a, b] += scaled * shared[row, b]
        for b in range(m):
            common_slope[b] += rest * shared[row, b]
            scaled = spread * shared[row, b]
            for other in range(b + 1):
                common_bend[b, other] += scaled * shared[row, other]
    return total
