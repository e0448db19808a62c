"""The number a person keeps for life: fourteen digits, telling nothing, with a check digit.

A serial is scattered over thirteen digits by a fixed multiplication modulo 10**13 (a bijection, so no number is given
twice and neighbours do not look alike); the fourteenth is the check digit of ISO 7064 MOD 11,10, which catches every
single wrong digit and every swap of neighbours.
"""

import numpy as np

_MODULUS = 10**13
_FACTOR = 6_180_339_887_499
_OFFSET = 1_414_213_562_373
_DIGITS = 13


def number_of(serial: int) -> str:
    """The number of one serial (0 ≤ serial < 10**13)."""
    body = f"{(serial * _FACTOR + _OFFSET) % _MODULUS:013d}"
    return body + str(_check_digit(body))


def numbers_of(first: int, count: int) -> list[str]:
    """The numbers of `count` serials from `first` on, about a million a second."""
    bodies = np.empty(count, dtype=np.int64)
    value = (first * _FACTOR + _OFFSET) % _MODULUS
    step = 1 << 16
    for start in range(0, count, step):
        # 65,536 multiples of a 13-digit factor fit into 64 bits only in two halves.
        span = np.arange(min(step, count - start), dtype=np.int64)
        high, low = divmod(_FACTOR, 10**6)
        scattered = (span * high % 10**7) * 10**6 + span * low
        bodies[start : start + len(span)] = (scattered + value) % _MODULUS
        value = (value + step * _FACTOR) % _MODULUS
    product = np.full(count, 10, dtype=np.int64)
    for place in range(_DIGITS - 1, -1, -1):
        total = (bodies // 10**place + product) % 10
        product = np.where(total == 0, 10, total) * 2 % 11
    checks = (11 - product) % 10
    return [f"{body:013d}{check}" for body, check in zip(bodies.tolist(), checks.tolist(), strict=True)]


def is_number(text: str) -> bool:
    """Whether `text` could be a number for life: fourteen digits whose check digit fits."""
    return len(text) == _DIGITS + 1 and text.isascii() and text.isdigit() and int(text[-1]) == _check_digit(text[:-1])


def _check_digit(body: str) -> int:
    product = 10
    for letter in body:
        product = ((int(letter) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10
