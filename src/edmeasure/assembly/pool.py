"""The items that forms are made of: what is known of each, and how much it tells at which ability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.adaptive.cat import DIFFERENCE, ItemBank
from edmeasure.errors import BadOption, BadShape

Column = npt.NDArray[np.float64] | npt.NDArray[np.str_]


@dataclass(frozen=True)
class Between:
    """A range of numbers, ends included; without ends, any number that is there."""

    low: float = -np.inf
    high: float = np.inf

    def __str__(self) -> str:
        if np.isinf(self.low) and np.isinf(self.high):
            return "given"
        if np.isinf(self.high):
            return f"from {self.low:g}"
        return f"up to {self.high:g}" if np.isinf(self.low) else f"{self.low:g} to {self.high:g}"


Where = Mapping[str, object]


@dataclass(frozen=True, eq=False)
class ItemPool:
    """Items with their attributes and information.

    Attributes
    ----------
    item_ids : tuple of str (J,)
    attributes : columns by name, each (J,)
        Numbers (NaN where unknown) or text.
    points : float64 (P,)
        Abilities at which information is counted.
    information : float64 (J, P)
    stimuli : int64 (J,)
        Place of every item's stimulus in ``stimulus_ids``, -1 for items that stand alone.
    stimulus_attributes : columns by name, each as long as ``stimulus_ids``
    """

    item_ids: tuple[str, ...]
    attributes: Mapping[str, Column]
    points: FloatArray
    information: FloatArray
    stimuli: IntArray
    stimulus_ids: tuple[str, ...]
    stimulus_attributes: Mapping[str, Column]

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    def items_where(self, where: Where) -> BoolArray:
        """Which items meet every condition (J,)."""
        return _matching(self.attributes, where, self.n_items, "item")

    def stimuli_where(self, where: Where) -> BoolArray:
        """Which stimuli meet every condition."""
        return _matching(self.stimulus_attributes, where, len(self.stimulus_ids), "stimulus")

    def places(self, item_ids: Sequence[str]) -> IntArray:
        """Positions of items by id."""
        known = {name: at for at, name in enumerate(self.item_ids)}
        strangers = [name for name in item_ids if name not in known]
        if strangers:
            raise BadOption(f"Items {strangers[:10]} are not in the pool.", remedy="Use the pool's item ids.")
        return np.array([known[name] for name in item_ids], dtype=np.int64)

    def numbers(self, attribute: str) -> FloatArray:
        """A numeric attribute without gaps."""
        if attribute not in self.attributes:
            raise BadOption(f"There is no attribute {attribute!r}.", remedy=f"Use one of {sorted(self.attributes)}.")
        column = self.attributes[attribute]
        if column.dtype.kind != "f":
            raise BadOption(f"The attribute {attribute!r} is text.", remedy="Sum attributes that are numbers.")
        gaps = np.flatnonzero(~np.isfinite(column.astype(np.float64)))
        if gaps.size:
            raise BadOption(
                f"Item {self.item_ids[gaps[0]]} has no {attribute}.", remedy="Give a number to every item, or leave those out."
            )
        return column.astype(np.float64)

    def __str__(self) -> str:
        sets = f" in {len(self.stimulus_ids)} stimuli" if self.stimulus_ids else ""
        return f"{self.n_items:,} items{sets}, {len(self.attributes)} attributes, information at {self.points.size} points"


def item_pool(
    items: ItemBank | Sequence[str],
    *,
    points: npt.ArrayLike = (),
    information: npt.ArrayLike | None = None,
    attributes: Mapping[str, Sequence[object] | npt.NDArray[np.generic]] | None = None,
    stimuli: Sequence[object] | None = None,
    stimulus_attributes: Mapping[str, Mapping[str, object]] | None = None,
) -> ItemPool:
    """A pool of a calibrated bank, or of items whose information is known.

    Parameters
    ----------
    items
        A bank, whose information is computed at ``points`` and whose areas become the attribute ``area``; or item ids.
    information : (J, P)
        With item ids only; none for goals that need none.
    attributes
        Columns of J numbers or texts; None and NaN are unknown and meet no condition.
    stimuli
        Name of every item's stimulus; None or "" for items that stand alone.
    stimulus_attributes
        For every attribute, its value by stimulus.
    """
    at = np.atleast_1d(np.asarray(points, dtype=np.float64))
    if at.ndim != 1 or not np.isfinite(at).all():
        raise BadOption("points are not finite numbers.", remedy="Give abilities such as (-1, 0, 1).")
    names = items.item_ids if isinstance(items, ItemBank) else _validate.item_names(items, len(items))
    if not names:
        raise BadShape("The pool has no item.", remedy="Give at least one.")
    columns = {name: _column(values, len(names), name) for name, values in (attributes or {}).items()}
    if isinstance(items, ItemBank):
        table = information_at(items, at)
        columns.setdefault("area", np.array([items.area_names[area] for area in items.areas], dtype=np.str_))
    else:
        table = np.zeros((len(names), at.size)) if information is None else np.array(information, dtype=np.float64)
    if table.shape != (len(names), at.size):
        raise BadShape(f"information has shape {table.shape}.", remedy=f"Give {len(names)} items x {at.size} points.")
    bad = np.flatnonzero(~(np.isfinite(table) & (table >= 0)).all(axis=1))
    if bad.size:
        raise BadOption(f"Item {names[bad[0]]} has negative or unknown information.", remedy="Give numbers of 0 or more.")
    codes, stimulus_ids = _stimuli(stimuli, len(names))
    known = {
        name: _column([values.get(one) for one in stimulus_ids], len(stimulus_ids), name)
        for name, values in (stimulus_attributes or {}).items()
    }
    return ItemPool(tuple(names), columns, at, table, codes, stimulus_ids, known)


def information_at(bank: ItemBank, points: FloatArray) -> FloatArray:
    """Fisher information (J, P) as the expected square of the derivative of log P (Lord 1980)."""
    middle, above, below = (bank.items.log_probabilities(points + step) for step in (0.0, DIFFERENCE, -DIFFERENCE))
    slope = (above - below) / (2 * DIFFERENCE)
    return np.asarray(np.add.reduceat(np.exp(middle) * slope**2, bank.category_start[:-1], axis=0))


def _column(values: Sequence[object] | npt.NDArray[np.generic], n: int, name: str) -> Column:
    """Numbers where every known value is one, else text with "" for what is unknown."""
    given = list(values.tolist() if isinstance(values, np.ndarray) else values)
    if len(given) != n:
        raise BadShape(f"The attribute {name} has {len(given)} values for {n}.", remedy="Give one value each.")
    known = [one for one in given if one is not None and one == one and one != ""]
    if all(isinstance(one, int | float | np.number) for one in known):
        return np.array([np.nan if one is None or one == "" else one for one in given], dtype=np.float64)
    return np.array(["" if one is None or one != one else str(one) for one in given], dtype=np.str_)


def _stimuli(stimuli: Sequence[object] | None, n: int) -> tuple[IntArray, tuple[str, ...]]:
    if stimuli is None:
        return np.full(n, -1, dtype=np.int64), ()
    labels = _column(list(stimuli), n, "stimuli")
    names = [("" if label != label else f"{label:g}") if labels.dtype.kind == "f" else str(label) for label in labels.tolist()]
    order = {name: at for at, name in enumerate(dict.fromkeys(name for name in names if name))}
    return np.array([order.get(name, -1) for name in names], dtype=np.int64), tuple(order)


def _matching(columns: Mapping[str, Column], where: Where, n: int, what: str) -> BoolArray:
    found = np.ones(n, dtype=np.bool_)
    for name, wanted in where.items():
        if name not in columns:
            raise BadOption(f"There is no {what} attribute {name!r}.", remedy=f"Use one of {sorted(columns)}.")
        found &= _meets(columns[name], wanted, name)
    return found


def _meets(column: Column, wanted: object, name: str) -> BoolArray:
    is_number = column.dtype.kind == "f"
    if isinstance(wanted, Between):
        if is_number:
            return np.asarray((column >= wanted.low) & (column <= wanted.high))  # type: ignore[operator]
        if wanted == Between():
            return np.asarray(column != "")
        raise BadOption(f"The attribute {name!r} is text.", remedy="Name its values instead of a range.")
    values = list(wanted) if isinstance(wanted, tuple | list | set | frozenset) else [wanted]
    if not is_number:
        return np.isin(column, [str(value) for value in values])
    if any(isinstance(value, str) or not isinstance(value, int | float | np.number) for value in values):
        raise BadOption(f"The attribute {name!r} holds numbers, not {wanted!r}.", remedy="Compare it with numbers.")
    return np.isin(column, np.array(values, dtype=np.float64))


def words_of(where: Where) -> str:
    """The conditions as a person would say them."""
    parts = []
    for name, wanted in where.items():
        if isinstance(wanted, tuple | list | set | frozenset):
            parts.append(f"{name} {' or '.join(map(_word, sorted(wanted, key=str)))}")
        else:
            parts.append(f"{name} {_word(wanted)}")
    return " and ".join(parts)


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
