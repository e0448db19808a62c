"""Build the region the web bench walks: a synthetic province on PostgreSQL with a simulated test and its reports.

`python -m bench region --people 1000000` makes (or makes anew) database `shuren_bench` and folder `bench/out/region`, and
prints how long each step took. `POSTGRES_URL` names the server, else one on loopback that user postgres may enter.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time

from bench.frame import ROOT, on_server

FOLDER = ROOT / "bench" / "out" / "region"
SERVER = os.environ.get("POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres").rpartition("/")[0]
DATABASE = "shuren_bench"
ITEMS = "40"


def environment() -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "shuren.conf.settings",
        "SHUREN_DATA_DIR": str(FOLDER),
        "SHUREN_DATABASE_URL": f"{SERVER}/{DATABASE}",
        "SHUREN_LOG_LEVEL": "WARNING",
    }


def step(name: str, *words: str) -> None:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-m", *words], cwd=ROOT, env=environment(), check=True, stdout=subprocess.DEVNULL)
    print(f"| {name} | {time.monotonic() - begun:.0f} s |", flush=True)


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench region", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    people = parser.parse_args(options).people
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    on_server(SERVER, f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    on_server(SERVER, f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8'")
    shuren, test = "shuren.front.cli", "tests.faults.program"
    roster, results = str(FOLDER / "roster.zip"), str(FOLDER / "results.zip")
    print(f"| {people:,} people | time |\n|---|---|")
    step("write the province", shuren, "province", "--people", str(people), "--out", roster)
    step("create the tables", shuren, "init")
    step("import the roster: check, apply", shuren, "roster", "import", roster, "--yes")
    step("count and index (jobs after the import)", "bench", "drain")
    step(f"simulate a test of every pupil, {ITEMS} items", test, "school_test", roster, results, ITEMS)
    step("import the results: check, apply", shuren, "results", "import", results, "--yes")
    step("calibrate, score, build the five levels", shuren, "evaluate", "--assessment", "school-test")
    step("accounts and what they open", "bench", "cast")
