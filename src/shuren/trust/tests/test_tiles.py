import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuren.trust.data import DigestAlgorithm
from shuren.trust.rules.log.merkle import consistency_ranges, folded, inclusion_ranges, tree_hash
from shuren.trust.rules.log.tiles import (
    ENTRIES,
    PATH,
    Edge,
    TiledTree,
    TileSource,
    bundle_of,
    edge_of,
    entries_of,
    grown,
    partial_tiles,
    root_of,
    tile_path,
)
from shuren.trust.tests.test_merkle import hashed, plain_root

SM3 = tree_hash(DigestAlgorithm.SM3)


def entries(count: int) -> list[bytes]:
    return [number.to_bytes(42, "big") for number in range(count)]


def written(steps: list[int]) -> tuple[dict[str, bytes], Edge]:
    files: dict[str, bytes] = {}
    edge, all_entries = Edge(), entries(sum(steps))
    for step in steps:
        edge = edge_of(edge.size, source_of(files))
        files |= {file.path: file.data for file in grown(edge, all_entries[edge.size : edge.size + step], SM3)}
        files |= {file.path: file.data for file in partial_tiles(edge)}
    return files, edge


def source_of(files: dict[str, bytes]) -> TileSource:
    def read(level: int, number: int, width: int) -> bytes:
        full = files.get(tile_path(level, number))
        return full if full is not None else files[tile_path(level, number, width)]

    return read


@pytest.mark.parametrize(
    ("number", "width", "path"),
    [
        (0, 256, "tile/0/000"),
        (67, 8, "tile/0/067.p/8"),
        (1234067, 256, "tile/0/x001/x234/067"),
        (999, 256, "tile/0/999"),
        (1000, 255, "tile/0/x001/000.p/255"),
    ],
)
def test_paths_are_those_of_the_standard(number: int, width: int, path: str) -> None:
    assert tile_path(0, number, width) == path
    assert PATH.fullmatch(path)


@settings(max_examples=15, deadline=None)
@given(steps=st.lists(st.integers(1, 700), min_size=1, max_size=4))
def test_the_way_it_grew_leaves_no_trace(steps: list[int]) -> None:
    files, edge = written(steps)
    at_once, other = written([sum(steps)])
    assert {path: data for path, data in files.items() if path in at_once} == at_once
    assert edge == other
    assert root_of(edge, SM3) == folded([SM3.leaf(entry) for entry in entries(edge.size)], SM3)


@settings(max_examples=6, deadline=None)
@given(data=st.data(), size=st.sampled_from([1, 255, 256, 257, 511, 513, 66_000]))
def test_proofs_from_tiles_are_proofs_from_the_whole_tree(data: st.DataObject, size: int) -> None:
    files, _edge = written([size])
    tree = TiledTree(size, source_of(files), SM3)
    leaves = [SM3.leaf(entry) for entry in entries(size)]
    assert tree.root() == folded(leaves, SM3)
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(0, size))
    assert tree.inclusion(index) == hashed(inclusion_ranges(index, size), leaves, SM3)
    assert tree.consistency(old) == hashed(consistency_ranges(old, size), leaves, SM3)
    assert tree.entry(index) == entries(size)[index]
    assert plain_root(leaves[:300], SM3) == folded(leaves[:300], SM3)


@given(parts=st.lists(st.binary(max_size=60), max_size=20))
def test_bundles_come_apart_again(parts: list[bytes]) -> None:
    assert entries_of(bundle_of(parts)) == parts


@pytest.mark.parametrize("bundle", [b"\x00", b"\x00\x05abc", b"\x00\x01a\x00"])
def test_a_cut_bundle_is_refused(bundle: bytes) -> None:
    with pytest.raises(ValueError, match="ends inside"):
        entries_of(bundle)


def test_a_tree_of_three_levels_reads_few_tiles() -> None:
    files, edge = written([66_000])
    asked = []

    def counting(level: int, number: int, width: int) -> bytes:
        asked.append((level, number))
        return source_of(files)(level, number, width)

    TiledTree(edge.size, counting, SM3).inclusion(12_345)
    assert len(asked) <= 6
    assert ENTRIES not in [level for level, _number in asked]
