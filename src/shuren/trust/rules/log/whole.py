"""Reading a whole log again: every entry, every tile, the root and the signature."""

from collections.abc import Callable, Sequence

from shuren.trust.rules.log.checkpoint import Checkpoint, NoteKey
from shuren.trust.rules.log.entries import read_entry
from shuren.trust.rules.log.merkle import HASH_BYTES, folded, tree_hash
from shuren.trust.rules.log.proofs import is_signed
from shuren.trust.rules.log.tiles import (
    ENTRIES,
    WIDTH,
    Edge,
    TileSource,
    entries_of,
    root_of,
    tile_path,
    width_of,
)


def fault_in_log(
    checkpoint: Checkpoint,
    source: TileSource,
    keys: Sequence[NoteKey],
    *,
    on_progress: Callable[[int], None] = lambda _count: None,
    on_entries: Callable[[int, list[bytes]], str] = lambda _first, _entries: "",
) -> str:
    """What is wrong with a log of tiles under a checkpoint, in one sentence; empty where nothing is.

    Reads every bundle and every hash tile once and keeps one hash of each full tile. `on_entries(first, entries)` may look at
    the entries too and name a fault of its own.
    """
    if not is_signed(checkpoint, keys, needed=checkpoint.key_ids):
        return "the trusted keys of the log did not sign the checkpoint"
    hasher = tree_hash(checkpoint.hash_algorithm)
    edge = Edge(size=checkpoint.size)
    below: list[bytes] = []
    level, held = 0, checkpoint.size
    while held:
        above: list[bytes] = []
        row: list[bytes] = []
        for number in range(-(-held // WIDTH)):
            width = width_of(level, number, checkpoint.size)
            try:
                if level == 0:
                    entries = entries_of(source(ENTRIES, number, width))
                    fault = _fault_of_entries(entries, number, width) or on_entries(number * WIDTH, entries[:width])
                    if fault:
                        return fault
                    row = [hasher.leaf(entry) for entry in entries[:width]]
                    on_progress(number * WIDTH + width)
                else:
                    row = below[number * WIDTH : number * WIDTH + width]
                tile = source(level, number, width)
            except (OSError, KeyError, ValueError) as error:
                return f"{tile_path(level, number, width)} cannot be read: {error}"
            if len(tile) % HASH_BYTES or tile[: width * HASH_BYTES] != b"".join(row):
                return f"{tile_path(level, number, width)} does not hold the hashes of what lies below it"
            if width == WIDTH:
                above.append(folded(row, hasher))
                row = []
        edge.levels.append(row)
        below, held, level = above, held // WIDTH, level + 1
    return "" if root_of(edge, hasher) == checkpoint.root else "the entries do not lead to the root of the checkpoint"


def _fault_of_entries(entries: list[bytes], number: int, width: int) -> str:
    if len(entries) < width:
        return f"{tile_path(ENTRIES, number, width)} holds {len(entries)} entries where {width} belong"
    for entry in entries[:width]:
        try:
            read_entry(entry)
        except ValueError as error:
            return f"{tile_path(ENTRIES, number, width)}: {error}"
    return ""
