"""Run as a program: print, as JSON, what an installation holds and whether it is consistent.

`python -m tests.faults.inspection` reads the installation in SHUREN_DATA_DIR, from outside, as an operator would.
"""

import json
import os
import sys
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuren.conf.settings")
django.setup()

import pyarrow.parquet as pq  # noqa: E402  # Django must know its settings before any model is imported
from django.conf import settings  # noqa: E402

from shuren.datahub.models import StoredSnapshot  # noqa: E402
from shuren.directory import models as directory  # noqa: E402
from shuren.evaluation.models import EvaluationRun, UnitReport  # noqa: E402
from shuren.intake.models import ImportRun  # noqa: E402
from shuren.work.models import Job  # noqa: E402


def people() -> dict[str, int]:
    """Rows that a reader would see; those of an unfinished import are not among them."""
    return {
        "orgs": directory.Org.objects.visible().count(),
        "people": directory.Person.objects.visible().count(),
        "affiliations": directory.Affiliation.objects.visible().count(),
        "enrollments": directory.Enrollment.objects.visible().count(),
    }


def dangling() -> int:
    """Rows whose person or org is gone: there must be none, whatever was killed."""
    enrollments = directory.Enrollment.objects.visible()
    return enrollments.exclude(person__in=directory.Person.objects.visible()).count() + sum(
        1
        for path, parent in directory.Org.objects.visible().values_list("path", "parent__path")
        if parent and not path.startswith(parent)
    )


def lake_faults() -> list[str]:
    """Current snapshots whose files are missing or hold another number of rows than the snapshot says."""
    faults = []
    for snapshot in StoredSnapshot.objects.filter(is_current=True):
        path = Path(settings.DATA_DIR) / "lake" / snapshot.file
        rows = pq.ParquetFile(path).metadata.num_rows if path.exists() else None
        if rows != snapshot.rows:
            faults.append(f"{snapshot.file}: {rows} rows instead of {snapshot.rows}")
    return faults


def main() -> None:
    json.dump(
        {
            "people": people(),
            "dangling": dangling(),
            "lake_faults": lake_faults(),
            "imports": list(ImportRun.objects.order_by("id").values_list("kind", "status")),
            "runs": list(EvaluationRun.objects.order_by("id").values_list("status", flat=True)),
            "unit_reports": UnitReport.objects.filter(run__status="done").count(),
            "live_jobs": Job.objects.filter(status__in=("queued", "running")).count(),
            "failed_jobs": list(Job.objects.filter(status="failed").values_list("name", "error")),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
