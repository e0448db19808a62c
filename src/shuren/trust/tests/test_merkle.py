import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuren.trust.data import DigestAlgorithm
from shuren.trust.rules.log.merkle import (
    Range,
    TreeHash,
    consistency_ranges,
    folded,
    inclusion_ranges,
    is_consistent,
    root_from_inclusion,
    root_over,
    split,
    tree_hash,
)

SHA = tree_hash(DigestAlgorithm.SHA256)
SM3 = tree_hash(DigestAlgorithm.SM3)

# The reference tree of the Certificate Transparency project (RFC 6962 test data).
CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def plain_root(leaves: list[bytes], hasher: TreeHash) -> bytes:
    """MTH as RFC 9162 section 2.1.1 writes it."""
    if not leaves:
        return hasher.plain(b"")
    if len(leaves) == 1:
        return leaves[0]
    middle = split(len(leaves))
    return hasher.node(plain_root(leaves[:middle], hasher), plain_root(leaves[middle:], hasher))


def some_leaves(count: int, hasher: TreeHash) -> list[bytes]:
    return [hasher.leaf(number.to_bytes(8, "big")) for number in range(count)]


def hashed(ranges: list[Range], leaves: list[bytes], hasher: TreeHash) -> list[bytes]:
    return [plain_root(leaves[begin:end], hasher) for begin, end in ranges]


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_certificate_transparency(count: int) -> None:
    assert folded([SHA.leaf(bytes.fromhex(leaf)) for leaf in CT_LEAVES[:count]], SHA).hex() == CT_ROOTS[count - 1]


def test_sm3_is_the_one_of_the_standard() -> None:
    # GB/T 32905-2016, appendix A.1
    assert SM3.plain(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


@given(count=st.integers(0, 70))
def test_folding_is_the_recursive_root(count: int) -> None:
    assert folded(some_leaves(count, SM3), SM3) == plain_root(some_leaves(count, SM3), SM3)


@given(count=st.integers(0, 70))
def test_a_streamed_root_is_the_root(count: int) -> None:
    items = [number.to_bytes(8, "big") for number in range(count)]
    assert root_over(iter(items), DigestAlgorithm.SM3) == plain_root(some_leaves(count, SM3), SM3)


@given(size=st.integers(1, 70), data=st.data())
def test_every_leaf_is_proved_and_no_other(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = some_leaves(size, SM3)
    root = plain_root(leaves, SM3)
    path = hashed(inclusion_ranges(index, size), leaves, SM3)
    assert root_from_inclusion(leaves[index], index, size, path, SM3) == root
    other = data.draw(st.integers(0, size).filter(lambda value: value != index))
    assert root_from_inclusion(leaves[index], other, size, path, SM3) != root
    assert root_from_inclusion(SM3.leaf(b"another"), index, size, path, SM3) != root
    assert root_from_inclusion(leaves[index], index, size, [*path, root], SM3) is None
    assert not path or root_from_inclusion(leaves[index], index, size, path[:-1], SM3) is None


@given(new=st.integers(0, 70), data=st.data())
def test_a_grown_tree_is_proved_and_a_rewritten_one_is_not(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, new))
    leaves = some_leaves(new, SHA)
    path = hashed(consistency_ranges(old, new), leaves, SHA)
    roots = plain_root(leaves[:old], SHA), plain_root(leaves, SHA)
    assert is_consistent(old, new, *roots, path, SHA)
    assert not is_consistent(old, new, SHA.leaf(b"another"), roots[1], path, SHA)
    assert not is_consistent(old, new, roots[0], SHA.leaf(b"another"), path, SHA) or old == 0
    assert not is_consistent(old, new, *roots, [*path, roots[1]], SHA)
    assert not path or not is_consistent(old, new, *roots, path[:-1], SHA)


@settings(max_examples=20)
@given(old=st.integers(1, 40), new=st.integers(1, 40))
def test_nothing_proves_a_shorter_log(old: int, new: int) -> None:
    if old > new:
        leaves = some_leaves(old, SHA)
        assert not is_consistent(old, new, plain_root(leaves, SHA), plain_root(leaves[:new], SHA), [], SHA)
        with pytest.raises(ValueError, match="does not grow"):
            consistency_ranges(old, new)
