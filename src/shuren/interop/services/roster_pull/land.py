"""Pages on the disk: every page becomes rows of the files of a roster, under the name of its place, before the next is asked."""

import csv
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from shuren.directory import api as directory
from shuren.directory.data import RosterTable, RosterTie
from shuren.interop.data import PullKind, Resource
from shuren.interop.models import RosterPull
from shuren.interop.rules.roster_pull.cells import Cells, Malformed
from shuren.interop.rules.roster_pull.rows import EXTRA_HEADINGS, Frame, Line, is_gone, lines_of
from shuren.interop.services.roster_pull.remote import PAGE
from shuren.kernel.clock import day_of

FAULTS_KEPT = 200
_TABLES = {
    Resource.ORGS: RosterTable.ORGS,
    Resource.CLASSES: RosterTable.CLASSES,
    Resource.USERS: RosterTable.PEOPLE,
    Resource.DEMOGRAPHICS: RosterTable.PEOPLE,
    Resource.ENROLLMENTS: RosterTable.ENROLLMENTS,
}


def folder_of(pull_id: int) -> Path:
    return Path(settings.DATA_DIR) / "roster-pulls" / str(pull_id)


def forget_pages(pull_id: int) -> None:
    shutil.rmtree(folder_of(pull_id), ignore_errors=True)


def headings_of(file: str) -> tuple[str, ...]:
    return (*directory.roster_headings()[file], *EXTRA_HEADINGS.get(file, ()))


def land_page(pull: RosterPull, resource: Resource, objects: list[object], *, offset: int, now: datetime) -> None:
    """Write the rows of a page, and note on `pull` (not saved) what was wrong with it and what was left out.

    Landing the same page again overwrites it with the same rows.
    """
    frame = _frame(pull)
    frame.left_out = dict(pull.left_out)
    read = [one for number, one in enumerate(objects) if _is_object(pull, resource, offset, number, one)]
    cells = [Cells(one) for one in read if isinstance(one, dict)]
    cells = _without_strangers(resource, cells, frame)
    if resource is Resource.USERS:
        frame.ties = _ties(pull, cells, now)
    lines: dict[str, list[Line]] = defaultdict(list)
    for one in cells:
        try:
            for line in lines_of(resource, one, frame):
                lines[line[0]].append(line)
        except Malformed as fault:
            _note(pull, resource, offset, str(one.sent.get("sourcedId") or ""), fault)
    for file, found in lines.items():
        _write(folder_of(pull.pk) / f"{file}-{resource.value}-{offset:012}.csv", file, found, offset)
    pull.left_out = frame.left_out
    pull.counts = {**pull.counts, resource.value: pull.counts.get(resource.value, 0) + len(objects)}


def _frame(pull: RosterPull) -> Frame:
    source = pull.source
    return Frame(
        is_delta=pull.kind == PullKind.DELTA,
        org_id=directory.org_line(source.org_id)["sourcedId"],
        top_id=source.top_id if source.is_same_top else "",
        has_courses=Resource.COURSES.value in source.takes,
        has_terms=Resource.SESSIONS.value in source.takes,
    )


def _is_object(pull: RosterPull, resource: Resource, offset: int, number: int, one: object) -> bool:
    try:
        Cells.of(one, f"[{number}]")
    except Malformed as fault:
        _note(pull, resource, offset, "", fault)
        return False
    return True


def _without_strangers(resource: Resource, cells: list[Cells], frame: Frame) -> list[Cells]:
    """Without what has left: in a full turn everything that is missing has, in a delta only what is held can end."""
    gone = [one for one in cells if is_gone(one)]
    if not gone or resource not in _TABLES:
        return cells
    ids = {str(one.sent.get("sourcedId")) for one in gone}
    held = directory.held_sourced_ids(_TABLES[resource], ids) if frame.is_delta else frozenset()
    if resource is Resource.DEMOGRAPHICS:
        # Whoever goes, goes as a user.
        held = frozenset()
    for _one in range(sum(one.sent.get("sourcedId") not in held for one in gone)):
        frame.leave_out("gone")
    return [one for one in cells if not is_gone(one) or one.sent.get("sourcedId") in held]


def _ties(pull: RosterPull, cells: Iterable[Cells], now: datetime) -> dict[str, list[RosterTie]]:
    path = directory.orgs_by_ids([pull.source.org_id])[pull.source.org_id].path
    ids = [str(one.sent.get("sourcedId")) for one in cells]
    found: dict[str, list[RosterTie]] = defaultdict(list)
    for tie in directory.roster_ties(ids, day=day_of(now)):
        if tie.org_path.startswith(path):
            found[tie.person].append(tie)
    return found


def _note(pull: RosterPull, resource: Resource, offset: int, sourced_id: str, fault: Malformed) -> None:
    pull.fault_count += 1
    if len(pull.faults) < FAULTS_KEPT:
        told: dict[str, Any] = {"resource": resource.value, "page": offset // PAGE + 1, "id": sourced_id[:64]}
        pull.faults = [*pull.faults, told | {"field": fault.field, "reason": fault.reason.value, "value": fault.value}]


def _write(path: Path, file: str, lines: list[Line], offset: int) -> None:
    """The rows with the place of each, so that the later of two wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    headings = headings_of(file)
    draft = path.with_suffix(".draft")
    with draft.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(("place", *headings))
        for number, (_file, row) in enumerate(lines):
            writer.writerow((offset * 100 + number, *(row.get(heading, "") for heading in headings)))
        target.flush()
        os.fsync(target.fileno())
    draft.replace(path)
