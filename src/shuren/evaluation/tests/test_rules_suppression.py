"""No withheld cell can be worked out from what is published: checked by linear algebra on random trees."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shuren.evaluation.rules.suppression import withheld_cells

MINIMUM = 10

trees = st.lists(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=5), min_size=1, max_size=5), min_size=1, max_size=5)


def levels_of(tree: list[list[list[int]]]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Counts and parents of districts, schools, classes under one city."""
    classes = np.array([count for district in tree for school in district for count in school], dtype=float)[:, None]
    class_parents = np.repeat(np.arange(sum(len(d) for d in tree)), [len(s) for d in tree for s in d])
    school_parents = np.repeat(np.arange(len(tree)), [len(d) for d in tree])
    schools = np.bincount(class_parents, weights=classes[:, 0])[:, None]
    districts = np.bincount(school_parents, weights=schools[:, 0])[:, None]
    city = np.array([[districts.sum()]])
    return [city, districts, schools, classes], [np.array([-1]), np.zeros(len(tree), dtype=int), school_parents, class_parents]


def withheld_of(counts: list[np.ndarray], parents: list[np.ndarray]) -> list[np.ndarray]:
    found = [(counts[0] > 0) & (counts[0] < MINIMUM)]
    for level in range(1, len(counts)):
        found.append(withheld_cells(counts[level], parents[level], found[-1], minimum=MINIMUM))
    return found


def system(
    counts: list[np.ndarray], parents: list[np.ndarray], withheld: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unknown = a class's total; every published unit is an equation. Rows of equations, rows of withheld units, totals."""
    n = counts[-1].shape[0]
    membership = [np.eye(n)]
    for level in range(len(counts) - 1, 0, -1):
        upper = np.zeros((counts[level - 1].shape[0], n))
        np.add.at(upper, parents[level], membership[0])
        membership.insert(0, upper)
    present = [part[:, 0] > 0 for part in counts]
    known = np.concatenate([m[p & ~w[:, 0]] for m, p, w in zip(membership, present, withheld, strict=True)])
    empty = membership[-1][~present[-1]]
    hidden = np.concatenate([m[p & w[:, 0]] for m, p, w in zip(membership, present, withheld, strict=True)])
    totals = np.concatenate([c[p & w[:, 0], 0] for c, p, w in zip(counts, present, withheld, strict=True)])
    return np.concatenate([known, empty]), hidden, totals


def is_in_row_space(equations: np.ndarray, row: np.ndarray) -> bool:
    if not equations.size:
        return False
    solution = np.linalg.lstsq(equations.T, row, rcond=None)[0]
    return bool(np.abs(equations.T @ solution - row).max() < 1e-8)


@given(trees)
def test_nothing_published_is_a_small_group(tree: list[list[list[int]]]) -> None:
    counts, parents = levels_of(tree)
    for level, hidden in zip(counts, withheld_of(counts, parents), strict=True):
        published = level[~hidden]
        assert ((published == 0) | (published >= MINIMUM)).all()


@given(trees)
def test_no_withheld_unit_can_be_computed_from_published_totals(tree: list[list[list[int]]]) -> None:
    counts, parents = levels_of(tree)
    if counts[0][0, 0] < MINIMUM:
        return
    equations, hidden, _totals = system(counts, parents, withheld_of(counts, parents))
    for row in hidden:
        assert not is_in_row_space(equations, row)


@given(trees)
def test_what_is_left_over_under_a_published_unit_covers_the_minimum(tree: list[list[list[int]]]) -> None:
    """The rest that subtraction gives, at any level, is never a small group."""
    counts, parents = levels_of(tree)
    withheld = withheld_of(counts, parents)
    rests = [np.where(withheld[-1], counts[-1], 0.0)]
    for level in range(len(counts) - 1, 0, -1):
        upper = np.zeros_like(counts[level - 1])
        np.add.at(upper, parents[level], rests[0])
        rests.insert(0, upper)
    for level in range(len(counts) - 1):
        shown = ~withheld[level]
        rest = rests[level][shown]
        assert ((rest == 0) | (rest >= MINIMUM)).all()


@given(trees)
def test_withholding_is_sparing(tree: list[list[list[int]]]) -> None:
    """Without a small group and with the level above published, nothing is withheld."""
    counts, parents = levels_of(tree)
    withheld = withheld_of(counts, parents)
    if all(((part == 0) | (part >= MINIMUM)).all() for part in counts):
        assert not any(part.any() for part in withheld)


def test_one_small_school_takes_its_smallest_neighbour_with_it() -> None:
    counts = np.array([[40.0], [5.0], [12.0], [30.0]])
    found = withheld_cells(counts, np.zeros(4, dtype=int), np.array([[False]]), minimum=MINIMUM)
    assert found[:, 0].tolist() == [False, True, True, False]


def test_two_small_schools_that_together_are_small_take_a_third() -> None:
    counts = np.array([[40.0], [5.0], [4.0], [30.0]])
    found = withheld_cells(counts, np.zeros(4, dtype=int), np.array([[False]]), minimum=MINIMUM)
    assert found[:, 0].tolist() == [False, True, True, True]


def test_under_a_withheld_school_enough_classes_stay_hidden_to_cover_the_minimum() -> None:
    counts = np.array([[12.0], [18.0], [25.0]])
    found = withheld_cells(counts, np.zeros(3, dtype=int), np.array([[True]]), minimum=MINIMUM)
    assert found[:, 0].tolist() == [True, False, False]


def test_cells_are_judged_column_by_column_and_empty_ones_tell_nothing() -> None:
    counts = np.array([[0.0, 20.0], [15.0, 3.0], [20.0, 14.0]])
    found = withheld_cells(counts, np.zeros(3, dtype=int), np.array([[False, False]]), minimum=MINIMUM)
    assert found.tolist() == [[False, False], [False, True], [False, True]]


def test_a_withheld_unit_has_its_cells_withheld_and_covered() -> None:
    counts = np.array([[20.0], [30.0], [25.0]])
    forced = np.array([[False], [True], [False]])
    found = withheld_cells(counts, np.zeros(3, dtype=int), np.array([[False]]), minimum=MINIMUM, forced=forced)
    assert found[:, 0].tolist() == [True, True, False]
