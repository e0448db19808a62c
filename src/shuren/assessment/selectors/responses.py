"""Responses out of the lake as arrays, read in blocks so that nothing is held twice."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.utils.translation import gettext as _

from shuren.assessment.data import RESPONSES, ItemData, Missing, ResponseData
from shuren.assessment.models import Participation
from shuren.assessment.selectors.assessments import assessment_state, items_of
from shuren.datahub.api import read_partition, scan_partition, snapshot_of, snapshots_of
from shuren.datahub.data import Snapshot
from shuren.kernel.errors import NotFound

BLOCK_ROWS = 65_536
Array = npt.NDArray[Any]
_PLAIN: dict[str, npt.DTypeLike] = {
    "person_id": np.int64,
    "class_id": np.int64,
    "school_id": np.int64,
    "district_id": np.int64,
    "weight": np.float64,
    "zone": np.int16,
    "rep": np.int8,
}


def responses_of(assessment_id: int, *, snapshot: int | None = None) -> ResponseData:
    """Every pupil's responses; 1,000,000 pupils × 40 items take about 90 MB.

    `snapshot` reads an older state by its id in the lake, so that a run of any later day reproduces.
    """
    source = _Source(assessment_id, snapshot)
    arrays = source.empty(source.snapshot.rows)
    start = 0
    for batch in source.batches(BLOCK_ROWS):
        source.fill(arrays, batch, start)
        start += batch.num_rows
    return source.data(arrays)


def stream_responses(assessment_id: int, *, block_rows: int = BLOCK_ROWS, snapshot: int | None = None) -> Iterator[ResponseData]:
    """The same, at most `block_rows` pupils at a time, in order of person id."""
    source = _Source(assessment_id, snapshot)
    for batch in source.batches(block_rows):
        arrays = source.empty(batch.num_rows)
        source.fill(arrays, batch, 0)
        yield source.data(arrays)


def responses_of_person(assessment_id: int, person_id: int) -> dict[str, int]:
    """One pupil's cells by item code, items not given to them left out; `NotFound` if they did not take part."""
    items = items_of(assessment_id)
    table = read_partition(
        RESPONSES,
        {"assessment": assessment_id},
        columns=[f"r{item.position}" for item in items],
        filters=[("person_id", "==", person_id)],
    )
    if not table.num_rows:
        raise NotFound(_("这名学生没有参加这次测验。"))
    cells = table.slice(0, 1).to_pylist()[0]
    found = {item.code: int(cells[f"r{item.position}"]) for item in items}
    return {code: cell for code, cell in found.items() if cell != Missing.NOT_ADMINISTERED}


class _Source:
    """One snapshot of one test's responses, and how its columns become arrays."""

    def __init__(self, assessment_id: int, snapshot: int | None) -> None:
        self.assessment = assessment_state(assessment_id)
        self.items: tuple[ItemData, ...] = items_of(assessment_id)
        self.partition = {"assessment": assessment_id}
        self.snapshot = self._snapshot(snapshot)
        names = list(self.snapshot.columns)
        self.score_columns = [name for name in names if name[0] == "r" and name[1:].isdigit()]
        self.weight_columns = [name for name in names if name.startswith("w_")]
        self.context_columns = [name for name in names if name.startswith("x_")]
        self.reference_columns = [name for name in names if name.startswith("ref_")]
        levels = Participation.objects.filter(assessment=assessment_id, level="class")
        self.class_paths = dict(levels.values_list("org_id", "org_path"))

    def _snapshot(self, wanted: int | None) -> Snapshot:
        if wanted is None:
            found = snapshot_of(RESPONSES, self.partition)
        else:
            found = next((one for one in snapshots_of(RESPONSES, self.partition) if one.id == wanted), None)
        if found is None:
            raise NotFound(_("这次测验的作答数据已不在数据湖中。"))
        return found

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        columns = [
            *_PLAIN,
            "booklet",
            *self.weight_columns,
            *self.score_columns,
            *self.context_columns,
            *self.reference_columns,
        ]
        return scan_partition(RESPONSES, self.partition, columns=columns, batch_rows=rows, snapshot=self.snapshot.id)

    def empty(self, rows: int) -> dict[str, Array]:
        arrays: dict[str, Array] = {name: np.empty(rows, kind) for name, kind in _PLAIN.items()}
        arrays |= {name: np.empty(rows, np.float64) for name in self.weight_columns}
        arrays["booklet"] = np.empty(rows, np.int16)
        arrays["scores"] = np.empty((rows, len(self.score_columns)), np.int8)
        arrays["context"] = np.empty((rows, len(self.context_columns)), np.float32)
        arrays["references"] = np.empty((rows, len(self.reference_columns)), np.float64)
        return arrays

    def fill(self, arrays: dict[str, Array], batch: pa.RecordBatch, start: int) -> None:
        rows = slice(start, start + batch.num_rows)
        for name in (*_PLAIN, *self.weight_columns):
            arrays[name][rows] = batch.column(name).to_numpy(zero_copy_only=False)
        arrays["booklet"][rows] = self._booklet_codes(batch.column("booklet"))
        for group, columns in (
            ("scores", self.score_columns),
            ("context", self.context_columns),
            ("references", self.reference_columns),
        ):
            for place, name in enumerate(columns):
                arrays[group][rows, place] = batch.column(name).to_numpy(zero_copy_only=False)

    def _booklet_codes(self, column: pa.Array) -> npt.NDArray[np.int16]:
        names = self.assessment.booklets
        encoded = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
        places = {name: place for place, name in enumerate(names)}
        # the last place stands for "no booklet": a null has no index
        table = np.array([*(places.get(name, -1) for name in encoded.dictionary.to_pylist()), -1], np.int16)
        codes: npt.NDArray[np.int16] = table[encoded.indices.fill_null(len(table) - 1).to_numpy(zero_copy_only=False)]
        return codes

    def data(self, arrays: dict[str, Array]) -> ResponseData:
        return ResponseData(
            assessment_id=self.assessment.id,
            snapshot_id=self.snapshot.id,
            person_ids=arrays["person_id"],
            class_ids=arrays["class_id"],
            school_ids=arrays["school_id"],
            district_ids=arrays["district_id"],
            class_paths=self.class_paths,
            scores=arrays["scores"],
            item_codes=tuple(item.code for item in self.items),
            max_scores=np.array([item.max_score for item in self.items], np.int8),
            weights=arrays["weight"],
            extra_weights={name.removeprefix("w_"): arrays[name] for name in self.weight_columns},
            zones=arrays["zone"],
            reps=arrays["rep"],
            booklets=arrays["booklet"],
            booklet_names=self.assessment.booklets,
            context=arrays["context"],
            context_names=tuple(name.removeprefix("x_") for name in self.context_columns),
            references=arrays["references"],
            reference_names=tuple(name.removeprefix("ref_") for name in self.reference_columns),
        )
