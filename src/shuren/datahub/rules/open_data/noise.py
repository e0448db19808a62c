"""Whole-number noise of the two-sided geometric (discrete Laplace) distribution, drawn exactly.

Canonne, Kamath, Steinke: The Discrete Gaussian for Differential Privacy (2020), algorithms 1 and 2. No floating-point
number takes part, so that no rounding tells anything of the count beneath; `draw(n)` is a fair number below `n`.
"""

from collections.abc import Callable
from fractions import Fraction

Draw = Callable[[int], int]


def noise(epsilon: Fraction, draw: Draw) -> int:
    """A number y with probability proportional to exp(-ε·|y|)."""
    while True:
        begun = draw(epsilon.denominator)
        if not _is_kept(Fraction(begun, epsilon.denominator), draw):
            continue
        whole = 0
        while _is_kept(Fraction(1), draw):
            whole += 1
        size = (begun + epsilon.denominator * whole) // epsilon.numerator
        is_negative = draw(2) == 1
        if size or not is_negative:
            return -size if is_negative else size


def _is_kept(gamma: Fraction, draw: Draw) -> bool:
    """True with probability exp(-γ), 0 ≤ γ ≤ 1."""
    turn = 1
    while draw(gamma.denominator * turn) < gamma.numerator:
        turn += 1
    return turn % 2 == 1
