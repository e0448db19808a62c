"""A program: simulate a test of every pupil in a roster."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from shuren.assessment.api import SimulatedTest, simulate_results

CODE = "school-test"


def rows(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, str]]:
    with archive.open(name) as file:
        yield from csv.DictReader(io.TextIOWrapper(file, "utf-8-sig"))


def main(roster: str, results: str, items: str = "12") -> None:
    with zipfile.ZipFile(roster) as archive:
        pupils = (row for row in rows(archive, "enrollments.csv") if row["role"] == "student")
        school_of = {row["userSourcedId"]: row["schoolSourcedId"] for row in pupils}
        root = next(row["sourcedId"] for row in rows(archive, "orgs.csv") if not row["parentSourcedId"])
    schools = {school: number for number, school in enumerate(sorted(set(school_of.values())))}
    test = SimulatedTest(code=CODE, name="模拟测验", org=root, held_date=date(2026, 6, 1), seed=7, items=int(items))
    simulate_results(Path(results), test, pupils=list(school_of), groups=[schools[school] for school in school_of.values()])
