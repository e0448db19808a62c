"""Which attributes depend on which: a network for diagnosis with more attributes than patterns can be counted for.

P(a) = prod_k P(a_k | a_parents(k)). Parents are prerequisites, without which nobody masters the attribute, and others
that only make it likelier. Without any the network is a tree learnt from data (Chow & Liu 1968).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import minimum_spanning_tree

from edmeasure._validate import BoolArray, FloatArray, Int8Array
from edmeasure.diagnosis.qmatrix import checked_entries, order_of
from edmeasure.errors import BadOption

MOST_PARENTS = 4
MOST_REQUIRED = 6
MOST_ATTRIBUTES = 256
LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class AttributeNetwork:
    """Items' attributes, and attributes' parents.

    Attributes
    ----------
    entries : int8 (n_items, n_attributes)
    item_ids, attribute_names : tuple of str
    parents : tuple of tuples of int
        Of every attribute, ascending.
    comes_before : bool (n_attributes, n_attributes)
        Whether the row's attribute is a prerequisite, direct or not, of the column's.
    is_given : bool
        Parents were given rather than learnt.
    """

    entries: Int8Array
    item_ids: tuple[str, ...]
    attribute_names: tuple[str, ...]
    parents: tuple[tuple[int, ...], ...]
    comes_before: BoolArray
    is_given: bool

    @classmethod
    def from_array(
        cls,
        entries: npt.ArrayLike,
        *,
        item_ids: Sequence[str] | None = None,
        attribute_names: Sequence[str] | None = None,
        prerequisites: Sequence[tuple[str, str]] = (),
        edges: Sequence[tuple[str, str]] | None = None,
    ) -> AttributeNetwork:
        """Check and wrap a Q-matrix of up to 256 attributes.

        Parameters
        ----------
        prerequisites
            Pairs (earlier, later): nobody masters ``later`` without ``earlier``.
        edges
            Pairs (parent, child) that depend on each other without being prerequisites; () for none, None to have a
            tree learnt from the data beside the prerequisites.

        Raises
        ------
        BadShape, BadOption
            As `QMatrix.from_array`, and for items of more than 6 attributes or attributes of more than 4 parents.
        """
        whole, ids, names = checked_entries(entries, item_ids, attribute_names)
        if len(names) > MOST_ATTRIBUTES:
            raise BadOption(f"There are {len(names)} attributes.", remedy=f"Use at most {MOST_ATTRIBUTES}.")
        heavy = [ids[j] for j in np.flatnonzero(whole.sum(axis=1) > MOST_REQUIRED)]
        if heavy:
            raise BadOption(f"Items {heavy[:10]} require many attributes.", remedy=f"Use at most {MOST_REQUIRED} for an item.")
        comes_before = order_of(names, prerequisites)
        order_of(names, [*prerequisites, *(edges or ())])
        place = {name: k for k, name in enumerate(names)}
        pairs = {
            (place[a], place[b]) for a, b in (*prerequisites, *(edges or ())) if not _is_implied(comes_before, place[a], place[b])
        }
        parents = tuple(tuple(sorted(a for a, b in pairs if b == k)) for k in range(len(names)))
        crowded = [names[k] for k, held in enumerate(parents) if len(held) > MOST_PARENTS]
        if crowded:
            raise BadOption(f"The attributes {crowded[:10]} have many parents.", remedy=f"Use at most {MOST_PARENTS}.")
        return cls(whole, ids, names, parents, comes_before, edges is not None)

    @property
    def n_attributes(self) -> int:
        return int(self.entries.shape[1])

    def needed(self, attribute: int) -> BoolArray:
        """Which parents of an attribute are its prerequisites."""
        return np.asarray(self.comes_before[list(self.parents[attribute]), attribute], dtype=np.bool_)

    def with_tree(self, chances: FloatArray, weights: FloatArray) -> AttributeNetwork:
        """Add the tree of highest mutual information among attributes of persons with these chances (n, K)."""
        information = _mutual_information(chances, weights)
        related = self.comes_before | self.comes_before.T
        for k, held in enumerate(self.parents):
            related[list(held), k] = related[k, list(held)] = True
        information[related] = 0.0
        tree = minimum_spanning_tree(-np.triu(information, 1)).toarray() < -LEAST
        tree |= tree.T
        rank = _ranks(self.comes_before, tree, information)
        parents = []
        for k, held in enumerate(self.parents):
            added = [int(other) for other in np.flatnonzero(tree[k]) if rank[other] < rank[k]]
            added.sort(key=lambda other, k=k: -information[other, k])  # type: ignore[misc]
            parents.append(tuple(sorted([*held, *added[: MOST_PARENTS - len(held)]])))
        return replace(self, parents=tuple(parents))

    def __str__(self) -> str:
        names = self.attribute_names
        lines = [f"{len(names)} attributes, {sum(map(len, self.parents))} edges"]
        for k, held in enumerate(self.parents):
            if held:
                marks = [names[a] + (" (needed)" if is_needed else "") for a, is_needed in zip(held, self.needed(k), strict=True)]
                lines.append(f"{names[k]} depends on {', '.join(marks)}")
        return "\n".join(lines)


def _is_implied(comes_before: BoolArray, a: int, b: int) -> bool:
    """Whether another prerequisite lies between, so that the pair says nothing new."""
    return bool(comes_before[a, b] and (comes_before[a] & comes_before[:, b]).any())


def _mutual_information(chances: FloatArray, weights: FloatArray) -> FloatArray:
    """Of every two attributes, with persons' attributes independent given their chances."""
    share = weights / weights.sum()
    single = share @ chances
    both = chances.T @ (share[:, None] * chances)
    total = np.zeros_like(both)
    for first, second, joint in (
        (single, single, both),
        (single, 1.0 - single, single[:, None] - both),
        (1.0 - single, single, single[None, :] - both),
        (1.0 - single, 1.0 - single, 1.0 - single[:, None] - single[None, :] + both),
    ):
        held = np.maximum(joint, LEAST)
        total += held * np.log(held / np.maximum(np.outer(first, second), LEAST))
    np.fill_diagonal(total, 0.0)
    return np.asarray(np.maximum(total, 0.0), dtype=np.float64)


def _ranks(comes_before: BoolArray, tree: BoolArray, information: FloatArray) -> npt.NDArray[np.int64]:
    """An order in which prerequisites come first and, without any, every attribute has one parent in the tree."""
    n = tree.shape[0]
    if comes_before.any():
        order = np.argsort(comes_before.sum(axis=0), kind="stable")
    else:
        found: list[int] = []
        for root in np.argsort(-(information * tree).sum(axis=1), kind="stable").tolist():
            waiting = [root]
            while waiting:
                k = waiting.pop(0)
                if k not in found:
                    found.append(k)
                    waiting += [int(other) for other in np.flatnonzero(tree[k])]
        order = np.array(found)
    rank = np.empty(n, dtype=np.int64)
    rank[order] = np.arange(n)
    return rank
