"""Build the region the web bench walks: a synthetic province on PostgreSQL with a simulated test and its reports.

`python bench/region.py --people 1000000` makes (or makes anew) database `shuren_bench` and folder `bench/out/region`,
and prints how long each step took. Needs a PostgreSQL on loopback that user postgres may enter.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "bench" / "out" / "region"
ADMIN_URL = os.environ.get("POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
URL = ADMIN_URL.rsplit("/", 1)[0] + "/shuren_bench"


def environment() -> dict[str, str]:
    return os.environ | {"SHUREN_DATA_DIR": str(FOLDER), "SHUREN_DATABASE_URL": URL, "SHUREN_LOG_LEVEL": "WARNING"}


def step(name: str, *words: str) -> None:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-m", *words], cwd=ROOT, env=environment(), check=True, stdout=subprocess.DEVNULL)
    print(f"| {name} | {time.monotonic() - begun:.0f} s |", flush=True)


def build(people: int) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    subprocess.run(["psql", "-q", ADMIN_URL, "-c", "DROP DATABASE IF EXISTS shuren_bench"], check=True)
    subprocess.run(["psql", "-q", ADMIN_URL, "-c", "CREATE DATABASE shuren_bench TEMPLATE template0 ENCODING 'UTF8'"], check=True)
    command = "shuren.front.cli"
    roster, results = str(FOLDER / "roster.zip"), str(FOLDER / "results.zip")
    print(f"| {people:,} people | time |\n|---|---|")
    step("write the province", command, "province", "--people", str(people), "--out", roster)
    step("create the tables", command, "init")
    step("import the roster: check, apply", command, "roster", "import", roster, "--yes")
    step("count and index (jobs after the import)", "bench.drain")
    step("simulate a test of every pupil, 40 items", "tests.faults.school_test", roster, results, "bench-test", "40")
    step("import the results: check, apply", command, "results", "import", results, "--yes")
    step("calibrate, score, build the five levels", command, "evaluate", "--assessment", "bench-test")
    step("accounts", "bench.cast")


def accounts() -> dict[str, dict[str, str]]:
    stored: dict[str, dict[str, str]] = json.loads((FOLDER / "cast.json").read_text())
    return stored


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    build(parser.parse_args().people)
