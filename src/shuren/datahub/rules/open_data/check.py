"""The anonymity check: how many groups are too small, what would help, and what is left out. No group is ever named."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from shuren.datahub.data import OpenCheck, OpenColumn, OpenRemedy, OpenShape
from shuren.datahub.rules.open_data.groups import Group, Key, hidden_nodes, is_small, is_told, regrouped

# What a column's values become one step coarser, by the place of the column among the groups.
Coarser = Mapping[int, Callable[[object], object]]


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome, and the groups and totals that are not shown."""

    check: OpenCheck
    hidden: frozenset[Key]


def judge(
    leaves: Mapping[Key, Group],
    columns: tuple[OpenColumn, ...],
    *,
    shape: OpenShape,
    suppresses: bool,
    k: int,
    coarser: Coarser,
    left: Mapping[Key, Group] | None = None,
) -> Judged:
    """Look at every group of `columns`; `k` is 0 where nobody can be told from the data, `left` what a filter leaves out."""
    left = left or {}
    small = [key for key, group in leaves.items() if k and is_told(key, group, left, k)]
    hidden = _hidden(leaves, small, shape, suppresses=suppresses, k=k, left=left)
    gone = [key for key in leaves if key in hidden]
    # Totals are known, published or not: what a filter takes from one of them must not be small either.
    above = sum(group.n < k for key, group in left.items() if len(key) < len(columns))
    is_passed = bool(leaves) and len(gone) < len(leaves) and (suppresses or not (small or above))
    check = OpenCheck(
        is_passed=is_passed,
        k=k,
        groups=len(leaves),
        rows=sum(group.n for group in leaves.values()),
        small=len(small) + above,
        rows_small=sum(leaves[key].n for key in small),
        hidden=len(gone),
        remedies=tuple(_remedies(leaves, columns, shape, suppresses=suppresses, k=k, coarser=coarser)) if small else (),
    )
    return Judged(check, frozenset(hidden))


def _hidden(
    leaves: Mapping[Key, Group], small: list[Key], shape: OpenShape, *, suppresses: bool, k: int, left: Mapping[Key, Group]
) -> set[Key]:
    if not suppresses or not (small or left):
        return set()
    # Records have no totals that could betray who is missing.
    return hidden_nodes(leaves, k, left) if shape is OpenShape.GROUPS else set(small)


def _remedies(
    leaves: Mapping[Key, Group], columns: tuple[OpenColumn, ...], shape: OpenShape, *, suppresses: bool, k: int, coarser: Coarser
) -> Iterator[OpenRemedy]:
    for place, column in enumerate(columns):
        if place in coarser:
            turn = coarser[place]
            merged = regrouped(((*key[:place], turn(key[place]), *key[place + 1 :]), group) for key, group in leaves.items())
            yield OpenRemedy("coarsen", column.name, _small_in(merged, k))
        if len(columns) > 1:
            left = regrouped(((*key[:place], *key[place + 1 :]), group) for key, group in leaves.items())
            yield OpenRemedy("drop", column.name, _small_in(left, k))
    if not suppresses:
        small = [key for key, group in leaves.items() if is_small(group, k)]
        hidden = _hidden(leaves, small, shape, suppresses=True, k=k, left={})
        if any(key not in hidden for key in leaves):
            yield OpenRemedy("suppress", "", 0)


def _small_in(groups: Mapping[Key, Group], k: int) -> int:
    return sum(is_small(group, k) for group in groups.values())
