"""Arrow and Parquet, where pyarrow is installed (the extra ``arrow``): read in record batches, write tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from edmeasure import _validate
from edmeasure._validate import FloatArray, Int8Array
from edmeasure.errors import BadScore, BadShape, MissingPackage


def module(name: str) -> Any:
    """A module of pyarrow, loaded when it is first needed: it is no small one."""
    try:
        return import_module(name)
    except ImportError as missing:
        raise MissingPackage("pyarrow is not installed.", remedy="Run `pip install 'edmeasure[arrow]'`.") from missing


def table(columns: Mapping[str, object]) -> Any:
    """A ``pyarrow.Table``."""
    return module("pyarrow").table(dict(columns))


def dataset(source: object) -> Any:
    """The source itself where it is a dataset or a table, else the dataset of a file or folder."""
    datasets = module("pyarrow.dataset")
    if isinstance(source, (str, Path)):
        return datasets.dataset(str(source), format="parquet")
    return source if isinstance(source, datasets.Dataset) else datasets.dataset(source)


def read(
    source: object, items: Sequence[str] | None, others: Sequence[str], batch_rows: int
) -> tuple[tuple[str, ...], Int8Array, dict[str, FloatArray]]:
    """Item names, their scores, and the other columns; no more than a batch is held beside the result."""
    data = dataset(source)
    names = tuple(name for name in data.schema.names if name not in others) if items is None else tuple(items)
    absent = [name for name in (*names, *others) if name not in data.schema.names]
    if absent:
        raise BadShape(f"There are no columns {absent[:10]}.", remedy=f"Columns begin with {data.schema.names[:10]}.")
    n = data.count_rows()
    scores = np.empty((n, len(names)), dtype=np.int8)
    rest = {name: np.empty(n) for name in others}
    filled = 0
    for batch in data.to_batches(columns=[*names, *others], batch_size=batch_rows):
        rows = slice(filled, filled + batch.num_rows)
        for j, name in enumerate(names):
            scores[rows, j] = _scores(name, batch.column(name))
        for name, column in rest.items():
            column[rows] = batch.column(name).to_numpy(zero_copy_only=False)
        filled = rows.stop
    return names, scores, rest


def _scores(name: str, column: Any) -> Int8Array:
    values = column.fill_null(_validate.MISSING) if column.null_count and not _is_boolean(column) else column
    numbers = values.to_numpy(zero_copy_only=False)
    if numbers.dtype == object:
        numbers = np.array([_validate.MISSING if value is None else value for value in numbers.tolist()])
    try:
        return np.asarray(_validate.score_matrix(numbers[:, None])[:, 0])
    except BadScore as bad:
        raise BadScore(f"Column {name}: {bad.problem}", remedy=bad.remedy) from bad


def _is_boolean(column: Any) -> bool:
    return str(column.type) == "bool"
