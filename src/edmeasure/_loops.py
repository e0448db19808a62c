"""How loops are compiled, and how parts of the persons are shared out to threads.

Loops are plain: one thread each, without the interpreter's lock. Parts are chosen from the data
alone and their sums added in order, so results do not depend on the number of threads. Three
things keep the first run short, when everything is compiled: no ``parallel=True`` (three to four
times the work for the compiler), no array expressions inside loops (each brings the compiler
NumPy's broadcasting and the text of its errors), and one type for every argument, so that no
loop is compiled twice.

Loops that call each other live in one file: Numba's cache looks at a loop's own file only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., object])
Part = TypeVar("Part")
Result = TypeVar("Result")

REORDERED = {"reassoc", "contract", "nsz"}
MAX_PARTS = 32
PART_PERSONS = 1024


def exact(loop: Loop) -> Loop:
    """Compile; every operation is done in the order it is written."""
    return _compiled(loop)


def reordered(loop: Loop) -> Loop:
    """Compile; sums may be taken in any order and products fused, which vector units need."""
    return _compiled(loop, freedom=REORDERED)


def exact_step(loop: Loop) -> Loop:
    """The same as `exact` for a step of other loops, woven into each of them.

    A step left as a function of its own is compiled once more beside every caller, a little differently, and which copy
    all of them run depends on what the process compiled or loaded first: the last digits of a result would change with it.
    """
    return _compiled(loop, is_step=True)


def reordered_step(loop: Loop) -> Loop:
    """The same as `reordered` for a step of other loops, woven into each of them."""
    return _compiled(loop, freedom=REORDERED, is_step=True)


def _compiled(loop: Loop, *, freedom: bool | set[str] = False, is_step: bool = False) -> Loop:
    chosen = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=freedom, forceinline=is_step)
    return cast(Loop, chosen(loop))


def parts_of(n: int, limit: int = MAX_PARTS) -> list[slice]:
    """At most ``limit`` slices of ``n`` persons, in order, of no fewer than 1,024 each."""
    count = max(1, min(MAX_PARTS, limit, n // PART_PERSONS))
    return [slice(part * n // count, (part + 1) * n // count) for part in range(count)]


def each(work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """Results of ``work`` on every part, in the order of the parts."""
    threads = min(numba.get_num_threads(), len(parts))
    if threads == 1:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, parts))
