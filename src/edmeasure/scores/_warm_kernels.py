"""Loops over persons for weighted likelihood estimates."""

from __future__ import annotations

import numpy as np

from edmeasure._loops import exact, exact_step
from edmeasure._validate import FloatArray, Int8Array, IntArray

NEWTON_STEPS = 60
STEP_TOLERANCE = 1e-9


@exact_step
def _warm_equation(
    answers: Int8Array,
    theta: float,
    slopes: FloatArray,
    intercepts: FloatArray,
    category_start: IntArray,
) -> tuple[float, float, float]:
    """Warm's estimating function, its derivative, and the test information at ``theta``."""
    score = 0.0
    information = 0.0
    third = 0.0
    fourth = 0.0
    for j in range(answers.shape[0]):
        x = np.float64(answers[j])
        if x < 0.0:
            continue
        a = slopes[j]
        first = category_start[j]
        n_categories = category_start[j + 1] - first
        if n_categories == 2:
            p = 1.0 / (1.0 + np.exp(-(a * theta + intercepts[first + 1])))
            v = p * (1.0 - p)
            score += a * (x - p)
            information += a * a * v
            third += a * a * a * v * (1.0 - 2.0 * p)
            fourth += a * a * a * a * v * (1.0 - 6.0 * v)
            continue
        highest = -1e300
        for k in range(n_categories):
            highest = max(highest, a * k * theta + intercepts[first + k])
        total = 0.0
        mean = 0.0
        for k in range(n_categories):
            p = np.exp(a * k * theta + intercepts[first + k] - highest)
            total += p
            mean += k * p
        mean /= total
        v = 0.0
        m3 = 0.0
        m4 = 0.0
        for k in range(n_categories):
            p = np.exp(a * k * theta + intercepts[first + k] - highest) / total
            c = k - mean
            v += p * c * c
            m3 += p * c * c * c
            m4 += p * c * c * c * c
        score += a * (x - mean)
        information += a * a * v
        third += a * a * a * m3
        fourth += a * a * a * a * (m4 - 3.0 * v * v)
    if information <= 0.0:
        return score, 0.0, 0.0
    value = score + third / (2.0 * information)
    slope = -information + fourth / (2.0 * information) - third * third / (2.0 * information * information)
    return value, slope, information


@exact
def warm_scores(
    scores: Int8Array,
    slopes: FloatArray,
    intercepts: FloatArray,
    category_start: IntArray,
    bound: float,
    theta: FloatArray,
    se: FloatArray,
) -> None:
    """Weighted likelihood estimates by bracketed Newton; NaN where no item was answered."""
    for i in range(scores.shape[0]):
        low = -bound
        high = bound
        current = 0.0
        information = 0.0
        slope = 0.0
        for _step in range(NEWTON_STEPS):
            value, slope, information = _warm_equation(scores[i], current, slopes, intercepts, category_start)
            if information <= 0.0:
                break
            if value > 0.0:
                low = current
            else:
                high = current
            following = current - value / slope if slope < 0.0 else 0.5 * (low + high)
            if following <= low or following >= high:
                following = 0.5 * (low + high)
            moved = abs(following - current)
            current = following
            if moved < STEP_TOLERANCE:
                break
        if information > 0.0:
            theta[i] = current
            se[i] = 1.0 / np.sqrt(-slope if slope < 0.0 else information)
        else:
            theta[i] = np.nan
            se[i] = np.nan
