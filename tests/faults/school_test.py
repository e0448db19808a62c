"""Run as a program: `python -m tests.faults.school_test ROSTER RESULTS` simulates a test of every pupil in a roster."""

import csv
import io
import os
import sys
import zipfile
from datetime import date
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuren.conf.settings")
django.setup()

from shuren.assessment.services.simulate import SimulatedTest, simulate_results  # noqa: E402  # after django.setup


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    with archive.open(name) as file:
        return list(csv.DictReader(io.TextIOWrapper(file, "utf-8-sig")))


def main(roster: Path, results: Path, code: str = "fault-test", items: int = 12) -> None:
    with zipfile.ZipFile(roster) as archive:
        enrollments = [row for row in rows(archive, "enrollments.csv") if row["role"] == "student"]
        root = next(row["sourcedId"] for row in rows(archive, "orgs.csv") if not row["parentSourcedId"])
    school_of = {row["userSourcedId"]: row["schoolSourcedId"] for row in enrollments}
    schools = {school: number for number, school in enumerate(sorted(set(school_of.values())))}
    test = SimulatedTest(code=code, name="模拟测验", org=root, held_date=date(2026, 6, 1), seed=7, items=items)
    simulate_results(results, test, pupils=list(school_of), groups=[schools[school] for school in school_of.values()])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
