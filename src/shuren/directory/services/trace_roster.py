"""Trace what a roster or a renaming touched, so that ten changed people do not cost the index a province."""

import json
from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shuren.directory.data import OrgType
from shuren.directory.models import Affiliation, AppliedRoster, Enrollment, Org, Person
from shuren.directory.rules.tree import ids_of
from shuren.directory.selectors.orgs import CHUNK
from shuren.directory.services.apply_roster.before import before_file
from shuren.intake.api import import_dir
from shuren.kernel.scope import path_q

# What touched more of the directory than this is quicker looked at as a whole.
MOST = 1 / 3
_TIES = ((Affiliation, "org_id"), (Enrollment, "class_org_id"))
_COUNTED = ("org", "person", "affiliation", "enrollment")


@dataclass(frozen=True, slots=True)
class Trace:
    """People (in order of id) and orgs to be indexed again, and orgs that have gained or lost members or children."""

    people: NDArray[np.int64]
    orgs: Sequence[int]
    counted: Sequence[int]


def trace_roster(import_id: int) -> Trace | None:
    """What an applied roster added, changed and ended, read from its ids and the rows it kept for being undone.

    None when there is no telling (it was undone, or its folder is gone) or when it touched too much.
    """
    applied = AppliedRoster.objects.filter(pk=import_id, undone_at__isnull=True).first()
    kept = before_file(import_dir(import_id))
    if applied is None or not kept.exists():
        return None
    most = Person.objects.count() * MOST
    if sum(rows for kind in _COUNTED for action, rows in applied.counts[kind].items() if action != "unchanged") > most:
        return None
    trace = _Tracing(applied.ranges)
    trace.follow_added()
    trace.follow_kept(kept)
    trace.follow_orgs()
    found = trace.found()
    return None if len(found.people) > most else found


def people_touched_by(import_id: int) -> Sequence[int] | None:
    """In order of id, whom an applied roster added, or whose person or ties it changed; None where `trace_roster` tells none."""
    trace = trace_roster(import_id)
    return None if trace is None else trace.people.tolist()


def trace_renaming(org_id: int) -> Trace:
    """What an org's new name is read at: the org, its classes, and everybody in it."""
    trace = _Tracing({})
    trace.orgs.add(org_id)
    trace.follow_renamed([org_id])
    return trace.found()


class _Tracing:
    """What has been found so far; ids may come more than once."""

    def __init__(self, ranges: dict[str, list[int]]) -> None:
        self.ranges = ranges
        self.people = array("q")
        self.orgs: set[int] = set()
        self.counted: set[int] = set()
        self.orgs_before: dict[int, dict[str, Any]] = {}

    def follow_added(self) -> None:
        self.people.extend(range(*self.ranges.get(Person._meta.db_table, (0, 0))))
        self.orgs.update(range(*self.ranges.get(Org._meta.db_table, (0, 0))))
        for model, column in _TIES:
            first, end = self.ranges.get(model._meta.db_table, (0, 0))
            rows = model._default_manager.filter(pk__gte=first, pk__lt=end)
            self._follow_ties(rows.values_list("person_id", column).iterator(chunk_size=CHUNK))

    def follow_kept(self, path: Path) -> None:
        """Changed and ended rows, with the person and org they spoke of before and speak of now."""
        ties: dict[str, list[int]] = {model._meta.label_lower: [] for model, _ in _TIES}
        columns = {model._meta.label_lower: column.removesuffix("_id") for model, column in _TIES}
        with path.open(encoding="utf-8") as file:
            for row in map(json.loads, file):
                kind, id, fields = row["model"], row["pk"], row["fields"]
                if kind == Person._meta.label_lower:
                    self.people.append(id)
                elif kind == Org._meta.label_lower:
                    self.orgs_before[id] = fields
                elif kind in ties:
                    ties[kind].append(id)
                    self._follow_ties([(fields["person"], fields[columns[kind]])])
        for model, column in _TIES:
            for part in _parts(ties[model._meta.label_lower]):
                self._follow_ties(model._default_manager.filter(pk__in=part).values_list("person_id", column))

    def follow_orgs(self) -> None:
        """A new name is read at everybody in the org and at its classes, a new place in the whole branch."""
        now = {
            id: (name, path)
            for part in _parts(list(self.orgs_before))
            for id, name, path in Org.objects.filter(pk__in=part).values_list("pk", "name", "path")
        }
        self.orgs.update(now)
        self.counted |= self.orgs
        self.counted.update(id for before in self.orgs_before.values() for id in ids_of(before["path"])[-2:])
        self.follow_renamed([id for id, (name, _path) in now.items() if name != self.orgs_before[id]["name"]])
        for id, (_name, path) in now.items():
            if path != self.orgs_before[id]["path"]:
                self.orgs.update(Org.objects.filter(path_q("path", [path])).values_list("pk", flat=True))
                for model, _column in _TIES:
                    inside = model._default_manager.filter(path_q("org_path", [path]))
                    self._add_people(inside.values_list("person_id", flat=True))

    def follow_renamed(self, org_ids: Sequence[int]) -> None:
        for part in _parts(org_ids):
            below = Org.objects.filter(parent_id__in=part, type__in=(OrgType.GRADE, OrgType.CLASS))
            self.orgs.update(below.values_list("pk", flat=True))
            for model, column in _TIES:
                self._add_people(model._default_manager.filter(**{f"{column}__in": part}).values_list("person_id", flat=True))

    def found(self) -> Trace:
        return Trace(np.unique(np.frombuffer(self.people, np.int64)), sorted(self.orgs), sorted(self.counted))

    def _follow_ties(self, rows: Iterator[tuple[int, int]] | Collection[tuple[int, int]]) -> None:
        for person_id, org_id in rows:
            self.people.append(person_id)
            self.counted.add(org_id)

    def _add_people(self, ids: Any) -> None:
        self.people.extend(ids.iterator(chunk_size=CHUNK))


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
