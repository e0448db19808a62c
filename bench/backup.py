"""Backup and restore beside a plain copy of the same bytes in the same run.

`--mib` of files that look like a lake (they do not compress) and a SQLite database of a third of that; then a second run after
a hundredth of the database changed. `--rows` are cut as COPY would write them, to compare ways of cutting.
"""

import argparse
import os
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

from shuren.backups.data import StoredFile
from shuren.backups.rules.chunking import FIXED, content_defined, fixed
from shuren.backups.rules.sealing import Secret
from shuren.backups.services.folder_copy import FileCopy, place_file
from shuren.backups.services.repository import open_repository
from shuren.backups.services.sqlite_copy import store_copy

MIB = 2**20
SECRET = Secret("passphrase", b"a passphrase of the bench")


def timed(what: str, megabytes: float, work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    taken = time.perf_counter() - begun
    print(f"{what:<44} {taken:7.2f} s  {megabytes / taken:7.0f} MiB/s")
    return taken


def made(folder: Path, mib: int) -> tuple[Path, Path]:
    """Files that do not compress, and a database that does."""
    lake = folder / "lake"
    lake.mkdir()
    for number in range(mib * 2 // 3 // 8):
        (lake / f"{number:05d}.parquet").write_bytes(os.urandom(8 * MIB))
    database = folder / "database.sqlite3"
    with closing(sqlite3.connect(database)) as raw:
        raw.execute("PRAGMA synchronous=OFF")
        raw.execute("CREATE TABLE pupil (id INTEGER PRIMARY KEY, name TEXT, code TEXT)")
        while database.stat().st_size < mib // 3 * MIB:
            raw.executemany(
                "INSERT INTO pupil (name, code) VALUES (?, ?)", ((f"pupil {n}", os.urandom(16).hex()) for n in range(200_000))
            )
            raw.commit()
    return lake, database


def changed(database: Path) -> None:
    with closing(sqlite3.connect(database)) as raw:
        raw.execute("UPDATE pupil SET name = name || '*' WHERE id BETWEEN 1000 AND 1000 + (SELECT max(id) / 100 FROM pupil)")
        raw.commit()


def store(place: Path, lake: Path, database: Path, before: dict[str, StoredFile], kept: list[Any]) -> None:
    repository = open_repository([str(place)], secret=SECRET, may_make=True)
    repository.learn()
    pieces, size = store_copy(repository, database, on_bytes=lambda _count: None)
    copy = FileCopy(repository, before)
    for path in sorted(lake.iterdir()):
        copy.add(path.name, path)
    kept[:] = [copy.finish(), pieces, size, repository.stored_bytes]
    for one in repository.stores:
        one.settle()
    repository.close()


def bring_back(place: Path, kept: list[Any], target: Path) -> None:
    repository = open_repository([str(place)], secret=SECRET)
    for file in kept[0]:
        place_file(target / file.path, repository.pieces(file.pieces), size=file.bytes, mtime_ns=file.mtime_ns)
    place_file(target / "database.sqlite3", repository.pieces(kept[1]), size=kept[2], mtime_ns=0)
    repository.close()


def hashed(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


def cuts(rows: int) -> None:
    """How much is new to the repository after a tenth of the rows, in the middle, went and a hundred came in front."""
    lines = [f"{n}\tpupil {n}\t{sha256(str(n).encode()).hexdigest()}\n".encode() for n in range(rows)]
    before = b"".join(lines)
    del lines[rows // 2 : rows // 2 + rows // 10]
    after = b"".join([b"a new row\n"] * 100 + lines)
    ways: dict[str, Callable[[bytes], Iterator[bytes]]] = {
        "equal lengths": lambda data: fixed([data], FIXED),
        "by content": lambda data: content_defined([data]),
    }
    for name, cut in ways.items():
        begun = time.perf_counter()
        old = {sha256(chunk).digest() for chunk in cut(before)}
        taken = time.perf_counter() - begun
        fresh = sum(len(chunk) for chunk in cut(after) if sha256(chunk).digest() not in old)
        print(f"cut {name:<40} {fresh / len(after):7.1%} new  {len(before) / MIB / taken:6.0f} MiB/s")


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench backup", description=__doc__)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args(options)
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        lake, database = made(folder, asked.mib)
        size = (sum(path.stat().st_size for path in lake.iterdir()) + database.stat().st_size) / MIB
        print(f"{size:.0f} MiB, {os.cpu_count()} cores")
        kept: list[Any] = []
        plain = timed("cp, synced", size, lambda: copied(folder, lake, database))
        first = timed("backup, first", size, lambda: store(folder / "place", lake, database, {}, kept))
        changed(database)
        before = {file.path: file for file in kept[0]}
        second = timed("backup, 1 % of the database changed", size, lambda: store(folder / "place", lake, database, before, kept))
        print(f"{'stored by the second':<44} {kept[3] / MIB:7.1f} MiB")
        back = timed("restore, every chunk verified", size, lambda: bring_back(folder / "place", kept, folder / "back"))
        proof = timed("proof: SHA-256 of every file", size, lambda: hashed(folder / "back"))
        assert hashed(folder / "back") == {**hashed(lake), database.name: sha256(database.read_bytes()).hexdigest()}
        print(
            f"backup ÷ cp {first / plain:.2f}   second ÷ first {second / first:.2f}   restore ÷ cp {back / plain:.2f}   "
            f"5 GiB restored and proved {(back + proof) / size * 5120:.0f} s"
        )
    cuts(asked.rows)


def copied(folder: Path, lake: Path, database: Path) -> None:
    (folder / "plain").mkdir()
    subprocess.run(["cp", "-r", str(lake), str(database), str(folder / "plain")], check=True)
    os.sync()
