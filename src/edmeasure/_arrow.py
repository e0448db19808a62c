"""Arrow and Parquet, where pyarrow is installed (the extra ``arrow``): read in record batches, write tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from edmeasure import _validate
from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.errors import BadScore, BadShape, MissingPackage

BATCH_ROWS = 65_536


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
    names = item_columns(data, items, others)
    n = data.count_rows()
    scores = np.empty((n, len(names)), dtype=np.int8)
    rest = {name: np.empty(n) for name in others}
    filled = 0
    for block, columns in batches(data, names, others, batch_rows):
        rows = slice(filled, filled + block.shape[0])
        scores[rows] = block
        for name, column in rest.items():
            column[rows] = columns.column(name).to_numpy()
        filled = rows.stop
    return names, scores, rest


def item_columns(data: Any, items: Sequence[str] | None, others: Sequence[str]) -> tuple[str, ...]:
    """Columns of scores of a dataset or table: those named, or all that are not among ``others``."""
    return checked_columns(data.schema.names, items, others)


def checked_columns(there: Sequence[str], items: Sequence[str] | None, others: Sequence[str]) -> tuple[str, ...]:
    """The same among the columns that are there."""
    names = tuple(name for name in there if name not in others) if items is None else tuple(items)
    absent = [name for name in (*names, *others) if name not in there]
    if absent:
        raise BadShape(f"There are no columns {absent[:10]}.", remedy=f"Columns begin with {list(there[:10])}.")
    return names


def batches(
    data: Any, items: Sequence[str], others: Sequence[str], batch_rows: int = BATCH_ROWS
) -> Iterator[tuple[Int8Array, Any]]:
    """Scores and a table of the other columns, batch by batch; few batches are read ahead."""
    columns = list(dict.fromkeys([*items, *others]))
    read = data.to_batches(columns=columns, batch_size=batch_rows, batch_readahead=2, fragment_readahead=1)
    return split(read, items, others)


def split(record_batches: Iterable[Any], items: Sequence[str], others: Sequence[str]) -> Iterator[tuple[Int8Array, Any]]:
    """Every record batch that has rows as scores and a table of other columns."""
    kept = list(dict.fromkeys(others))
    for batch in record_batches:
        if batch.num_rows:
            yield scores_of(batch, items), module("pyarrow").Table.from_batches([batch.select(kept)])


def scores_of(batch: Any, items: Sequence[str]) -> Int8Array:
    """Scores of a record batch or table, (n_rows, n_items)."""
    scores = np.empty((batch.num_rows, len(items)), dtype=np.int8)
    for j, name in enumerate(items):
        scores[:, j] = _scores(name, batch.column(name))
    return scores


def floats(name: str, column: Any) -> FloatArray:
    """A column of numbers; an empty cell is an error."""
    if column.null_count:
        raise BadShape(f"Column {name} has empty cells.", remedy="Fill them, or leave those persons out.")
    return np.array(column.to_numpy(), dtype=np.float64)


def labels(name: str, column: Any) -> tuple[tuple[object, ...], IntArray]:
    """Distinct labels of a column and the place of every row's among them; an empty cell is an error."""
    if column.null_count:
        raise BadShape(f"Column {name} has empty cells.", remedy="Give every person a label.")
    encoded = column.unify_dictionaries() if str(column.type).startswith("dictionary") else column.dictionary_encode()
    if encoded.num_chunks != 1:
        encoded = module("pyarrow").chunked_array([encoded.combine_chunks()])
    one = encoded.chunk(0)
    return tuple(one.dictionary.to_pylist()), one.indices.to_numpy().astype(np.int64)


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
