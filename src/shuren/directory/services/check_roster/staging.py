"""The temporary DuckDB database of one import: staged rows, findings, and what the directory holds of the same rows.

It lies in the import's folder between check and apply and is deleted afterwards; national ids stand in it only until
they are replaced by their blind index and their sealed form.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from shuren.directory.rules.roster.checks import Check
from shuren.directory.rules.roster.kinds import STAGED
from shuren.directory.rules.roster.oneroster import FileSpec
from shuren.directory.rules.roster.workbook import Sheet

FILE_NAME = "stage.duckdb"
MEMORY_LIMIT = "350MB"
THREADS = 2
FINDINGS_PER_RULE = 20_000
BATCH = 50_000
# Cells that follow from standard columns where the extension column is missing.
_DERIVED = ("name", "role", "parent")


@dataclass(frozen=True, slots=True)
class Source:
    """Where staged rows come from: one CSV of a package, or one sheet of a workbook."""

    file: str
    sheet: str
    spec: FileSpec | Sheet
    is_delta: bool = False
    headings: tuple[str, ...] = ()

    def absent_cells(self, table: str) -> list[str]:
        """Cells of `table` that this source has no column for: what is held of them stays as it is."""
        if isinstance(self.spec, Sheet):
            columns = ((column.cell, column.heading) for column in self.spec.columns) if table == self.spec.table else ()
            absent = [cell for cell, heading in columns if heading not in self.headings]
        else:
            filled = {cell for heading, cell in {**self.spec.cells, **self.spec.extensions}.items() if heading in self.headings}
            absent = [cell for cell in self.spec.extensions.values() if cell not in filled]
        return ["national_id_index" if cell == "national_id" else cell for cell in absent if cell not in _DERIVED]

    def heading_of(self, table: str, cell: str) -> str:
        if isinstance(self.spec, Sheet):
            return self.spec.heading_of(table, cell)
        if table == "link":
            return {"ward": "sourcedId", "relation": "metadata.agentRelations"}.get(cell, "agentSourcedIds")
        if cell == "role" and self.spec.table == "affiliation":
            return "role"
        if cell == "type" and self.spec.table == "org":
            return "type"
        return self.spec.heading_of(cell)


@dataclass(slots=True)
class Stage:
    """An open staging database."""

    duck: duckdb.DuckDBPyConnection
    folder: Path
    sources: list[Source] = field(default_factory=list)
    has_demographics: bool = False

    @classmethod
    def open(cls, folder: Path, *, is_new: bool) -> "Stage":
        path = folder / FILE_NAME
        if is_new:
            remove_stage(folder)
        spill = folder / "spill"
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY_LIMIT,
            "threads": str(THREADS),
            "temp_directory": str(spill),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            # The stage lives for minutes: packing its columns tightly costs more than the disk it saves.
            "force_compression": "uncompressed",
        }
        stage = cls(duckdb.connect(str(path), config=config), folder)
        if is_new:
            stage._create()
        return stage

    def _create(self) -> None:
        for table, cells in STAGED.items():
            columns = ", ".join(f"{cell} VARCHAR NOT NULL DEFAULT ''" for cell in ("sid", *cells))
            self.duck.execute(f"CREATE TABLE {table} (src UTINYINT NOT NULL, row BIGINT NOT NULL, {columns})")
        self.duck.execute(
            "CREATE TABLE finding (src UTINYINT, row BIGINT, staged VARCHAR, cell VARCHAR, value VARCHAR, rule "
            "VARCHAR, detail VARCHAR, is_error BOOLEAN)"
        )
        # Of lines that need no second reading (`recall`): how many were passed over, which ids are listed, which are
        # no more, and who holds the pupil numbers of those that were read.
        self.duck.execute("CREATE TABLE passed (kind VARCHAR, rows BIGINT)")
        self.duck.execute("CREATE VIEW listed AS SELECT '' AS kind, '' AS sid WHERE false")
        self.duck.execute("CREATE TABLE gone (kind VARCHAR, sid VARCHAR)")
        self.duck.execute("CREATE TABLE held_number (id BIGINT, pupil_number VARCHAR, sid VARCHAR)")

    def close(self) -> None:
        self.duck.close()

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add_source(self, source: Source) -> int:
        self.sources.append(source)
        return len(self.sources) - 1

    def run(self, checks: Iterable[Check]) -> int:
        """Run checks, keep what they find, and return how many errors there were."""
        errors = 0
        for check in checks:
            # Reading first costs nothing; a write, even of no rows, waits for the disk.
            found = f"SELECT src, row, value, detail FROM ({check.sql}) found(src, row, value, detail) LIMIT {FINDINGS_PER_RULE}"
            rows = self.rows(found)
            if rows:
                self.keep_findings(check, rows)
            errors += len(rows) if check.is_error else 0
        return errors

    def keep_findings(self, check: Check, rows: Sequence[tuple[Any, ...]]) -> None:
        src, row, value, detail = (list(column) for column in zip(*rows, strict=True))
        same = {"staged": check.table, "cell": check.cell, "rule": check.rule, "is_error": check.is_error}
        columns: dict[str, list[Any]] = {"src": src, "row": row, "value": value, "detail": detail}
        columns |= {name: [word] * len(rows) for name, word in same.items()}
        order = ("src", "row", "staged", "cell", "value", "rule", "detail", "is_error")
        self.add_table("finding", pa.table({name: columns[name] for name in order}))

    def insert(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one write and return how many rows it touched."""
        answer = self.duck.execute(sql, list(parameters)).fetchone()
        return int(answer[0]) if answer else 0

    def value(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        answer = self.duck.execute(sql, list(parameters)).fetchone()
        return answer[0] if answer else None

    def passed(self, kind: str) -> int:
        """How many rows of a kind stand as the last package said, and were not read."""
        return int(self.value("SELECT coalesce(sum(rows), 0) FROM passed WHERE kind = ?", [kind]))

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.duck.execute(sql, list(parameters)).fetchall()

    def batches(self, sql: str, size: int = BATCH) -> Iterator[pa.RecordBatch]:
        """Stream the rows of a query over a connection of its own, so that other work goes on meanwhile."""
        cursor = self.duck.cursor()
        try:
            yield from cursor.sql(sql).to_arrow_reader(size)
        finally:
            cursor.close()

    def add_table(self, name: str, table: pa.Table) -> None:
        """Append an Arrow table to the table `name`, by position."""
        self.duck.register("incoming", table)
        self.duck.execute(f"INSERT INTO {name} SELECT * FROM incoming")
        self.duck.unregister("incoming")


def remove_stage(folder: Path) -> None:
    """Delete the staging database and what it spilled."""
    for leftover in (FILE_NAME, f"{FILE_NAME}.wal"):
        (folder / leftover).unlink(missing_ok=True)
    spill = folder / "spill"
    if spill.exists():
        for file in spill.iterdir():
            file.unlink()
        spill.rmdir()
