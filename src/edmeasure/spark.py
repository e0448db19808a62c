"""Calibration of answers that are spread over a Spark cluster, by the sums that one machine takes chunk by chunk.

Every pass is one `mapInArrow` job: a tally, an E-step, or the squared scores of the errors. Workers
return sums (a few hundred kilobytes), the driver maximises. Workers need edmeasure with the extra
``arrow``, the driver also ``spark``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from typing import Any, TypeVar, Unpack

import numpy.typing as npt

from edmeasure import _arrow
from edmeasure.calibration import _sheets
from edmeasure.calibration._sheets import CHUNK_ROWS, Chunk
from edmeasure.calibration.irt import IRTFit
from edmeasure.calibration.streaming import CalibrationOptions, Settings, calibrate_sheets
from edmeasure.errors import BadOption, MissingPackage

Part = TypeVar("Part")


def _pyspark(name: str = "pyspark") -> Any:
    try:
        return import_module(name)
    except ImportError as missing:
        raise MissingPackage("pyspark is not installed.", remedy="Run `pip install 'edmeasure[arrow,spark]'`.") from missing


@dataclass(frozen=True)
class Reading:
    """How the rows of a partition become chunks."""

    item_ids: tuple[str, ...]
    weights: str | None
    groups: str | None
    chunk_rows: int

    @property
    def others(self) -> list[str]:
        return [name for name in (self.weights, self.groups) if name is not None]

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys([*self.item_ids, *self.others]))

    def chunks(self, record_batches: Iterator[Any]) -> Iterator[Chunk]:
        """Chunks of one partition."""
        named = (batch.rename_columns(self.columns) for batch in record_batches)
        blocks = _arrow.split(named, self.item_ids, self.others)
        for scores, others in _sheets.regrouped(blocks, self.chunk_rows):
            yield _sheets.checked_chunk(self.item_ids, _sheets.chunk_of(scores, others, self.weights, self.groups))


@dataclass(frozen=True, eq=False)
class FrameSheets:
    """Columns of a Spark data frame; sums come partition by partition."""

    frame: Any
    reading: Reading

    @property
    def item_ids(self) -> tuple[str, ...]:
        return self.reading.item_ids

    def summed(self, of_chunk: Callable[[Chunk], Part], together: Callable[[Part, Part], Part]) -> Part | None:
        reading = self.reading

        def of_partition(record_batches: Iterator[Any]) -> Iterator[Any]:
            found = _sheets.folded(reading.chunks(record_batches), of_chunk, together)
            if found is not None:
                yield _as_batch(_pyspark().TaskContext.get().partitionId(), found)

        # plain names on the way: a dot in a name would be taken for a field of a structure
        quoted = ["`" + name.replace("`", "``") + f"` as c{at}" for at, name in enumerate(reading.columns)]
        rows = self.frame.selectExpr(*quoted).mapInArrow(of_partition, "place int, sums binary").collect()
        sums = _pyspark("pyspark.serializers").CPickleSerializer()
        parts: list[Part] = [sums.loads(bytes(row["sums"])) for row in sorted(rows, key=lambda row: row["place"])]
        return reduce(together, parts) if parts else None


def _as_batch(place: int, found: object) -> Any:
    """One row: the partition's place, and its sums as Spark itself would send them."""
    arrow = _arrow.module("pyarrow")
    told = _pyspark("pyspark.serializers").CPickleSerializer().dumps(found)
    return arrow.RecordBatch.from_pydict(
        {"place": arrow.array([place], arrow.int32()), "sums": arrow.array([told], arrow.binary())}
    )


def calibrate_frame(
    frame: Any,
    *,
    items: Sequence[str] | None = None,
    max_scores: npt.ArrayLike | None = None,
    weights: str | None = None,
    groups: str | None = None,
    chunk_rows: int = CHUNK_ROWS,
    **options: Unpack[CalibrationOptions],
) -> IRTFit:
    """Calibrate the items of a Spark data frame where its rows lie.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        A row per person. It is gone through some fifteen times: persist it where the cluster has
        the memory.
    items, max_scores, weights, groups, chunk_rows, options
        As in `calibrate_dataset`; ``chunk_rows`` within a partition.

    Returns
    -------
    IRTFit
        The same to the last bit while rows stay in their partitions; the estimates of `calibrate`
        to what the order of sums leaves.

    Raises
    ------
    MissingPackage, BadShape, BadOption, NothingToCalibrate
        Scores and weights are checked by the workers, whose refusals arrive as Spark's errors.
    """
    _pyspark()
    if chunk_rows < 1:
        raise BadOption(f"chunk_rows is {chunk_rows}.", remedy="Take at least one row at a time; 262,144 do well.")
    others = [name for name in (weights, groups) if name is not None]
    names = _arrow.checked_columns(frame.columns, items, others)
    sheets = FrameSheets(frame, Reading(names, weights, groups, chunk_rows))
    return calibrate_sheets(sheets, max_scores, groups is not None, 0, Settings(**options))
