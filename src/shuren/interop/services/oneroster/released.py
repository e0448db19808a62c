"""Results of the house's own tests as objects of the gradebook: of every finished run, per class, to be read only.

Line items and results are worked out from the reports and the lake when they are asked for; nothing is kept twice. A pupil
who is beyond reach, or whose scores may not be told, stays by id alone, so that every page holds as many as it says.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.core.cache import cache
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.evaluation import api as evaluation
from shuren.evaluation.data import ReleasedClass, ReleasedRun
from shuren.interop.rules.oneroster import released as rules
from shuren.interop.rules.oneroster.faults import unknown_object
from shuren.interop.rules.oneroster.spans import Span
from shuren.interop.services.oneroster.readers import Reader, Told, moment_text, named_ref, ref, told_people
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor

SCORE = "result.score"
_COLUMNS = ("person_id", "class_id", "eap", "eap_se")
_KEPT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Sought:
    """Which of the house's objects are asked for; `is_none` where a condition holds for none of them."""

    paths: tuple[str, ...]
    span: Span = field(default_factory=Span)
    run_id: int | None = None
    class_id: int | None = None
    person_id: int | None = None
    is_none: bool = False


def at_place(sought: Sought, name: str, place: rules.Place) -> Sought:
    """What was sought and lies at this place."""
    is_person = name == "results"
    here = replace(
        sought,
        run_id=place.run_id,
        person_id=place.other_id if is_person else sought.person_id,
        class_id=sought.class_id if is_person else place.other_id,
    )
    return met(sought, here)


def met(sought: Sought, also: Sought) -> Sought:
    """`also`, unless what was sought before is something else."""
    pairs = ((sought.run_id, also.run_id), (sought.class_id, also.class_id), (sought.person_id, also.person_id))
    return replace(also, is_none=also.is_none or any(before not in (None, after) for before, after in pairs))


@dataclass(frozen=True, slots=True)
class Released:
    """A list of objects of one collection: how many there are, and any page of them."""

    reader: Reader
    name: str
    sought: Sought
    runs: Sequence[ReleasedRun]
    total: int

    def told(self, skip: int, size: int) -> list[Told]:
        if size <= 0 or skip >= self.total:
            return []
        if self.name == "categories":
            return [house_category()]
        if self.name == "results":
            return _results(self, skip, size)
        return _of_classes(self.reader, self.name, self.runs, _classes(self.sought, self.runs, skip, size))


def released_marks(reader: Reader, name: str, sought: Sought) -> Released:
    """What the house has for one collection; nothing where the collection is none of the house's."""
    runs = [] if sought.is_none or name.startswith("assessment") else _runs(sought)
    runs = [run for run in runs if name != "scoreScales" or run.levels]
    if not runs:
        return Released(reader, name, sought, (), 0)
    if name == "results":
        return Released(reader, name, sought, runs, sum(_count(run, sought) for run in runs))
    count = evaluation.released_class_count([run.id for run in runs], sought.paths, class_ids=_class_ids(sought))
    return Released(reader, name, sought, runs, min(count, 1) if name == "categories" else count)


def released_mark(reader: Reader, name: str, sourced_id: str) -> Told:
    """One object of the house by its id; otherwise 404."""
    place = rules.place_of(name, sourced_id)
    if place is None:
        raise unknown_object()
    sought = at_place(Sought(reader.paths), name, place)
    found = released_marks(reader, name, sought).told(0, 1)
    if not found:
        raise unknown_object()
    return found[0]


def house_category() -> Told:
    base: Told = {"sourcedId": rules.CATEGORY, "status": "active", "dateLastModified": "2000-01-01T00:00:00.000Z"}
    return base | {"title": _("平台测评")}


def _runs(sought: Sought) -> list[ReleasedRun]:
    named = None if sought.run_id is None else [sought.run_id]
    return evaluation.released_runs(sought.paths, begin=sought.span.begin, end=sought.span.end, run_ids=named)


def _class_ids(sought: Sought) -> list[int] | None:
    return None if sought.class_id is None else [sought.class_id]


def _classes(sought: Sought, runs: Sequence[ReleasedRun], skip: int = 0, size: int | None = None) -> list[ReleasedClass]:
    return evaluation.released_classes([run.id for run in runs], sought.paths, class_ids=_class_ids(sought), skip=skip, size=size)


def _of_classes(reader: Reader, name: str, runs: Sequence[ReleasedRun], classes: Sequence[ReleasedClass]) -> list[Told]:
    by_id = {run.id: run for run in runs}
    schools = directory.school_ids_above([row.class_path for row in classes])
    return [
        _scale(reader, by_id[row.run_id], row)
        if name == "scoreScales"
        else _line_item(reader, by_id[row.run_id], row, schools[row.class_path])
        for row in classes
    ]


def _line_item(reader: Reader, run: ReleasedRun, row: ReleasedClass, school_id: int) -> Told:
    sourced_id = _item_id(run, row.class_id)
    day = (run.held_date or day_of(run.finished_at)).isoformat()
    simulated = [_("模拟数据")] if run.is_simulated else []
    said: Told = {
        "title": run.title,
        "assignDate": day,
        "dueDate": day,
        "class": ref(reader, "class", row.class_id),
        "school": ref(reader, "org", school_id),
        "category": _mark_ref(reader, "category", "categories", rules.CATEGORY),
    }
    note = "；".join([*simulated, *([run.source_note] if run.source_note else [])])
    more = {"description": note} if note else {}
    scale = {"scoreScale": _mark_ref(reader, "scoreScale", "scoreScales", sourced_id)} if run.levels else {}
    return _base(run, sourced_id) | said | more | scale


def _scale(reader: Reader, run: ReleasedRun, row: ReleasedClass) -> Told:
    return _base(run, _item_id(run, row.class_id)) | {
        "title": run.title,
        "type": "ext:levels",
        "class": ref(reader, "class", row.class_id),
        "scoreScaleValue": rules.level_ranges(run.levels),
    }


def _results(found: Released, skip: int, size: int) -> list[Told]:
    told: list[Told] = []
    for run in found.runs:
        count = _count(run, found.sought)
        if skip < count and size > len(told):
            rows = _rows(run, found.sought, _COLUMNS).slice(skip, size - len(told)).to_pylist()
            told += _told_scores(found.reader, run, rows)
        skip = max(0, skip - count)
    return told


def _told_scores(reader: Reader, run: ReleasedRun, rows: Sequence[dict[str, Any]]) -> list[Told]:
    scores = {row["person_id"]: f"{row['eap']:.1f}" for row in rows}
    reached = directory.people_within(actor=reader.actor, person_ids=scores, now=reader.now)
    told = told_people(reader, sorted(_with_reports(reader, reached)), (SCORE,), brought={SCORE: scores})
    whole = {pk for pk, person in told.items() if SCORE in person.values and SCORE not in person.masked}
    return [_result(reader, run, row, is_told=row["person_id"] in whole, is_reached=row["person_id"] in reached) for row in rows]


def _with_reports(reader: Reader, person_ids: Collection[int]) -> Collection[int]:
    """A token of a person opens the scores of those whose reports the person may read, and no others."""
    actor = reader.actor
    if actor.person_id is None:
        return person_ids
    person = Actor(person_id=actor.person_id, account_id=actor.account_id, name=actor.name, role=actor.role)
    return directory.people_within(actor=person, person_ids=person_ids, permission=Permission.VIEW_PUPIL_REPORTS, now=reader.now)


def _result(reader: Reader, run: ReleasedRun, row: dict[str, Any], *, is_told: bool, is_reached: bool) -> Told:
    item = _item_id(run, row["class_id"])
    said: Told = {
        "lineItem": _mark_ref(reader, "lineItem", "lineItems", item),
        "student": ref(reader, "user", row["person_id"]),
        "class": ref(reader, "class", row["class_id"]),
        "scoreStatus": "fully graded" if is_told else rules.WITHHELD,
        "scoreDate": day_of(run.finished_at).isoformat(),
    }
    if is_told:
        low, high = rules.interval_of(row["eap"], row["eap_se"])
        said |= {"score": round(row["eap"], 1), "comment": _("95%% 的区间：%(low)s 至 %(high)s") % {"low": low, "high": high}}
    if is_told and run.levels:
        said |= {"textScore": rules.level_at(run.levels, row["eap"])}
        said |= {"scoreScale": _mark_ref(reader, "scoreScale", "scoreScales", item)}
    sourced_id = f"{run.public_id}-{ids.encode('person', row['person_id'])}"
    return _base(run, sourced_id) | said | ({} if is_reached else {"status": "tobedeleted"})


def _rows(run: ReleasedRun, sought: Sought, columns: Sequence[str]) -> Any:
    """The scores of a run that are asked for, in the order of people."""
    people = None if sought.person_id is None else [sought.person_id]
    table = evaluation.scores_of(run.id, columns=columns, person_ids=people, class_id=sought.class_id)
    if any(run.org_path.startswith(path) for path in sought.paths):
        return table
    reached = {row.class_id for row in _classes(sought, [run])}
    return table.filter(pc.is_in(table.column("class_id"), value_set=pa.array(sorted(reached), pa.int64())))


def _count(run: ReleasedRun, sought: Sought) -> int:
    """A finished run never changes, only who reaches its classes does."""
    said = hashlib.sha256(f"{run.id}|{sought.paths}|{sought.class_id}|{sought.person_id}".encode()).hexdigest()[:32]
    count: int | None = cache.get(f"oneroster:scores:{said}")
    if count is None:
        count = _rows(run, sought, ("class_id",)).num_rows
        cache.set(f"oneroster:scores:{said}", count, _KEPT_SECONDS)
    return count


def _item_id(run: ReleasedRun, class_id: int) -> str:
    return rules.class_id_of(run.public_id, ids.encode("org", class_id))


def _mark_ref(reader: Reader, kind: str, place: str, sourced_id: str) -> Told:
    return named_ref(reader, kind, sourced_id, place=place, service="gradebook")


def _base(run: ReleasedRun, sourced_id: str) -> Told:
    return {"sourcedId": sourced_id, "status": "active", "dateLastModified": moment_text(run.finished_at)}
