"""The algorithm of a draw: fair, the same every time, and the same when somebody else writes it."""

import hashlib
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuren.casework.rules.draws import (
    DrawImpossible,
    Drawn,
    Stream,
    Ticket,
    assign,
    canonical,
    count_of,
    draw_objects,
    lottery,
    outcome,
    pools_of,
    read_tickets,
    seed_of,
    shares,
    short_of,
    shuffled,
)
from shuren.casework.tests.draw_cast import plain_outcome, plain_shuffle, pool, rules

GOLDEN_ORDER = "bdafgceh"
GOLDEN_SEED = "681a12225a102fb56f38565937364bff92be7beba698f97017fc4e2e4a2c49f3"
GOLDEN_DRAW = "fb2ff06a485593dfc9cb53855ce0145256792cabc70bb3e6894a56152423117f"

# 99.9 % of the chi-square distribution, by degrees of freedom.
CHI_SQUARE = {9: 27.88, 119: 172.7, 19: 43.82}


def seeds(count: int) -> list[bytes]:
    chance = random.Random(20261129)
    return [chance.randbytes(32) for _ in range(count)]


def chi_square(counts: Counter[object], cells: int) -> float:
    expected = sum(counts.values()) / cells
    return sum((counts[cell] - expected) ** 2 / expected for cell in counts) + (cells - len(counts)) * expected


def test_every_number_is_as_likely() -> None:
    counts: Counter[object] = Counter(Stream(seed, "x").below(10) for seed in seeds(5_000))
    assert chi_square(counts, 10) < CHI_SQUARE[9]


def test_every_order_of_five_is_as_likely() -> None:
    counts: Counter[object] = Counter(tuple(shuffled("abcde", seed, "x")) for seed in seeds(12_000))
    assert len(counts) == 120
    assert chi_square(counts, 120) < CHI_SQUARE[119]


def test_every_object_is_as_likely() -> None:
    objects = read_tickets(pool(20, 0)["objects"])
    counts: Counter[object] = Counter(ticket.id for seed in seeds(3_000) for ticket in draw_objects(objects, 5, seed))
    # Without replacement the counts vary less than independent ones would: the bound is on the safe side.
    assert chi_square(counts, 20) < CHI_SQUARE[19]


def test_the_uneven_rest_of_a_word_is_thrown_away() -> None:
    limit = 2**63 + 1  # nearly half of all words must be refused
    numbers = [Stream(seed, "rest").below(limit) for seed in seeds(200)]
    assert max(numbers) < limit
    assert sum(number < limit // 2 for number in numbers) in range(70, 131)


@settings(max_examples=60)
@given(st.binary(min_size=32, max_size=32), st.integers(1, 40), st.integers(1, 4), st.data())
def test_somebody_else_writing_it_gets_the_same(seed: bytes, schools: int, strata: int, data: st.DataObject) -> None:
    pools = pool(schools, 14, strata=strata)
    told = rules(data.draw(st.integers(0, schools)), each=data.draw(st.integers(1, 3)))
    assert outcome(told, pools, seed) == plain_outcome(told, pools, seed)


def test_golden_vectors() -> None:
    """Numbers that never change: whoever changes the protocol makes a new version of it."""
    seed = hashlib.sha256(b"shuren").digest()
    assert shuffled(list("abcdefgh"), seed, "golden") == plain_shuffle(list("abcdefgh"), seed, "golden")
    assert "".join(shuffled(list("abcdefgh"), seed, "golden")) == GOLDEN_ORDER
    assert seed_of(b"\x01" * 32, "上证 3421.07", "02" * 32).hex() == GOLDEN_SEED
    drawn = outcome(rules(3), pool(6, 12, strata=2), seed)
    assert hashlib.sha256(canonical(drawn)).hexdigest() == GOLDEN_DRAW


def test_seed_hangs_on_every_part() -> None:
    secret, digest = b"\x05" * 32, "ab" * 32
    told = hashlib.sha256(secret + "福彩 07 11 23".encode() + bytes.fromhex(digest)).digest()
    assert seed_of(secret, "福彩 07 11 23", digest) == told
    assert len({told, seed_of(b"\x06" * 32, "福彩 07 11 23", digest), seed_of(secret, "福彩 07 11 24", digest)}) == 3
    with pytest.raises(ValueError, match="32 bytes"):
        seed_of(b"short", "x", digest)


@given(st.dictionaries(st.text("甲乙丙丁abc", min_size=1, max_size=3), st.integers(0, 500), min_size=1, max_size=8), st.data())
def test_shares_are_fair(sizes: dict[str, int], data: st.DataObject) -> None:
    count = data.draw(st.integers(0, sum(sizes.values())))
    found = shares(sizes, count)
    assert sum(found.values()) == count
    for name, size in sizes.items():
        exact = size * count / max(1, sum(sizes.values()))
        assert 0 <= found[name] <= size
        assert abs(found[name] - exact) < 1


@settings(max_examples=150)
@given(st.data(), st.binary(min_size=32, max_size=32), st.integers(1, 3))
def test_conflicts_are_never_violated(data: st.DataObject, seed: bytes, each: int) -> None:
    people = [Ticket(f"p{n}", f"人员{n}") for n in range(data.draw(st.integers(1, 8)))]
    names = st.sets(st.sampled_from([person.id for person in people]))
    objects = [
        Ticket(f"s{n}", f"学校{n}", barred=dict.fromkeys(data.draw(names), 0)) for n in range(data.draw(st.integers(1, 12)))
    ]
    short = short_of(objects, people, each)
    if short:
        with pytest.raises(DrawImpossible) as failed:
            assign(objects, people, each, seed)
        assert failed.value.names == tuple(ticket.label for ticket in short)
        return
    for ticket, drawn in zip(objects, assign(objects, people, each, seed), strict=True):
        assert drawn.object == ticket.id
        assert len(set(drawn.inspectors)) == each
        assert not set(drawn.inspectors) & set(ticket.barred)


@given(st.integers(0, 60), st.integers(2, 12), st.binary(min_size=32, max_size=32))
def test_without_conflicts_nobody_gets_two_more_than_another(objects: int, inspectors: int, seed: bytes) -> None:
    things = [Ticket(f"s{n}", "") for n in range(objects)]
    people = [Ticket(f"p{n}", "") for n in range(inspectors)]
    load = Counter({person.id: 0 for person in people})
    load.update(name for drawn in assign(things, people, 2, seed) for name in drawn.inspectors)
    assert max(load.values()) - min(load.values()) <= 1


def test_the_order_in_which_pools_are_told_does_not_matter() -> None:
    objects = [Ticket(f"s{n}", "") for n in range(20)]
    assert pools_of(objects, []) == pools_of(reversed(objects), [])
    seed = bytes(32)
    assert draw_objects(objects, 4, seed) == draw_objects(objects[::-1], 4, seed)
    with pytest.raises(ValueError, match="twice"):
        pools_of([objects[0], objects[0]], [])


def test_lottery_orders_everybody() -> None:
    applicants = [Ticket(f"a{n}", f"BM-{n}") for n in range(30)]
    found = lottery(applicants, 10, bytes(32))
    assert sorted(drawn.object for drawn in found) == sorted(ticket.id for ticket in applicants)
    assert found[0] == Drawn(plain_shuffle(sorted(ticket.id for ticket in applicants), bytes(32), "lottery")[0])
    with pytest.raises(ValueError, match="more places"):
        lottery(applicants, 31, bytes(32))


@pytest.mark.parametrize(
    ("count", "percent", "expected"), [(5, None, 5), (500, None, 120), (None, 5, 6), (None, 1, 2), (None, 100, 120)]
)
def test_counts(count: int | None, percent: int | None, expected: int) -> None:
    assert count_of(120, count=count, percent=percent) == expected
