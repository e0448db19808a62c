"""The curve of SM2 (GB/T 32918.5) in plain integers.

Points are affine pairs outside and Jacobian triples inside; None is the point at infinity. Multiples of the generator
come from a table of 64 × 15 points, made on first use. Python's integers take longer for longer numbers, so nothing
here hides its secrets from somebody who measures time or power: it is the fallback and the referee, not the module to
sign with where such a person may stand (docs/howto/cryptography.md).
"""

from functools import lru_cache

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GENERATOR = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
BYTES = 32
_WINDOW = 4
_DIGITS = 256 // _WINDOW
_MASK = (1 << _WINDOW) - 1

Point = tuple[int, int]
Jacobian = tuple[int, int, int]
_INFINITY: Jacobian = (1, 1, 0)


def is_on_curve(point: Point) -> bool:
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x + A) * x - B) % P == 0


def times_generator(factor: int) -> Point | None:
    return _affine(_times_generator(factor % N))


def times(factor: int, point: Point) -> Point | None:
    return _affine(_times(factor % N, point))


def sum_of_products(by_generator: int, by_point: int, point: Point) -> Point | None:
    """`by_generator`·G + `by_point`·`point`, as the check of a signature needs it."""
    return _affine(_add(_times_generator(by_generator % N), _times(by_point % N, point)))


def _double(point: Jacobian) -> Jacobian:
    x, y, z = point
    if z == 0 or y == 0:
        return _INFINITY
    square = z * z % P
    slope = 3 * (x - square) * (x + square) % P
    y_square = y * y % P
    mid = 4 * x * y_square % P
    new_x = (slope * slope - 2 * mid) % P
    return new_x, (slope * (mid - new_x) - 8 * y_square * y_square) % P, 2 * y * z % P


def _add(one: Jacobian, other: Jacobian) -> Jacobian:
    if one[2] == 0:
        return other
    if other[2] == 0:
        return one
    x1, y1, z1 = one
    x2, y2, z2 = other
    z1_square, z2_square = z1 * z1 % P, z2 * z2 % P
    u1, u2 = x1 * z2_square % P, x2 * z1_square % P
    s1, s2 = y1 * z2_square * z2 % P, y2 * z1_square * z1 % P
    if u1 == u2:
        return _double(one) if s1 == s2 else _INFINITY
    h, r = u2 - u1, s2 - s1
    h_square = h * h % P
    h_cube, v = h * h_square % P, u1 * h_square % P
    x = (r * r - h_cube - 2 * v) % P
    return x, (r * (v - x) - s1 * h_cube) % P, h * z1 * z2 % P


def _affine(point: Jacobian) -> Point | None:
    x, y, z = point
    if z == 0:
        return None
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return x * square % P, y * square * inverse % P


def _times(factor: int, point: Point) -> Jacobian:
    row = _multiples((*point, 1))
    found = _INFINITY
    for shift in range(256 - _WINDOW, -1, -_WINDOW):
        for _turn in range(_WINDOW):
            found = _double(found)
        found = _add(found, row[factor >> shift & _MASK])
    return found


def _times_generator(factor: int) -> Jacobian:
    found = _INFINITY
    for digit, row in enumerate(_generator_table()):
        found = _add(found, row[factor >> digit * _WINDOW & _MASK])
    return found


def _multiples(point: Jacobian) -> list[Jacobian]:
    row = [_INFINITY, point]
    while len(row) <= _MASK:
        row.append(_add(row[-1], point))
    return row


@lru_cache(maxsize=1)
def _generator_table() -> list[list[Jacobian]]:
    rows, base = [], (*GENERATOR, 1)
    for _digit in range(_DIGITS):
        row = _multiples(base)
        # Affine entries (z = 1) keep the numbers of every later addition short.
        rows.append([_INFINITY, *((*point, 1) for point in map(_affine, row[1:]) if point)])
        base = _add(row[-1], base)
    return rows
