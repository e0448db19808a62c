"""Run as a program: simulate a test of every pupil in a roster."""

import argparse
import csv
import io
import os
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


def main(roster: Path, results: Path, code: str, items: int) -> None:
    with zipfile.ZipFile(roster) as archive:
        enrollments = [row for row in rows(archive, "enrollments.csv") if row["role"] == "student"]
        root = next(row["sourcedId"] for row in rows(archive, "orgs.csv") if not row["parentSourcedId"])
    school_of = {row["userSourcedId"]: row["schoolSourcedId"] for row in enrollments}
    schools = {school: number for number, school in enumerate(sorted(set(school_of.values())))}
    test = SimulatedTest(code=code, name="模拟测验", org=root, held_date=date(2026, 6, 1), seed=7, items=items)
    simulate_results(results, test, pupils=list(school_of), groups=[schools[school] for school in school_of.values()])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("roster", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("code", nargs="?", default="fault-test")
    parser.add_argument("items", nargs="?", type=int, default=12)
    given = parser.parse_args()
    main(given.roster, given.results, given.code, given.items)
