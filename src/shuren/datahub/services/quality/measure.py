"""What the rules of a dataset find: rules by units, in matrices, from as few readings of the dataset as there can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shuren.datahub.data import QualityDimension, QualityRule
from shuren.datahub.rules.quality.sql import ROSTER, Layout, row_pass, unique_pass
from shuren.datahub.selectors.sql import query

# Rows of the answer that are gathered before they go on: a few units with all their rules.
_UNITS_PER_BATCH = 500
TALLY_SCHEMA = pa.schema(
    [
        ("org_path", pa.string()),
        ("rule", pa.string()),
        ("dimension", pa.string()),
        ("weight", pa.float64()),
        ("checked", pa.int64()),
        ("failed", pa.int64()),
        ("measured", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Per rule (rows) and unit (columns, by path): rows looked at, rows that failed, what was measured (NaN for most)."""

    rules: Sequence[QualityRule]
    units: Sequence[str]
    rows: int
    checked: NDArray[np.int64]
    failed: NDArray[np.int64]
    measured: NDArray[np.float64]

    def batches(self) -> Sequence[pa.RecordBatch]:
        """The tallies in the order of the units, so that one unit lies together."""
        return [self._batch(first) for first in range(0, len(self.units), _UNITS_PER_BATCH)]

    def _batch(self, first: int) -> pa.RecordBatch:
        units = self.units[first : first + _UNITS_PER_BATCH]
        chosen = slice(first, first + len(units))
        size = len(units)
        columns = [
            np.repeat(np.array(units, dtype=object), len(self.rules)),
            [rule.code for rule in self.rules] * size,
            [rule.dimension.value for rule in self.rules] * size,
            [rule.weight for rule in self.rules] * size,
            *(matrix[:, chosen].T.ravel() for matrix in (self.checked, self.failed)),
            pa.array(self.measured[:, chosen].T.ravel(), from_pandas=True),
        ]
        arrays = [pa.array(column, field.type) for column, field in zip(columns, TALLY_SCHEMA, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=TALLY_SCHEMA)


def measure_dataset(
    dataset: str, rules: Sequence[QualityRule], before: dict[tuple[str, str], float], *, today: date, layout: Layout = ROSTER
) -> Measured:
    """Ask the lake what each rule finds; `before` holds what was measured last, by rule and unit."""
    asked = row_pass(dataset, rules, today=today, layout=layout)
    answer = query(asked.sql, datasets=[dataset]).sort_by("unit")
    units: list[str] = answer.column("unit").to_pylist()
    shape = (len(rules), len(units))
    checked, failed = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    measured = np.full(shape, np.nan)
    for number, rule in enumerate(rules):
        if rule.dimension is QualityDimension.UNIQUE:
            found = query(unique_pass(rule, today=today, layout=layout), datasets=[dataset])
            places = np.searchsorted(units, found.column("unit").to_pylist())
            checked[number, places] = found.column("checked").to_numpy()
            failed[number, places] = found.column("failed").to_numpy()
        elif rule.measured:
            measured[number] = answer.column(asked.measured[rule.code]).to_numpy()
            past = np.array([before.get((rule.code, unit), np.nan) for unit in units])
            checked[number], failed[number] = _compared(rule, measured[number], past)
        else:
            checked[number] = answer.column(asked.checked[rule.code]).to_numpy()
            failed[number] = answer.column(asked.failed[rule.code]).to_numpy()
    return Measured(rules, units, sum(answer.column("rows").to_pylist()), checked, failed, measured)


def _compared(
    rule: QualityRule, now: NDArray[np.float64], past: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    is_compared = ~np.isnan(now) & ~np.isnan(past) & (np.fmax(now, past) >= rule.least)
    differs = np.abs(now - past) > rule.share * np.abs(past)
    return is_compared.astype(np.int64), (is_compared & differs).astype(np.int64)
