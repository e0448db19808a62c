"""What a form must look like: numbers of items and stimuli, content, sums, enemies, items in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from edmeasure.assembly.pool import ItemPool, Where, words_of
from edmeasure.errors import BadOption

Number = int | tuple[int, int]


@dataclass(frozen=True)
class ContentBound:
    """How many items (or, ``of="stimuli"``, stimuli) meet the conditions.

    Attributes
    ----------
    where : conditions by attribute
        A value, several values of which one must hold, or a `Between`; all conditions together.
    at_least, at_most : int
    name : str
        What the blueprint calls it; told in front of the words.
    of : "items" or "stimuli"
    """

    where: Where
    at_least: int = 0
    at_most: int | None = None
    name: str = ""
    of: str = "items"

    def __post_init__(self) -> None:
        """Refuse bounds that exclude each other."""
        if self.of not in ("items", "stimuli"):
            raise BadOption(f"of is {self.of!r}.", remedy="Use 'items' or 'stimuli'.")
        _check_order(self.at_least, self.at_most, str(self))

    def __str__(self) -> str:
        limits = _range_words(self.at_least, self.at_most, self.of)
        return _named(self.name, f"{limits} with {words_of(self.where)}" if self.where else limits)


@dataclass(frozen=True)
class SumBound:
    """The sum of a numeric attribute, such as minutes or words, over a form's items that meet the conditions."""

    attribute: str
    at_least: float | None = None
    at_most: float | None = None
    where: Where = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse bounds that exclude each other."""
        _check_order(self.at_least, self.at_most, str(self))

    def __str__(self) -> str:
        limits = _range_words(self.at_least, self.at_most, f"{self.attribute} in all")
        return _named(self.name, f"{limits} over items with {words_of(self.where)}" if self.where else limits)


@dataclass(frozen=True)
class Blueprint:
    """The rules of one form.

    Attributes
    ----------
    n_items : int or (least, most)
    content, sums : bounds
    enemies : groups of item ids
        At most one item of each group is in a form.
    together : groups of item ids
        All of a group or none.
    n_stimuli, items_per_stimulus : int or (least, most), or None
        Once either is given, items of a stimulus come with it only.
    enemy_stimuli : groups of stimulus ids
    fixed, forbidden : item ids
        In every form; in none.
    """

    n_items: Number
    content: tuple[ContentBound, ...] = ()
    sums: tuple[SumBound, ...] = ()
    enemies: tuple[tuple[str, ...], ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    n_stimuli: Number | None = None
    items_per_stimulus: Number | None = None
    enemy_stimuli: tuple[tuple[str, ...], ...] = ()
    fixed: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse numbers that no form can have."""
        for given, name in (
            (self.n_items, "n_items"),
            (self.n_stimuli, "n_stimuli"),
            (self.items_per_stimulus, "items_per_stimulus"),
        ):
            if given is None:
                continue
            low, high = both_ends(given)
            if low < 0:
                raise BadOption(f"{name} is {given}.", remedy="Use 0 or more.")
            _check_order(low, high, name)

    @property
    def has_sets(self) -> bool:
        """Whether stimuli play a part."""
        is_about_stimuli = any(bound.of == "stimuli" for bound in self.content)
        return bool(self.n_stimuli is not None or self.items_per_stimulus is not None or self.enemy_stimuli or is_about_stimuli)


def both_ends(number: Number) -> tuple[int, int]:
    """Least and most."""
    return (number, number) if isinstance(number, int | np.integer) else (int(number[0]), int(number[1]))


def each_value(
    pool: ItemPool, attribute: str, *, at_least: int = 0, at_most: int | None = None, of: str = "items"
) -> tuple[ContentBound, ...]:
    """The same bound for every value that an attribute takes in the pool."""
    columns = pool.attributes if of == "items" else pool.stimulus_attributes
    if attribute not in columns:
        raise BadOption(f"There is no attribute {attribute!r}.", remedy=f"Use one of {sorted(columns)}.")
    values = [value for value in np.unique(columns[attribute]).tolist() if value == value and value != ""]
    return tuple(ContentBound({attribute: value}, at_least, at_most, of=of) for value in values)


def two_way_bounds(rows: str, columns: str, table: Mapping[tuple[object, object], Number]) -> tuple[ContentBound, ...]:
    """A two-way table of specifications: numbers of items by the values of two attributes, as content by cognitive level."""
    found = []
    for (row, column), number in table.items():
        low, high = both_ends(number)
        found.append(ContentBound({rows: row, columns: column}, low, high))
    return tuple(found)


def number_words(number: Number, what: str) -> str:
    """A number of items or stimuli as words."""
    return _range_words(*both_ends(number), what)


def group_words(names: Sequence[str]) -> str:
    """A group of ids, shortened where it is long."""
    shown = ", ".join(names[:6])
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"


def _range_words(low: float | None, high: float | None, what: str) -> str:
    if low is not None and high is not None and low == high:
        return f"{low:g} {what}"
    if high is None:
        return f"at least {low or 0:g} {what}"
    return f"at most {high:g} {what}" if not low else f"{low:g} to {high:g} {what}"


def _named(name: str, words: str) -> str:
    return f"{name}: {words}" if name else words


def _check_order(low: float | None, high: float | None, words: str) -> None:
    if any(bound is not None and not bound == bound for bound in (low, high)):
        raise BadOption(f"A bound is NaN: {words}.", remedy="Give numbers or None.")
    if low is not None and high is not None and low > high:
        raise BadOption(f"The lower bound is above the upper: {words}.", remedy="Exchange them.")
