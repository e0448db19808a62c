"""No group that is shown is too small, and no total tells one that is hidden."""

from fractions import Fraction
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.datahub.data import OpenColumn, OpenShape, OpenTreatment
from shuren.datahub.rules.open_data.check import judge
from shuren.datahub.rules.open_data.files import csv_of
from shuren.datahub.rules.open_data.groups import Group, Key, Measured, children_of, hidden_nodes, is_small, joined, nodes_of
from shuren.datahub.rules.open_data.noise import noise

COLUMNS = tuple(OpenColumn(name, OpenTreatment.EXACT) for name in ("county", "sex", "grade"))
keys = st.tuples(st.sampled_from("abc"), st.sampled_from("mf"), st.sampled_from("12"))


@st.composite
def groups(draw: st.DrawFn) -> Group:
    n = draw(st.integers(1, 30))
    values = [draw(st.integers(0, 2)) for _ in range(draw(st.integers(0, n)))] if draw(st.booleans()) else []
    measured = Measured(len(values), float(sum(values)), min(values, default=None), max(values, default=None))
    return Group(n, (measured,))


@given(st.dictionaries(keys, groups(), min_size=1), st.integers(3, 10))
def test_what_is_shown_is_large_and_what_is_hidden_is_kept_by_its_totals(leaves: dict[Key, Group], k: int) -> None:
    hidden, nodes = hidden_nodes(leaves, k), nodes_of(leaves)
    for key, group in nodes.items():
        assert key in hidden or not is_small(group, k)
        # What lies in a hidden group is hidden.
        assert not key or key[:-1] not in hidden or key in hidden
    for parent, children in children_of(nodes).items():
        gone = [nodes[key] for key in children if key in hidden]
        if parent not in hidden and gone:
            together = joined(gone)
            assert len(gone) > 1
            assert not is_small(together, k)
            assert together.n - len(gone) >= k


@given(st.dictionaries(keys, st.builds(Group, st.integers(1, 12)), min_size=1), st.integers(3, 6))
def test_nobody_can_reckon_a_hidden_group_from_all_that_is_shown(leaves: dict[Key, Group], k: int) -> None:
    """Every shown group and total is an equation in the single groups; a hidden one must follow from none of them."""
    hidden, nodes, singles = hidden_nodes(leaves, k), nodes_of(leaves), sorted(leaves)

    def row_of(key: Key) -> list[float]:
        return [float(single[: len(key)] == key) for single in singles]

    told = [row_of(key) for key in nodes if key not in hidden]
    rank = np.linalg.matrix_rank(np.array(told)) if told else 0
    for key in hidden:
        assert np.linalg.matrix_rank(np.array([*told, row_of(key)])) > rank


def test_one_small_group_takes_another_with_it() -> None:
    leaves = {("a", "m"): Group(20), ("a", "f"): Group(2), ("b", "m"): Group(30), ("b", "f"): Group(9)}
    assert hidden_nodes(leaves, 5) == {("a", "f"), ("a", "m")}
    # Nothing beside it: the total goes, and the smallest other total with it.
    assert hidden_nodes({("a", "m"): Group(2), ("b", "m"): Group(9), ("c", "m"): Group(40)}, 5) == {
        *[("a",), ("a", "m"), ("b",), ("b", "m")]
    }
    assert hidden_nodes({("a",): Group(2), ("b",): Group(2)}, 5) == {(), ("a",), ("b",)}


def test_a_mean_of_equal_values_or_of_few_counts_as_small() -> None:
    assert is_small(Group(50, (Measured(50, 100.0, 2.0, 2.0),)), 5)
    assert is_small(Group(50, (Measured(4, 10.0, 1.0, 4.0),)), 5)
    assert not is_small(Group(50, (Measured(50, 100.0, 1.0, 4.0),)), 5)
    assert not is_small(Group(50, (Measured(),)), 5)


def test_the_check_fails_with_counts_and_says_what_helps() -> None:
    leaves: dict[Key, Group] = {key: Group(10) for key in product("ab", "mf", "12")}
    leaves["a", "m", "1"] = Group(1)
    coarser = {0: lambda _value: "all"}
    found = judge(leaves, COLUMNS, shape=OpenShape.GROUPS, suppresses=False, k=5, coarser=coarser).check
    assert (found.is_passed, found.groups, found.rows, found.small, found.rows_small) == (False, 8, 71, 1, 1)
    helps = {(one.action, one.column): one.small for one in found.remedies}
    assert helps == {
        ("coarsen", "county"): 0,
        ("drop", "county"): 0,
        ("drop", "sex"): 0,
        ("drop", "grade"): 0,
        ("suppress", ""): 0,
    }
    kept = judge(leaves, COLUMNS, shape=OpenShape.GROUPS, suppresses=True, k=5, coarser={})
    assert kept.check.is_passed
    assert kept.check.hidden == len(kept.hidden) == 2
    assert judge(leaves, COLUMNS, shape=OpenShape.RECORDS, suppresses=True, k=5, coarser={}).hidden == {("a", "m", "1")}
    assert judge(leaves, COLUMNS, shape=OpenShape.GROUPS, suppresses=False, k=0, coarser={}).check.is_passed
    everything: dict[Key, Group] = {("a", "m", "1"): Group(1), ("a", "f", "1"): Group(2)}
    assert not judge(everything, COLUMNS, shape=OpenShape.GROUPS, suppresses=True, k=5, coarser={}).check.is_passed
    assert not judge({}, COLUMNS, shape=OpenShape.GROUPS, suppresses=True, k=5, coarser={}).check.is_passed


@pytest.mark.parametrize("epsilon", [Fraction(1, 2), Fraction(1), Fraction(3, 2)])
def test_noise_is_two_sided_geometric(epsilon: Fraction) -> None:
    """Frequencies against p(y) = (1-a)/(1+a)·a^|y|, a = exp(-ε); of a fair source the statistic stays below the bound."""
    chance, drawn = Random(20261130), 20_000
    found = [noise(epsilon, chance.randrange) for _ in range(drawn)]
    a = float(np.exp(-float(epsilon)))
    expected = {y: drawn * (1 - a) / (1 + a) * a ** abs(y) for y in range(-4, 5)}
    statistic = sum((found.count(y) - often) ** 2 / often for y, often in expected.items())
    # 9 cells, the tails left out: the 99.99 % point of chi-square with 9 degrees is 33.7.
    assert statistic < 33.7
    assert abs(float(np.mean(found))) < 5 * float(np.std(found)) / drawn**0.5


def test_the_file_is_safe_to_open_and_the_same_every_time() -> None:
    told = csv_of(("name", "count"), [("=1+1", 3), (None, None), ("甲,乙", True)])
    assert told.decode("utf-8-sig") == 'name,count\r\n\'=1+1,3\r\n,\r\n"甲,乙",true\r\n'
