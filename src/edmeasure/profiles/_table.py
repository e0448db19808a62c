"""The gate of this package: persons in rows, questions or measures in columns, NaN where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._validate import BoolArray, FloatArray
from edmeasure.errors import BadOption, BadShape
from edmeasure.responses import Responses

NO_SPREAD = 1e-12
NAMED = 10

Data = Responses | npt.ArrayLike


@dataclass(frozen=True, eq=False)
class Table:
    """Values (n, J) with NaN for none, weights of mean one, names of the columns."""

    values: FloatArray
    weights: FloatArray
    item_ids: tuple[str, ...]

    @property
    def present(self) -> BoolArray:
        return ~np.isnan(self.values)

    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Weighted mean and deviation of every column over the persons who have it."""
        present = self.present
        weight = self.weights[:, None] * present
        total = weight.sum(axis=0)
        filled = np.where(present, self.values, 0.0)
        mean = (weight * filled).sum(axis=0) / total
        away = np.where(present, self.values - mean, 0.0)
        return mean, np.sqrt((weight * away**2).sum(axis=0) / total)


def read_table(data: Data, weights: npt.ArrayLike | None, item_ids: Sequence[str] | None, *, fewest: int = 3) -> Table:
    """Check persons and columns: at least ``fewest`` persons, and every column varies."""
    values, weights, names = _unchecked(data, weights, item_ids)
    checked = _validate.weight_vector(weights, values.shape[0])
    some = ~np.isnan(values).all(axis=1) & (checked > 0) if values.size else np.zeros(values.shape[0], dtype=np.bool_)
    if some.sum() < fewest or values.shape[1] == 0:
        raise BadShape(
            f"There are {values.shape[1]} columns and {int(some.sum())} persons with a value and a weight.",
            remedy=f"Pass at least {fewest} persons.",
        )
    if np.isinf(values).any():
        refuse_columns(names, np.isinf(values).any(axis=0), "hold infinity", "Replace it by a number or NaN.")
    empty = np.isnan(values[some]).all(axis=0)
    if empty.any():
        refuse_columns(names, empty, "hold no value", "Leave them out.")
    table = Table(values, checked * (checked.size / checked.sum()), names)
    mean, spread = table.moments()
    refuse_columns(names, ~(spread > NO_SPREAD * np.maximum(np.abs(mean), 1e-300)), "do not vary", "Leave them out.")
    return table


def read_values(data: Data, item_ids: Sequence[str]) -> FloatArray:
    """Values (n, J) of persons to whom an earlier fit is applied; its columns and no others."""
    names = data.item_ids if isinstance(data, Responses) else None
    if names is not None and names != tuple(item_ids):
        raise BadShape("The items are not those of the fit.", remedy="Pass the same ones in the same order.")
    values, _, _ = _unchecked(data, None, item_ids)
    refuse_columns(item_ids, np.isinf(values).any(axis=0), "hold infinity", "Replace it by a number or NaN.")
    return values


def _unchecked(
    data: Data, weights: npt.ArrayLike | None, item_ids: Sequence[str] | None
) -> tuple[FloatArray, npt.ArrayLike | None, tuple[str, ...]]:
    if isinstance(data, Responses):
        values = np.where(data.scores >= 0, data.scores, np.nan).astype(np.float64)
        names = data.item_ids if item_ids is None else _validate.item_names(item_ids, data.n_items)
        return values, data.weights if weights is None else weights, names
    given = np.asarray(data)
    if given.ndim != 2:
        raise BadShape(f"Data have {given.ndim} dimensions.", remedy="Pass a matrix of shape (n_persons, n_items).")
    if not (np.issubdtype(given.dtype, np.number) or given.dtype == np.bool_):
        raise BadOption(f"Data have the type {given.dtype}.", remedy="Pass numbers, NaN where there is none.")
    values = np.array(given, dtype=np.float64)
    return values, weights, _validate.item_names(item_ids, values.shape[1])


def refuse_columns(names: Sequence[str], bad: BoolArray | np.bool_, problem: str, remedy: str) -> None:
    """Name the columns that are bad, if any."""
    if bad.any():
        named = [names[at] for at in np.flatnonzero(np.asarray(bad))[:NAMED]]
        raise BadShape(f"Columns {', '.join(named)} {problem}.", remedy=remedy)


def complete(table: Table) -> FloatArray:
    """Values without gaps, or the refusal to guess them."""
    gaps = ~table.present
    if gaps.any():
        rows = np.flatnonzero(gaps.any(axis=1))
        raise BadOption(
            f"{rows.size} persons lack a value, at positions {rows[:NAMED].tolist()}.",
            remedy="Leave those persons out, or use scores (`score_eap`, `FactorAnalysis.scores`) as measures.",
        )
    return table.values
