"""The Merkle tree of RFC 9162 section 2.1 (the same tree as RFC 6962), over SM3 or SHA-256.

A range of leaves `[begin, end)` stands for the hash MTH(D[begin:end]). Proofs are first named as ranges, so that whoever
holds the tree in memory, in tiles or nowhere yet answers the same question.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from shuren.trust.data import DigestAlgorithm

HASH_BYTES = 32
Range = tuple[int, int]

_NAMES = {DigestAlgorithm.SHA256: "sha256", DigestAlgorithm.SM3: "sm3"}


@dataclass(frozen=True, slots=True)
class TreeHash:
    """The two hashes of a tree: `leaf(data)` = H(0x00 ‖ data), `node(left, right)` = H(0x01 ‖ left ‖ right)."""

    algorithm: DigestAlgorithm
    leaf: Callable[[bytes], bytes]
    node: Callable[[bytes, bytes], bytes]
    plain: Callable[[bytes], bytes]


def tree_hash(algorithm: DigestAlgorithm) -> TreeHash:
    name = _NAMES[DigestAlgorithm(algorithm)]
    # Copying a started hash costs less than half of starting one by name.
    of_leaf, of_node, of_data = hashlib.new(name, b"\x00"), hashlib.new(name, b"\x01"), hashlib.new(name)

    def leaf(data: bytes) -> bytes:
        state = of_leaf.copy()
        state.update(data)
        return state.digest()

    def node(left: bytes, right: bytes) -> bytes:
        state = of_node.copy()
        state.update(left + right)
        return state.digest()

    def plain(data: bytes) -> bytes:
        state = of_data.copy()
        state.update(data)
        return state.digest()

    return TreeHash(algorithm=DigestAlgorithm(algorithm), leaf=leaf, node=node, plain=plain)


def folded(hashes: Sequence[bytes], hasher: TreeHash) -> bytes:
    """MTH over leaf hashes; over 2^k neighbours it is their common node. No hashes: the hash of nothing."""
    if not hashes:
        return hasher.plain(b"")
    row = list(hashes)
    node = hasher.node
    while len(row) > 1:
        odd = row[-1:] if len(row) % 2 else []
        row = [node(row[place], row[place + 1]) for place in range(0, len(row) - 1, 2)] + odd
    return row[0]


def root_over(items: Iterable[bytes], algorithm: DigestAlgorithm) -> bytes:
    """MTH over any number of data items, held log₂ of them at a time: the digest of a list whose items can be proved singly."""
    hasher = tree_hash(algorithm)
    stack: list[tuple[int, bytes]] = []
    for item in items:
        width, value = 1, hasher.leaf(item)
        while stack and stack[-1][0] == width:
            width, value = width * 2, hasher.node(stack.pop()[1], value)
        stack.append((width, value))
    return joined([value for _width, value in stack], hasher)


def split(count: int) -> int:
    """The largest power of two below `count` (which is at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """PATH(index, D[size]) as ranges, from the leaf's neighbour up to the root's child."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    begin, end, found = 0, size, []
    while end - begin > 1:
        middle = begin + split(end - begin)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((begin, middle))
            begin = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """PROOF(old, D[new]) as ranges; nothing needs proof from an empty tree or to itself."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not grow out of one of {old}")
    if old in (0, new):
        return []
    begin, end, whole, found = 0, new, True, []
    while old != end:
        middle = begin + split(end - begin)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((begin, middle))
            begin = middle
            whole = False
    if not whole:
        found.append((begin, end))
    return found[::-1]


def perfect_parts(begin: int, end: int) -> list[Range]:
    """`[begin, end)` as perfect subtrees from left to right; `begin` lies where a subtree of that size may begin."""
    parts = []
    while begin < end:
        width = 1 << ((end - begin).bit_length() - 1)
        parts.append((begin, begin + width))
        begin += width
    return parts


def joined(parts: Sequence[bytes], hasher: TreeHash) -> bytes:
    """The hash over perfect subtrees of falling size."""
    if not parts:
        return hasher.plain(b"")
    result = parts[-1]
    for part in reversed(parts[:-1]):
        result = hasher.node(part, result)
    return result


def root_from_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], hasher: TreeHash) -> bytes | None:
    """The root that this path leads to (RFC 9162 section 2.1.3.2); None where the path does not fit the place."""
    if not 0 <= index < size:
        return None
    place, last, result = index, size - 1, leaf_hash
    for step in path:
        if last == 0 or len(step) != HASH_BYTES:
            return None
        if place & 1 or place == last:
            result = hasher.node(step, result)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            result = hasher.node(result, step)
        place >>= 1
        last >>= 1
    return result if last == 0 else None


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes], hasher: TreeHash) -> bool:
    """Whether the tree of `new` leaves begins with the tree of `old` leaves (RFC 9162 section 2.1.4.2)."""
    if old > new or old < 0 or any(len(step) != HASH_BYTES for step in path):
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == hasher.plain(b"")
    steps = list(path) if old & (old - 1) else [old_root, *path]
    if not steps:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place >>= 1
        last >>= 1
    of_old = of_new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            of_old, of_new = hasher.node(step, of_old), hasher.node(step, of_new)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            of_new = hasher.node(of_new, step)
        place >>= 1
        last >>= 1
    return last == 0 and of_old == old_root and of_new == new_root
