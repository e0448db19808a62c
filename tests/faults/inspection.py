"""A program: print, as JSON, what an installation holds and what is wrong with it, read from outside as an operator would.

Contents are told by the names the roster gave things, not by row ids: an import that was killed has used some up.
"""

import hashlib
import json
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from django.conf import settings
from django.db import connection
from django.db.models import Model, QuerySet

from shuren.assessment.models import Assessment, Item, Participation
from shuren.datahub.models import StoredSnapshot
from shuren.directory import models as directory
from shuren.evaluation.models import EvaluationRun, UnitReport
from shuren.intake.models import ImportRun
from shuren.kernel.models import AuditEntry, Event
from shuren.search.models import Entry
from shuren.work.models import Job

ROSTERED: tuple[type[Model], ...] = (
    directory.Org,
    directory.AcademicSession,
    directory.Course,
    directory.Person,
    directory.Affiliation,
    directory.Enrollment,
    directory.GuardianLink,
)
HAPPENED: dict[str, QuerySet[Any]] = {
    "directory.roster_applied": directory.AppliedRoster.objects.all(),
    "intake.applied": ImportRun.objects.filter(status="applied"),
    "assessment.results_imported": StoredSnapshot.objects.filter(dataset__name="assessment.responses"),
    "evaluation.run_finished": EvaluationRun.objects.filter(status="done"),
}


def print_of(rows: Iterable[object]) -> str:
    """How many rows, and one fingerprint of all of them in any order."""
    texts = sorted(repr(row) for row in rows)
    return f"{len(texts)} {hashlib.sha256(chr(10).join(texts).encode()).hexdigest()[:16]}"


def directory_contents() -> dict[str, str]:
    d = directory
    org = ("sourced_id", "name", "type", "status", "depth", "parent__sourced_id", "begin_date", "end_date", "grade", "code")
    person = ("sourced_id", "name", "sort_key", "sex", "birth_date", "pupil_number", "staff_number", "grade", "is_active")
    period = ("role", "is_primary", "begin_date", "end_date")
    tables: dict[str, tuple[QuerySet[Any], tuple[str, ...]]] = {
        "orgs": (d.Org.objects.visible(), org),
        "classes": (d.ClassDetail.objects.all(), ("org__sourced_id", "course__sourced_id", "class_type", "terms__sourced_id")),
        "sessions": (d.AcademicSession.objects.visible(), ("sourced_id", "title", "type", "begin_date", "end_date")),
        "courses": (d.Course.objects.visible(), ("sourced_id", "title", "org__sourced_id")),
        "people": (d.Person.objects.visible().exclude(row_hash=b""), person),
        "affiliations": (d.Affiliation.objects.visible(), ("sourced_id", "person__sourced_id", "org__sourced_id", *period)),
        "enrollments": (d.Enrollment.objects.visible(), ("sourced_id", "person__sourced_id", "class_org__sourced_id", *period)),
        "guardians": (d.GuardianLink.objects.visible(), ("guardian__sourced_id", "ward__sourced_id", "relation", "end_date")),
        "counters": (d.OrgCount.objects.exclude(value=0), ("org__sourced_id", "kind", "value")),
        "duplicates": (d.DuplicatePair.objects.all(), ("first__sourced_id", "second__sourced_id", "score")),
    }
    return {name: print_of(rows.order_by().values_list(*columns)) for name, (rows, columns) in tables.items()}


def search_contents() -> dict[str, str]:
    """What is found and what it says of itself, but for a person's number, which comes first."""
    rows = Entry.objects.values_list("kind", "title", "text")
    return {"search": print_of((kind, title, text.partition(" ")[2] if kind == "person" else text) for kind, title, text in rows)}


def tests_contents() -> dict[str, str]:
    """Tests, runs and reports; their row ids are the same wherever the same roster lies below them."""
    reports = UnitReport.objects.filter(run__status="done").values_list("org__sourced_id", "level", "is_withheld", "body")
    ready = Assessment.objects.filter(status="ready")
    items = ("assessment__code", "code", "position", "given", "answered", "omitted", "mean_share", "discrimination")
    return {
        "tests": print_of(ready.values_list("code", "name", "pupils", "content_hash", "org__sourced_id")),
        "items": print_of(Item.objects.filter(assessment__in=ready).values_list(*items)),
        "participations": print_of(Participation.objects.values_list("assessment__code", "org_path", "level", "pupils")),
        "runs": print_of(EvaluationRun.objects.filter(status="done").values_list("title", "certificate", "calibration")),
        "reports": print_of((*place, zlib.decompress(bytes(body))) for *place, body in reports),
        "lake": print_of(lake_contents()),
    }


def lake_contents() -> Iterator[tuple[str, str]]:
    """What tests left in the lake; mirrors of the roster are taken anew at hours of their own, with ids of their own."""
    for snapshot in current_snapshots().filter(dataset__name="assessment.responses"):
        table = pq.read_table(file_of(snapshot), partitioning=None)
        keys = [(name, "ascending") for name in table.column_names if name in ("person_id", "item")]
        yield snapshot.dataset.name, print_of(table.sort_by(keys).to_pylist())


def current_snapshots() -> QuerySet[StoredSnapshot]:
    return StoredSnapshot.objects.filter(is_current=True).select_related("dataset")


def file_of(snapshot: StoredSnapshot) -> Path:
    return Path(settings.DATA_DIR) / "lake" / snapshot.file


def lake_faults() -> Iterator[str]:
    """Current snapshots whose file is gone or is not the one that was signed for."""
    for snapshot in current_snapshots():
        path = file_of(snapshot)
        if not path.exists():
            yield f"{snapshot.file} is gone"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != snapshot.sha256:
            yield f"{snapshot.file} is another file"


def directory_faults() -> Iterator[str]:
    """What is half there: rows of imports that nobody applies, paths that do not lead to the parent, ties to nobody."""
    if directory.PendingRoster.objects.exists():
        yield "an import is pending"
    for model in ROSTERED:
        hidden = model._default_manager.count() - model._default_manager.visible().count()  # type: ignore[attr-defined]
        if hidden:
            yield f"{hidden} hidden rows of {model.__name__}"
    for pk, path, above in directory.Org.objects.values_list("pk", "path", "parent__path"):
        if path != f"{above or ''}{pk}/":
            yield f"org {pk} lies at {path} under {above}"
    for tie, place in ((directory.Affiliation, "org"), (directory.Enrollment, "class_org")):
        for own, path in tie.objects.values_list("org_path", f"{place}__path"):
            if own != path:
                yield f"{tie.__name__} says {own} instead of {path}"


def database_faults() -> Iterator[str]:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for check in ("integrity_check", "foreign_key_check"):
                cursor.execute(f"PRAGMA {check}")
                yield from (f"{check}: {row}" for row in cursor.fetchall() if row != ("ok",))
    waiting = Event.objects.filter(dispatched_at__isnull=True).count()
    if waiting:
        yield f"{waiting} events nobody heard of"
    for name, error in Job.objects.filter(status="failed").values_list("name", "error_detail"):
        yield f"{name} failed: {error}"
    for kind, status, error in ImportRun.objects.exclude(status="applied").values_list("kind", "status", "error"):
        yield f"import of {kind} is {status}: {error}"


def history_faults() -> Iterator[str]:
    """What was audited more or less often than it happened."""
    audited = Counter(AuditEntry.objects.filter(action__in=HAPPENED).values_list("action", flat=True))
    for action, rows in HAPPENED.items():
        if audited[action] != (count := rows.count()):
            yield f"{action} audited {audited[action]} times, happened {count} times"


def contents() -> dict[str, str]:
    return directory_contents() | search_contents() | tests_contents()


def main() -> None:
    faults = [*directory_faults(), *lake_faults(), *database_faults(), *history_faults()]
    json.dump({"contents": contents(), "faults": faults}, sys.stdout)
