"""What a results file amounts to once its texts are read: arrays with one row per pupil."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shuren.assessment.data import Missing

Array = npt.NDArray[Any]
UNSET = -127
GROUP_ROWS = 32_768


@dataclass(slots=True)
class Answers:
    """Responses as read: `texts` are the pupils as the file names them, `rows` their first row in it."""

    texts: list[pa.Array] = field(default_factory=list)
    rows: list[npt.NDArray[np.int64]] = field(default_factory=list)
    person_ids: list[npt.NDArray[np.int64]] = field(default_factory=list)
    seats: list[npt.NDArray[np.int32]] = field(default_factory=list)
    booklets: list[npt.NDArray[np.int16]] = field(default_factory=list)
    scores: list[npt.NDArray[np.int8]] = field(default_factory=list)
    booklet_names: dict[str, int] = field(default_factory=dict)

    def booklet_codes(self, texts: pa.Array) -> npt.NDArray[np.int16]:
        """Booklets by number, in order of first sight; -1 for none."""
        encoded = texts.dictionary_encode()
        names = [name.strip() for name in encoded.dictionary.to_pylist()]
        table = [self.booklet_names.setdefault(name, len(self.booklet_names)) if name else -1 for name in names]
        codes: npt.NDArray[np.int16] = np.array(table or [-1], np.int16)[encoded.indices.to_numpy(zero_copy_only=False)]
        return codes


@dataclass(slots=True)
class Gathered:
    """One row per pupil, in the order of the file; `sorted_rows` is the order of person ids, which the lake keeps."""

    texts: pa.Array
    rows: npt.NDArray[np.int64]
    person_ids: npt.NDArray[np.int64]
    seats: npt.NDArray[np.int32]
    booklets: npt.NDArray[np.int16]
    booklet_names: tuple[str, ...]
    scores: npt.NDArray[np.int8]
    weights: npt.NDArray[np.float64]
    zones: npt.NDArray[np.int16]
    reps: npt.NDArray[np.int8]
    extra_weights: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    context: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    references: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    @property
    def pupils(self) -> int:
        return len(self.person_ids)

    @property
    def sorted_rows(self) -> npt.NDArray[np.intp]:
        return np.argsort(self.person_ids, kind="stable")


def gathered(answers: Answers, item_count: int) -> Gathered:
    """Join the blocks; weights are 1 and zones 0 until a table says otherwise. Booklets are ordered by name."""
    pupils = sum(len(part) for part in answers.person_ids)
    names = sorted(answers.booklet_names, key=lambda name: (len(name), name))
    renumbered = np.full(len(names) + 1, -1, np.int16)
    for place, name in enumerate(names):
        renumbered[answers.booklet_names[name]] = place
    scores = np.empty((pupils, item_count), np.int8)
    start = 0
    while answers.scores:
        block = answers.scores.pop(0)
        scores[start : start + len(block)] = block
        start += len(block)
    scores[scores == UNSET] = Missing.NOT_ADMINISTERED
    booklets = _joined(answers.booklets, np.int16)
    return Gathered(
        texts=pa.concat_arrays(answers.texts) if answers.texts else pa.array([], pa.string()),
        rows=_joined(answers.rows, np.int64),
        person_ids=_joined(answers.person_ids, np.int64),
        seats=_joined(answers.seats, np.int32),
        booklets=renumbered[booklets],
        booklet_names=tuple(names),
        scores=scores,
        weights=np.ones(pupils),
        zones=np.zeros(pupils, np.int16),
        reps=np.zeros(pupils, np.int8),
    )


def _joined(parts: Sequence[Array], kind: npt.DTypeLike) -> Array:
    return np.concatenate(parts) if parts else np.empty(0, kind)


def lake_schema(found: Gathered) -> pa.Schema:
    """The columns of `assessment.responses` for this test."""
    words = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            *((name, pa.int64()) for name in ("person_id", "class_id", "school_id", "district_id")),
            ("org_path", words),
            ("booklet", words),
            ("weight", pa.float64()),
            ("zone", pa.int16()),
            ("rep", pa.int8()),
            *((f"r{place + 1}", pa.int8()) for place in range(found.scores.shape[1])),
            *((f"w_{name}", pa.float64()) for name in found.extra_weights),
            *((f"x_{name}", pa.float32()) for name in found.context),
            *((f"ref_{name}", pa.float64()) for name in found.references),
        ]
    )


def lake_batch(
    found: Gathered, rows: npt.NDArray[np.intp], units: Mapping[str, npt.NDArray[np.int64]], paths: pa.Array, schema: pa.Schema
) -> pa.RecordBatch:
    """The rows as one batch; `units` holds class, school and district id per seat, `paths` the class path per seat."""
    seats = found.seats[rows]
    scores = found.scores[rows]
    booklets = pa.DictionaryArray.from_arrays(
        pa.array(found.booklets[rows].astype(np.int32), mask=found.booklets[rows] < 0), pa.array(found.booklet_names, pa.string())
    )
    return pa.RecordBatch.from_arrays(
        [
            pa.array(found.person_ids[rows]),
            *(pa.array(units[name][seats]) for name in ("class_id", "school_id", "district_id")),
            pa.DictionaryArray.from_arrays(pa.array(seats.astype(np.int32)), paths),
            booklets,
            pa.array(found.weights[rows]),
            pa.array(found.zones[rows]),
            pa.array(found.reps[rows]),
            *(pa.array(np.ascontiguousarray(scores[:, place])) for place in range(scores.shape[1])),
            *(pa.array(column[rows]) for column in found.extra_weights.values()),
            *(pa.array(column[rows], from_pandas=True) for column in found.context.values()),
            *(pa.array(column[rows], from_pandas=True) for column in found.references.values()),
        ],
        schema=schema,
    )
