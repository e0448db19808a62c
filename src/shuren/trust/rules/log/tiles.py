"""The log as files that never change once they are full, in the layout of C2SP tlog-tiles (tiles of 2^8 hashes).

`tile/<level>/<number>` holds up to 256 hashes of 32 bytes; hash i of tile n at level l is the node over the leaves
`[(256 n + i) 256^l, (256 n + i + 1) 256^l)`. `tile/entries/<number>` holds the 256 entries below tile n of level 0, each
with its length before it (two bytes, big-endian). A number is written in groups of three digits, all but the last with
an `x` before them: 1234067 is `x001/x234/067`. A tile that is not full ends in `.p/<width>`.
"""

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from shuren.trust.rules.log.entries import ENTRY_BYTES
from shuren.trust.rules.log.merkle import (
    HASH_BYTES,
    Range,
    TreeHash,
    consistency_ranges,
    folded,
    inclusion_ranges,
    joined,
    perfect_parts,
)

HEIGHT = 8
WIDTH = 1 << HEIGHT
ENTRIES = -1

TileSource = Callable[[int, int, int], bytes]
"""(level, number, least width) → at least so many hashes (or entries at level `ENTRIES`) of that tile."""

PATH = re.compile(r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True)
class TileFile:
    """One file: its path below the log's folder and its bytes."""

    path: str
    data: bytes


@dataclass(slots=True)
class Edge:
    """The right edge of a tree: per level the hashes of the tile that is not full, and the entries of the last bundle."""

    size: int = 0
    levels: list[list[bytes]] = field(default_factory=list)
    entries: list[bytes] = field(default_factory=list)


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[place : place + 3] for place in range(0, len(digits), 3)]
    name = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    kind = "entries" if level == ENTRIES else str(level)
    return f"tile/{kind}/{name}" + ("" if width == WIDTH else f".p/{width}")


def place_of(path: str) -> tuple[int, int, int] | None:
    """Level, number and width of the tile that a path names; None where it names none."""
    found = PATH.fullmatch(path)
    if found is None:
        return None
    level = ENTRIES if found[1] == "entries" else int(found[1])
    return level, int(found[2].replace("/", "").replace("x", "")), int(found[3] or WIDTH)


def record_bytes(level: int) -> int:
    """How long one hash, or one entry with its length before it, is in a tile's file."""
    return 2 + ENTRY_BYTES if level == ENTRIES else HASH_BYTES


def width_of(level: int, number: int, size: int) -> int:
    """How many hashes tile `number` of `level` has in a tree of `size`."""
    held = size >> (HEIGHT * max(level, 0))
    return max(0, min(WIDTH, held - number * WIDTH))


def bundle_of(entries: Iterable[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def entries_of(bundle: bytes) -> list[bytes]:
    """The entries of a bundle; raises `ValueError` where the lengths do not come out even."""
    found, place = [], 0
    while place < len(bundle):
        end = place + 2 + int.from_bytes(bundle[place : place + 2], "big")
        if place + 2 > len(bundle) or end > len(bundle):
            raise ValueError("the entry bundle ends inside an entry")
        found.append(bundle[place + 2 : end])
        place = end
    return found


def hashes_of(tile: bytes) -> list[bytes]:
    if len(tile) % HASH_BYTES:
        raise ValueError("the tile ends inside a hash")
    return [tile[place : place + HASH_BYTES] for place in range(0, len(tile), HASH_BYTES)]


def edge_of(size: int, source: TileSource) -> Edge:
    """The right edge of a tree whose tiles are there."""
    edge = Edge(size=size)
    level = 0
    while size >> (HEIGHT * level):
        held = size >> (HEIGHT * level)
        width = held % WIDTH
        tile = source(level, held // WIDTH, width)[: width * HASH_BYTES] if width else b""
        edge.levels.append(hashes_of(tile))
        level += 1
    if width := size % WIDTH:
        edge.entries = entries_of(source(ENTRIES, size // WIDTH, width))[:width]
    return edge


def grown(edge: Edge, entries: Sequence[bytes], hasher: TreeHash) -> Iterator[TileFile]:
    """Append to the edge, which moves on, and give out every tile that became full thereby."""
    for entry in entries:
        edge.entries.append(entry)
        yield from _put(edge, 0, edge.size, hasher.leaf(entry), hasher)
        edge.size += 1
        if len(edge.entries) == WIDTH:
            yield TileFile(tile_path(ENTRIES, edge.size // WIDTH - 1), bundle_of(edge.entries))
            edge.entries = []


def _put(edge: Edge, level: int, place: int, value: bytes, hasher: TreeHash) -> Iterator[TileFile]:
    if level == len(edge.levels):
        edge.levels.append([])
    row = edge.levels[level]
    row.append(value)
    if len(row) == WIDTH:
        number = place // WIDTH
        yield TileFile(tile_path(level, number), b"".join(row))
        edge.levels[level] = []
        yield from _put(edge, level + 1, number, folded(row, hasher), hasher)


def partial_tiles(edge: Edge) -> Iterator[TileFile]:
    """The tiles at the edge that are not full: what a reader of this size needs beside the full ones."""
    for level, row in enumerate(edge.levels):
        if row:
            yield TileFile(tile_path(level, (edge.size >> (HEIGHT * level)) // WIDTH, len(row)), b"".join(row))
    if edge.entries:
        yield TileFile(tile_path(ENTRIES, edge.size // WIDTH, len(edge.entries)), bundle_of(edge.entries))


def root_of(edge: Edge, hasher: TreeHash) -> bytes:
    parts = []
    for row in reversed(edge.levels):
        parts += [folded(row[begin:end], hasher) for begin, end in perfect_parts(0, len(row))]
    return joined(parts, hasher)


class TiledTree:
    """A tree of `size` leaves read from tiles; every tile is asked for once. Proofs cost O(log size) tiles."""

    def __init__(self, size: int, source: TileSource, hasher: TreeHash) -> None:
        self.size = size
        self._source = source
        self._hasher = hasher
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self) -> bytes:
        return self._hash((0, self.size))

    def inclusion(self, index: int) -> list[bytes]:
        return [self._hash(part) for part in inclusion_ranges(index, self.size)]

    def consistency(self, old: int) -> list[bytes]:
        return [self._hash(part) for part in consistency_ranges(old, self.size)]

    def entry(self, index: int) -> bytes:
        number, place = divmod(index, WIDTH)
        return entries_of(self._source(ENTRIES, number, width_of(0, number, self.size)))[place]

    def _hash(self, part: Range) -> bytes:
        return joined([self._perfect(*perfect) for perfect in perfect_parts(*part)], self._hasher)

    def _perfect(self, begin: int, end: int) -> bytes:
        level, rest = divmod((end - begin).bit_length() - 1, HEIGHT)
        place = begin >> (HEIGHT * level)
        number, offset = divmod(place, WIDTH)
        key = (level, number)
        if key not in self._tiles:
            self._tiles[key] = self._source(level, number, width_of(level, number, self.size))
        tile = self._tiles[key][offset * HASH_BYTES : (offset + (1 << rest)) * HASH_BYTES]
        if len(tile) != HASH_BYTES << rest:
            raise ValueError(f"tile {tile_path(level, number)} is too short")
        return folded(hashes_of(tile), self._hasher)
