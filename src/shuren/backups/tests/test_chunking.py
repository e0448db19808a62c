import random
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from shuren.backups.rules.chunking import LEAST, MOST, content_defined, fixed


def _rows(count: int, seed: int) -> list[bytes]:
    rng = random.Random(seed)  # the same rows every time
    return [b"%d\t%d\t2026-11-30\n" % (number, rng.getrandbits(60)) for number in range(count)]


def _blocks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@given(st.binary(max_size=5_000), st.integers(1, 700), st.integers(1, 900))
def test_fixed_chunks_are_the_data_in_order_whatever_the_blocks(data: bytes, size: int, block: int) -> None:
    chunks = list(fixed(_blocks(data, block), size))
    assert b"".join(chunks) == data
    assert all(len(chunk) == size for chunk in chunks[:-1])


@settings(max_examples=8)
@given(st.integers(0, 12), st.sampled_from([1_000, 70_001, 3_000_000]))
def test_content_cuts_do_not_depend_on_how_the_data_comes(megabytes: int, block: int) -> None:
    data = b"".join(_rows(megabytes * 30_000, megabytes))
    chunks = list(content_defined(_blocks(data, block)))
    assert b"".join(chunks) == data
    assert all(LEAST <= len(chunk) <= MOST for chunk in chunks[:-1])
    assert chunks == list(content_defined([data]))


def test_a_change_in_the_middle_leaves_the_chunks_around_it_alone() -> None:
    rows = _rows(600_000, 1)
    before = set(content_defined([b"".join(rows)]))
    del rows[300_000:300_007]
    rows[100_000:100_000] = [b"another row\n"] * 3
    after = list(content_defined([b"".join(rows)]))
    assert len([chunk for chunk in after if chunk not in before]) <= 4


def test_what_never_says_where_to_cut_is_cut_at_the_longest() -> None:
    chunks = list(content_defined([bytes(3 * MOST + 5)]))
    assert [len(chunk) for chunk in chunks] == [MOST, MOST, MOST, 5]
