"""A step of `collections`: take the answers of the last collection out, in a process of its own."""

import tempfile
import time
from pathlib import Path

from shuren.casework.models import Collection
from shuren.casework.selectors.collections.reach import Reach
from shuren.casework.services.collections.export import csv_parts, write_parquet
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM


def peak() -> float:
    """The most this process held, in MiB; `getrusage` would begin with what its parent held when it was started."""
    told = Path("/proc/self/status").read_text("utf-8")
    return int(next(line for line in told.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def main(options: list[str]) -> None:
    export(options[0])


def export(kind: str) -> None:
    """Take the last collection's answers out into a file that is thrown away."""
    row = Collection.objects.order_by("-pk")[0]
    reach, now, began = Reach(row, (row.path,), may_manage=True), clock.now(), time.perf_counter()
    before = peak()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"answers.{kind}"
        with path.open("wb") as file:
            if kind == "csv":
                for part in csv_parts(actor=SYSTEM, reach=reach, now=now):
                    file.write(part)
            else:
                write_parquet(file, actor=SYSTEM, reach=reach, now=now)
        size = path.stat().st_size / 2**20
    took, rows = time.perf_counter() - began, row.targets.count()
    words = f"{rows:,} answers to {kind}: {took:.1f} s, {rows / took:,.0f}/s, {size:,.0f} MiB"
    print(f"{words}; peak {peak():,.0f} MiB, of which {before:,.0f} before it began", flush=True)
