"""Q-matrices: which attributes every item asks for, and what that lets one tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._validate import BoolArray, Int8Array, IntArray
from edmeasure.diagnosis._latent_classes import Model, latent_classes
from edmeasure.errors import BadOption, BadShape

MODELS: tuple[Model, ...] = ("dina", "dino", "gdina", "acdm", "llm", "rrum")
"""Models of an item."""

MOST_PATTERNS = 65_536
FEWEST_ITEMS = 3


@dataclass(frozen=True, eq=False)
class QMatrix:
    """0/1 entries (n_items, n_attributes): the attributes that every item requires.

    Attributes
    ----------
    entries : int8 (n_items, n_attributes)
    item_ids, attribute_names : tuple of str
    patterns : int8 (n_patterns, n_attributes)
        Attribute patterns that the prerequisites permit, fewest attributes first.
    """

    entries: Int8Array
    item_ids: tuple[str, ...]
    attribute_names: tuple[str, ...]
    patterns: Int8Array

    @classmethod
    def from_array(
        cls,
        entries: npt.ArrayLike,
        *,
        item_ids: Sequence[str] | None = None,
        attribute_names: Sequence[str] | None = None,
        prerequisites: Sequence[tuple[str, str]] = (),
    ) -> QMatrix:
        """Check and wrap a matrix.

        Parameters
        ----------
        prerequisites
            Pairs (earlier, later) of attribute names: nobody masters ``later`` without ``earlier``.

        Raises
        ------
        BadShape, BadOption
            For entries other than 0 and 1, items or attributes that ask for nothing, a circle of
            prerequisites, or more than 65,536 permitted patterns: those of 16 attributes without
            prerequisites, of many more with them.
        """
        whole, ids, names = checked_entries(entries, item_ids, attribute_names)
        return cls(whole, ids, names, permitted_patterns(names, prerequisites))

    @property
    def n_attributes(self) -> int:
        return int(self.entries.shape[1])

    def rows_of(self, item_ids: Sequence[str]) -> Int8Array:
        """Entries in the order of these items."""
        known = {name: row for row, name in enumerate(self.item_ids)}
        strangers = [name for name in item_ids if name not in known]
        if strangers:
            raise BadShape(f"Items {strangers[:10]} are not in the Q-matrix.", remedy="Add their rows, or leave them out.")
        return np.ascontiguousarray(self.entries[[known[name] for name in item_ids]])


@dataclass(frozen=True, eq=False)
class Identifiability:
    """What a Q-matrix can tell apart, before any data.

    Attributes
    ----------
    items_per_attribute, items_alone : int64 (n_attributes,)
        Items that require the attribute, and items that require nothing else.
    n_patterns, n_classes : int
        Permitted patterns, and the classes that the items' models tell apart.
    warnings : tuple of str
        Conditions that fail, empty when all hold.
    """

    items_per_attribute: IntArray
    items_alone: IntArray
    n_patterns: int
    n_classes: int
    warnings: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Every two permitted patterns differ in their chances on some item."""
        return self.n_classes == self.n_patterns

    def __str__(self) -> str:
        told = f"{self.n_classes} of {self.n_patterns} attribute patterns are told apart"
        return "\n".join([told, *self.warnings])


def checked_entries(
    entries: npt.ArrayLike, item_ids: Sequence[str] | None, attribute_names: Sequence[str] | None
) -> tuple[Int8Array, tuple[str, ...], tuple[str, ...]]:
    """Entries that ask every item and attribute for something, with the names of both."""
    matrix = np.asarray(entries)
    if matrix.ndim != 2 or matrix.size == 0:
        raise BadShape(f"The Q-matrix has shape {matrix.shape}.", remedy="Pass (n_items, n_attributes).")
    if not np.isin(matrix, (0, 1)).all():
        raise BadOption("The Q-matrix holds values other than 0 and 1.", remedy="Code required attributes 1, others 0.")
    names = _attribute_names(attribute_names, matrix.shape[1])
    ids = _validate.item_names(item_ids, matrix.shape[0])
    idle = [ids[j] for j in np.flatnonzero(matrix.sum(axis=1) == 0)]
    if idle:
        raise BadOption(f"Items {idle[:10]} require no attribute.", remedy="Name their attributes or leave them out.")
    unasked = [names[k] for k in np.flatnonzero(matrix.sum(axis=0) == 0)]
    if unasked:
        raise BadOption(f"No item requires the attributes {unasked[:10]}.", remedy="Leave them out.")
    whole = np.ascontiguousarray(matrix, dtype=np.int8)
    return whole, ids, names


def _attribute_names(given: Sequence[str] | None, n: int) -> tuple[str, ...]:
    names = tuple(f"A{k + 1}" for k in range(n)) if given is None else tuple(str(name) for name in given)
    if len(names) != n or len(set(names)) != n:
        raise BadShape(f"{len(set(names))} different names for {n} attributes.", remedy="Give every attribute its own name.")
    return names


def permitted_patterns(attribute_names: Sequence[str], prerequisites: Sequence[tuple[str, str]]) -> Int8Array:
    """Patterns without an attribute whose prerequisite is lacking (Leighton, Gierl & Hunka 2004)."""
    return _closed_sets(order_of(attribute_names, prerequisites))


def order_of(attribute_names: Sequence[str], prerequisites: Sequence[tuple[str, str]]) -> BoolArray:
    """Whether the row's attribute comes before the column's, directly or by others between (n, n)."""
    place = {name: k for k, name in enumerate(attribute_names)}
    n = len(place)
    comes_before: BoolArray = np.zeros((n, n), dtype=np.bool_)
    for earlier, later in prerequisites:
        for name in (earlier, later):
            if name not in place:
                raise BadOption(f"The prerequisite names {name!r}.", remedy=f"Use the attributes {list(attribute_names)}.")
        comes_before[place[earlier], place[later]] = True
    for k in range(n):
        comes_before |= np.outer(comes_before[:, k], comes_before[k])
    circle = [attribute_names[k] for k in np.flatnonzero(np.diag(comes_before)).tolist()]
    if circle:
        raise BadOption(f"The attributes {circle} are their own prerequisites.", remedy="Take one pair of the circle out.")
    return comes_before


def _closed_sets(comes_before: BoolArray) -> Int8Array:
    """Patterns that hold every prerequisite of what they hold, fewest attributes first."""
    n = comes_before.shape[0]
    patterns = np.zeros((1, n), dtype=np.int8)
    # earlier attributes come first, so that a pattern's prerequisites are known when it grows
    for k in np.argsort(comes_before.sum(axis=0), kind="stable"):
        able = patterns[patterns[:, comes_before[:, k]].all(axis=1)]
        able[:, k] = 1
        patterns = np.vstack([patterns, able])
        if patterns.shape[0] > MOST_PATTERNS:
            raise BadOption(
                f"{n} attributes have more than {MOST_PATTERNS} patterns.",
                remedy="Name prerequisites, join attributes, or diagnose parts of the test.",
            )
    order = np.lexsort((*(-patterns.T[::-1]), patterns.sum(axis=1)))
    return np.ascontiguousarray(patterns[order])


def identifiability(q_matrix: QMatrix, *, models: Model | Sequence[Model]) -> Identifiability:
    """Check the known conditions under which parameters and pattern probabilities are identified.

    Parameters
    ----------
    models
        One of "dina", "dino", "gdina", "acdm", "llm", "rrum" for all items, or one for every item.

    Notes
    -----
    With all patterns permitted, DINA and DINO are identified if and only if every attribute has an
    item of its own, every attribute has three items, and the columns that are left without those
    items differ (Gu & Xu 2019, Psychometrika 84). For models with more parameters two items of its
    own for every attribute are part of the known sufficient conditions (Xu 2017, Ann. Stat. 45).
    With prerequisites fewer items may do, and the warnings are only hints.
    """
    entries, names = q_matrix.entries, q_matrix.attribute_names
    every = [models] * entries.shape[0] if isinstance(models, str) else list(models)
    if len(every) != entries.shape[0]:
        raise BadShape(f"{len(every)} models for {entries.shape[0]} items.", remedy="Give one for every item, or one for all.")
    for model in every:
        _validate.choice(model, "models", MODELS)
    classes = latent_classes(entries, every, q_matrix.patterns)
    alone = entries[entries.sum(axis=1) == 1].sum(axis=0).astype(np.int64)
    asked = entries.sum(axis=0).astype(np.int64)
    warnings = [
        f"attribute {names[k]} is required by {asked[k]} items, fewer than {FEWEST_ITEMS}"
        for k in np.flatnonzero(asked < FEWEST_ITEMS)
    ]
    needed = 1 if set(every) <= {"dina", "dino"} else 2
    warnings += [
        f"attribute {names[k]} has {alone[k]} items of its own, fewer than {needed}" for k in np.flatnonzero(alone < needed)
    ]
    if (alone > 0).all():
        warnings += _twins(entries, names)
    if classes.n_classes < q_matrix.patterns.shape[0]:
        shared = int((np.bincount(classes.class_of_pattern)[classes.class_of_pattern] > 1).sum())
        warnings.append(
            f"{shared} of {q_matrix.patterns.shape[0]} patterns look like others to every item and share their probability"
        )
    return Identifiability(asked, alone, q_matrix.patterns.shape[0], classes.n_classes, tuple(warnings))


def _twins(entries: Int8Array, names: tuple[str, ...]) -> list[str]:
    """Attributes whose columns are the same once one item of its own is taken out for every attribute."""
    single = entries.sum(axis=1) == 1
    first = [int(np.flatnonzero(single & (entries[:, k] == 1))[0]) for k in range(entries.shape[1])]
    rest = np.delete(entries, first, axis=0)
    return [
        f"attributes {names[a]} and {names[b]} are required by the same items besides one item of their own"
        for a in range(entries.shape[1])
        for b in range(a)
        if np.array_equal(rest[:, a], rest[:, b])
    ]
