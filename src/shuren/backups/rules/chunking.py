"""Cutting bytes into chunks so that what stayed the same is stored once.

Database files of SQLite change page by page in place: equal stretches find their old chunks again. Rows that COPY writes
move when others before them come or go: there the content itself says where to cut, by a hash over eight bytes.
"""

from collections.abc import Iterable, Iterator

import numpy as np

FIXED = 256 * 1024
LARGE = 4 * 1024 * 1024
LEAST, MOST = 256 * 1024, 4 * 1024 * 1024
SMALL_FILE = 64 * 1024
BUNDLE = 1024 * 1024

_STRIDE = 8
_BITS = 20  # one place in a million is a cut: chunks of about LEAST + 1 MiB
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SALT = np.uint64(0x5851F42D4C957F2D)
_ROOM = 16 * 1024 * 1024


def fixed(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Chunks of `size` bytes, the last one shorter; blocks of just that size pass through uncopied."""
    waiting = bytearray()
    for block in blocks:
        if not waiting and len(block) == size:
            yield block
            continue
        waiting += block
        while len(waiting) >= size:
            yield bytes(waiting[:size])
            del waiting[:size]
    if waiting:
        yield bytes(waiting)


def content_defined(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Chunks of `LEAST` to `MOST` bytes that end where the content says so; a change moves only the cuts beside it."""
    waiting = bytearray()
    for block in blocks:
        waiting += block
        if len(waiting) >= _ROOM:
            whole = bytes(waiting)
            done = 0
            for end in _ends(whole, is_last=False):
                yield whole[done:end]
                done = end
            waiting = bytearray(whole[done:])
    whole, done = bytes(waiting), 0
    for end in _ends(whole, is_last=True):
        yield whole[done:end]
        done = end


def _ends(whole: bytes, *, is_last: bool) -> Iterator[int]:
    places, begin, at = _places(whole), 0, 0
    while len(whole) - begin > (0 if is_last else MOST):
        at = int(np.searchsorted(places, begin + LEAST))
        end = min(int(places[at]) if at < len(places) else len(whole), begin + MOST, len(whole))
        yield end
        begin = end


def _places(whole: bytes) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Where a cut may be: after each eight bytes whose hash begins with `_BITS` zeros."""
    found = []
    for start in range(_STRIDE):
        count = (len(whole) - start) // _STRIDE
        if count <= 0:
            continue
        words = np.frombuffer(whole, dtype="<u8", count=count, offset=start)
        hits = np.flatnonzero(((words ^ _SALT) * _MIX) >> np.uint64(64 - _BITS) == 0)
        found.append(hits.astype(np.int64) * _STRIDE + start + _STRIDE)
    return np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
