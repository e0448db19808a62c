"""Roster figures: a province in, then again with one row in a hundred changed, against plain COPY of the same rows.

`python -m bench roster --people 1000000`; `SHUREN_DATABASE_URL` chooses the database (empty: SQLite).
"""

import argparse
import csv
import io
import os
import shutil
import sqlite3
import zipfile
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from bench.frame import timed
from shuren.directory.api import write_province
from shuren.directory.services.apply_roster.service import apply_roster
from shuren.directory.services.check_roster.remember import remember_roster
from shuren.directory.services.check_roster.service import check_roster
from shuren.intake.api import import_state, record_checking, request_apply, start_import
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM

TABLES = ("academicsession", "org", "course", "classdetail", "classdetail_terms", "person", "affiliation", "enrollment")


def changed(package: Path, target: Path, every: int) -> None:
    """The same package with one user in `every` renamed and as many moved to another class."""
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
        for name in source.namelist():
            with source.open(name) as member, copy.open(name, "w", force_zip64=True) as out:
                lines = io.TextIOWrapper(member, encoding="utf-8", newline="")
                text = io.TextIOWrapper(out, encoding="utf-8", newline="")
                writer = csv.writer(text, lineterminator="\n")
                for number, row in enumerate(csv.reader(lines)):
                    if name == "users.csv" and number and number % every == 0:
                        row[6] = row[6] + "新"
                    if name == "enrollments.csv" and number and number % every == 0:
                        row[7], row[8] = ("false" if row[7] == "true" else "true"), "2026-09-15"
                    writer.writerow(row)
                text.flush()


def quiet(done: int, total: int) -> None:
    """Nobody watches."""


def import_file(path: Path, label: str) -> float:
    import_id = start_import(actor=SYSTEM, kind="roster", file_name=path.name, content=path, options={}, now=clock.now())
    record_checking(import_id)
    check = timed(f"{label}: check", lambda: check_roster(import_id=import_id, now=clock.now(), on_progress=quiet))
    state = import_state(import_id)
    shown = {
        kind: tuple(part[word] for word in ("added", "changed", "ended", "unchanged"))
        for kind, part in state.difference.items()
        if isinstance(part, dict)
    }
    print(f"   {state.status}: {shown}", flush=True)
    request_apply(actor=SYSTEM, import_id=import_id, now=clock.now())
    apply = timed(f"{label}: apply", lambda: apply_roster(import_id=import_id, now=clock.now(), on_progress=quiet))
    print(f"{label + ': together':<44} {check + apply:8.1f} s", flush=True)
    timed(f"{label}: its lines kept (a job afterwards)", lambda: remember_roster(import_id))
    return check + apply


def plain_copy(folder: Path) -> float:
    """The same rows into the same tables, indexes and all, with nothing but COPY (PostgreSQL) or executemany (SQLite)."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in TABLES:
                with (
                    (folder / f"{table}.copy").open("wb") as file,
                    cursor.cursor.copy(f"COPY directory_{table} TO STDOUT (FORMAT binary)") as copy,
                ):
                    for block in copy:
                        file.write(block)
            cursor.execute("TRUNCATE " + ", ".join(f"directory_{table}" for table in TABLES) + " CASCADE")

            def copy_all() -> None:
                with transaction.atomic():
                    for table in TABLES:
                        with (
                            (folder / f"{table}.copy").open("rb") as file,
                            cursor.cursor.copy(f"COPY directory_{table} FROM STDIN (FORMAT binary)") as copy,
                        ):
                            while block := file.read(1 << 20):
                                copy.write(block)

            return timed("plain COPY of the same rows", copy_all)
        path = str(connection.settings_dict["NAME"])
    connection.close()
    target = folder / "plain.sqlite3"
    shutil.copyfile(path, target)
    plain, source = sqlite3.connect(target), sqlite3.connect(path)
    plain.execute("PRAGMA foreign_keys=OFF")
    for table in TABLES:
        plain.execute(f"DELETE FROM directory_{table}")
    plain.commit()

    def insert_all() -> None:
        for table in TABLES:
            rows = source.execute(f"SELECT * FROM directory_{table}")
            marks = ", ".join("?" for _ in rows.description)
            plain.executemany(f"INSERT INTO directory_{table} VALUES ({marks})", rows)
            plain.commit()

    took = timed("plain executemany of the same rows", insert_all)
    plain.close()
    source.close()
    return took


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench roster", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(options)
    folder = Path(settings.DATA_DIR)
    call_command("migrate", verbosity=0)
    print(f"{chosen.people:,} people, {connection.vendor}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    package, second = folder / "province.zip", folder / "changed.zip"
    took = timed("write the province", lambda: write_province(package, people=chosen.people, seed=chosen.seed, on_progress=quiet))
    print(f"   {chosen.people / took:,.0f} people/s", flush=True)
    first = import_file(package, "first import")
    import_file(package, "the same again")
    changed(package, second, 100)
    import_file(second, "one row in a hundred changed")
    plain = plain_copy(folder)
    print(f"first import / plain copy = {first / plain:.2f}", flush=True)
