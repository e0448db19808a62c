"""The outcome of a faultless check, laid beside the import until somebody applies it."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from shuren.assessment.data import ContextColumn
from shuren.assessment.models import Assessment
from shuren.assessment.rules.differences import Difference, difference
from shuren.assessment.rules.gathering import GROUP_ROWS, Gathered, lake_batch, lake_schema
from shuren.assessment.rules.statistics import item_counts
from shuren.assessment.rules.words import ItemSpec, TestInfo
from shuren.assessment.selectors.pupils import ClassPlace, Seating
from shuren.assessment.selectors.responses import responses_of
from shuren.directory.data import OrgData, OrgType

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Checked:
    """A results file that passed: what it says, and its pupils."""

    info: TestInfo
    items: tuple[ItemSpec, ...]
    org: OrgData
    seating: Seating
    found: Gathered
    context: tuple[ContextColumn, ...]


def stage_folder(import_file: Path) -> Path:
    return import_file.parent / "staged"


def described(checked: Checked) -> dict[str, Any]:
    """What the relational database will hold of the test, apart from counts."""
    info = checked.info
    return {
        "format": FORMAT,
        "code": info.code,
        "name": info.name,
        "grade": info.grade,
        "held_date": info.held_date,
        "session": info.session,
        "org_id": checked.org.id,
        "is_simulated": info.is_simulated,
        "source_note": info.source_note,
        "population_note": info.population_note,
        "report_scale": {
            "mean": info.scale.mean,
            "sd": info.scale.sd,
            "cuts": list(info.scale.cuts),
            "levels": list(info.scale.levels),
        },
        "subjects": list(dict.fromkeys(item.subject for item in checked.items)),
        "booklets": list(checked.found.booklet_names),
        "context": [asdict(column) for column in checked.context],
        "references": list(checked.found.references),
        "items": [_item(place, item) for place, item in enumerate(checked.items)],
    }


def content_hash(description: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(description, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def stage(checked: Checked, change: Difference, against: int | None, folder: Path) -> dict[str, Any]:
    """Write the responses as the lake will hold them, and beside them what the database will; returns the latter.

    `against` is the snapshot that `change` was counted against.
    """
    folder.mkdir(parents=True, exist_ok=True)
    description = described(checked)
    maxima = np.array([item.max_score for item in checked.items], np.int8)
    counts = item_counts(checked.found.scores, maxima, checked.found.weights)
    outcome = {
        "description": description,
        "content_hash": content_hash(description),
        "difference": asdict(change),
        "against": against,
        "pupils": checked.found.pupils,
        "counts": [asdict(count) for count in counts],
        "participation": participation(checked),
    }
    unfinished = folder / "responses.parquet.tmp"
    schema = lake_schema(checked.found)
    with pq.ParquetWriter(unfinished, schema, compression="zstd", compression_level=1) as writer:
        for batch in _batches(checked, schema):
            writer.write_batch(batch)
    _settle(unfinished, folder / "responses.parquet")
    draft = folder / "outcome.json.tmp"
    draft.write_text(json.dumps(outcome, ensure_ascii=False))
    _settle(draft, folder / "outcome.json")
    return outcome


def participation(checked: Checked) -> list[tuple[int, str, str, int]]:
    """(org id, path, level, pupils) of every district, school and class in which somebody took part."""
    seats, pupils = np.unique(checked.found.seats, return_counts=True)
    totals: dict[int, int] = {}
    for seat, count in zip(seats, pupils, strict=True):
        place = checked.seating.classes[seat]
        for org_id in (place.class_id, place.school_id, place.district_id):
            if org_id:
                totals[org_id] = totals.get(org_id, 0) + int(count)
    units = dict(checked.seating.units)
    for seat in seats:
        place = checked.seating.classes[seat]
        for org_id, level in ((place.school_id, OrgType.SCHOOL), (place.district_id, OrgType.COUNTY)):
            # A unit above the test's own org is not in its branch, but its pupils are counted all the same.
            if org_id and org_id not in units:
                units[org_id] = (_path_down_to(place, org_id), level.value)
    return [(org_id, *units[org_id], totals[org_id]) for org_id in sorted(totals)]


def change_against(existing: Assessment | None, checked: Checked) -> Difference:
    """What applying would change in the test of the same code."""
    found, order = checked.found, checked.found.sorted_rows
    ids = found.person_ids[order]
    if existing is None or existing.snapshot_id is None:
        return difference(np.empty(0, np.int64), {}, ids, {}, is_described_anew=True)
    before = responses_of(existing.pk)
    is_described_anew = existing.content_hash != content_hash(described(checked))
    old: dict[str, npt.NDArray[Any]] = {
        "class": before.class_ids,
        "scores": before.scores,
        "weight": before.weights,
        "zone": before.zones,
        "rep": before.reps,
        **{f"w_{name}": column for name, column in before.extra_weights.items()},
        **{f"x_{name}": before.context[:, place] for place, name in enumerate(before.context_names)},
        **{f"ref_{name}": before.references[:, place] for place, name in enumerate(before.reference_names)},
    }
    classes = np.array([place.class_id for place in checked.seating.classes] or [0], np.int64)
    new: dict[str, npt.NDArray[Any]] = {
        "class": classes[found.seats[order]],
        "scores": found.scores[order],
        "weight": found.weights[order],
        "zone": found.zones[order],
        "rep": found.reps[order],
        **{f"w_{name}": column[order] for name, column in found.extra_weights.items()},
        **{f"x_{name}": column[order] for name, column in found.context.items()},
        **{f"ref_{name}": column[order] for name, column in found.references.items()},
    }
    if before.booklet_names == found.booklet_names:
        old["booklet"], new["booklet"] = before.booklets, found.booklets[order]
    return difference(before.person_ids, old, ids, new, is_described_anew=is_described_anew)


def _item(place: int, item: ItemSpec) -> dict[str, Any]:
    return {
        "code": item.code,
        "position": place + 1,
        "label": item.label,
        "subject": item.subject,
        "content_domain": item.content_domain,
        "cognitive_domain": item.cognitive_domain,
        "knowledge_units": list(item.knowledge_units),
        "max_score": item.max_score,
        "key": item.key,
    }


def _batches(checked: Checked, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    classes = checked.seating.classes
    units = {
        "class_id": np.array([place.class_id for place in classes] or [0], np.int64),
        "school_id": np.array([place.school_id for place in classes] or [0], np.int64),
        "district_id": np.array([place.district_id for place in classes] or [0], np.int64),
    }
    paths = pa.array([place.path for place in classes], pa.string())
    order = checked.found.sorted_rows
    for start in range(0, len(order), GROUP_ROWS):
        yield lake_batch(checked.found, order[start : start + GROUP_ROWS], units, paths, schema)


def _path_down_to(place: ClassPlace, org_id: int) -> str:
    head, _mark, _tail = f"/{place.path}".partition(f"/{org_id}/")
    return f"{head}/{org_id}/".removeprefix("/")


def _settle(unfinished: Path, path: Path) -> None:
    with unfinished.open("rb+") as file:
        os.fsync(file.fileno())
    unfinished.replace(path)
