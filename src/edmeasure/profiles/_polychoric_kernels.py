"""Loops of polychoric correlations: two-way tables, bivariate normal chances, likelihood along the correlation."""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial.legendre import leggauss

from edmeasure._loops import exact
from edmeasure._validate import FloatArray, Int8Array, IntArray

NODES, NODE_WEIGHTS = leggauss(20)
PLAIN_ANGLE = 1.0
HIGHEST = 0.9995
LEAST_CHANCE = 1e-14
MOST_STEPS = 100
STILL = 1e-10
ROUNDING = 1e-12
ROOT_TWO = math.sqrt(2.0)


@exact
def joint_chance(h: float, k: float, rho: float) -> float:
    """P(X < h, Y < k) of standard normals correlated by ``rho``, |rho| < 1.

    Plackett (1954) in the angle arcsin(rho), as Drezner & Wesolowsky (1990); beyond an angle of 1
    the panels shrink with the distance from the right angle. Error below 1e-14.
    """
    total = 0.25 * math.erfc(-h / ROOT_TWO) * math.erfc(-k / ROOT_TWO)
    sign = 1.0 if rho >= 0 else -1.0
    end, first = math.asin(abs(rho)), 0.0
    squares, product = (h * h + k * k) / 2, sign * h * k
    while first < end:
        last = min(end, PLAIN_ANGLE if first < PLAIN_ANGLE else (first + math.pi / 2) / 2)
        half, middle = (last - first) / 2, (last + first) / 2
        part = 0.0
        for at in range(NODES.size):
            angle = middle + half * NODES[at]
            sine, cosine = math.sin(angle), math.cos(angle)
            part += NODE_WEIGHTS[at] * math.exp((product * sine - squares) / (cosine * cosine))
        total += sign * half * part / (2 * math.pi)
        first = last
    return total


@exact
def _density(h: float, k: float, rho: float) -> float:
    rest = 1 - rho * rho
    return math.exp(-(h * h - 2 * rho * h * k + k * k) / (2 * rest)) / (2 * math.pi * math.sqrt(rest))


@exact
def _likelihood(table: FloatArray, rows: FloatArray, columns: FloatArray, rho: float, out: FloatArray) -> None:
    """Log-likelihood of a two-way table, its slope in ``rho``, and the expected curvature, into ``out``."""
    n_rows, n_columns = table.shape
    chance, slope = np.zeros((2, n_columns + 1)), np.zeros((2, n_columns + 1))
    out[:] = 0.0
    total = 0.0
    for i in range(n_rows):
        above, below = i % 2, (i + 1) % 2
        for j in range(1, n_columns + 1):
            is_last_row, is_last_column = i == n_rows - 1, j == n_columns
            if is_last_row and is_last_column:
                chance[below, j] = 1.0
            elif is_last_row:
                chance[below, j] = 0.5 * math.erfc(-columns[j - 1] / ROOT_TWO)
            elif is_last_column:
                chance[below, j] = 0.5 * math.erfc(-rows[i] / ROOT_TWO)
            else:
                chance[below, j] = joint_chance(rows[i], columns[j - 1], rho)
            is_edge = is_last_row or is_last_column
            slope[below, j] = 0.0 if is_edge else _density(rows[i], columns[j - 1], rho)
            cell = chance[below, j] - chance[below, j - 1] - chance[above, j] + chance[above, j - 1]
            turn = slope[below, j] - slope[below, j - 1] - slope[above, j] + slope[above, j - 1]
            cell = max(cell, LEAST_CHANCE)
            out[0] += table[i, j - 1] * math.log(cell)
            out[1] += table[i, j - 1] * turn / cell
            out[2] += turn * turn / cell
            total += table[i, j - 1]
    out[2] *= total


@exact
def table_correlation(table: FloatArray, rows: FloatArray, columns: FloatArray) -> float:
    """The correlation of greatest likelihood for given thresholds, by scoring with halved steps."""
    rho = 0.0
    here, there = np.zeros(3), np.zeros(3)
    _likelihood(table, rows, columns, rho, here)
    for _ in range(MOST_STEPS):
        if not here[2] > 0:
            break
        step = here[1] / here[2]
        moved = rho
        while abs(step) > STILL:
            moved = min(max(rho + step, -HIGHEST), HIGHEST)
            _likelihood(table, rows, columns, moved, there)
            if there[0] >= here[0] - ROUNDING * abs(here[0]):
                break
            step /= 2
        if abs(step) <= STILL or moved == rho:
            break
        rho = moved
        here[:] = there
    return rho


@exact
def correlate_with_later(
    codes: Int8Array, weights: FloatArray, sizes: IntArray, thresholds: FloatArray, first: int, found: FloatArray
) -> None:
    """Correlations of one item with all later ones into ``found``; NaN where fewer than two persons have both.

    ``codes`` (J, n) are categories 0.. or -1; ``thresholds`` (J, K - 1). An empty cell of a two-by-two
    table counts half a person (Brown & Benedetti 1977).
    """
    for second in range(first + 1, codes.shape[0]):
        table = np.zeros((sizes[first], sizes[second]))
        for person in range(codes.shape[1]):
            a, b = codes[first, person], codes[second, person]
            if a >= 0 and b >= 0:
                table[a, b] += weights[person]
        if sizes[first] == 2 and sizes[second] == 2:
            for i in range(2):
                for j in range(2):
                    if table[i, j] == 0.0:
                        table[i, j] = 0.5
        rows, columns = thresholds[first, : sizes[first] - 1], thresholds[second, : sizes[second] - 1]
        found[second] = table_correlation(table, rows, columns)
