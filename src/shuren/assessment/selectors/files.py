"""Tables of a results file, streamed as blocks of text columns.

A large, faultless UTF-8 table is read by Arrow, which is some thirty times quicker; everything else is read by
`intake`, which tells every fault with its row. Both give the same blocks.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from shuren.assessment.rules.tables import Grid
from shuren.assessment.rules.words import TableKind
from shuren.intake.api import open_table
from shuren.intake.data import Finding

QUICK_FROM_BYTES = 4 * 1024 * 1024
BLOCK_BYTES = 8 * 1024 * 1024
BLOCK_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a table: their numbers as Excel counts them, and one text array per heading."""

    numbers: npt.NDArray[np.int64]
    columns: list[pa.Array]
    findings: tuple[Finding, ...] = ()

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(slots=True)
class SourceTable:
    """One table of a results file. `name` is the file as findings call it; `sheet` is empty for CSV."""

    kind: TableKind
    path: Path
    name: str
    sheet: str = ""
    header: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    is_quick: bool = False

    def open(self) -> None:
        """Read the headings and decide how the rows will be read."""
        table = open_table(self.path, sheet=self.sheet or None)
        self.header = table.header
        self.findings = [self._named(finding) for finding in table.findings]
        self.is_quick = not self.sheet and self.path.stat().st_size >= QUICK_FROM_BYTES and _is_faultless(self.path, self.header)

    def blocks(self) -> Iterator[Block]:
        """The rows from the top; rows without any content are left out."""
        return self._quick_blocks() if self.is_quick else self._careful_blocks()

    def grid(self) -> tuple[Grid, list[Finding]]:
        """The whole of a small table, and what is wrong with its rows as such."""
        rows: list[tuple[int, list[str]]] = []
        findings: list[Finding] = []
        for block in self.blocks():
            findings.extend(block.findings)
            cells = zip(*(column.to_pylist() for column in block.columns), strict=True)
            rows.extend((int(number), list(row)) for number, row in zip(block.numbers, cells, strict=True))
        return Grid(file=self.name, sheet=self.sheet, header=self.header, rows=rows), findings

    def problem(self, row: int, column: str, value: str, reason: str, remedy: str, *, is_error: bool = True) -> Finding:
        return Finding(self.name, self.sheet, row, column, value, reason, remedy, is_error)

    def _named(self, finding: Finding) -> Finding:
        return finding._replace(file=self.name, sheet=self.sheet)

    def _careful_blocks(self) -> Iterator[Block]:
        rows = open_table(self.path, sheet=self.sheet or None).rows
        while chunk := list(islice(rows, BLOCK_ROWS)):
            findings = tuple(self._named(finding) for row in chunk for finding in row.findings)
            kept = [row for row in chunk if any(row.values)]
            columns = zip(*(row.values for row in kept), strict=True) if kept else [()] * len(self.header)
            yield Block(
                numbers=np.array([row.number for row in kept], np.int64),
                columns=[pa.array(column, pa.string()) for column in columns],
                findings=findings,
            )

    def _quick_blocks(self) -> Iterator[Block]:
        start = 2
        with self.path.open("rb") as file:
            for batch in _arrow_reader(file, len(self.header)):
                numbers = np.arange(start, start + batch.num_rows, dtype=np.int64)
                start += batch.num_rows
                yield _without_blank_rows(numbers, batch)


def _without_blank_rows(numbers: npt.NDArray[np.int64], batch: pa.RecordBatch) -> Block:
    lengths = np.zeros(batch.num_rows, np.int64)
    for column in batch.columns:
        offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
        lengths += np.diff(offsets)
    if (lengths > 0).all():
        return Block(numbers, batch.columns)
    kept = pa.array(lengths > 0)
    return Block(numbers[lengths > 0], [column.filter(kept) for column in batch.columns])


def _is_faultless(path: Path, header: list[str]) -> bool:
    """Whether Arrow reads the whole file under this header, row for row, without one complaint."""
    with path.open("rb") as file:
        first = file.readline(1024 * 1024)
    try:
        names = next(csv.reader(io.StringIO(first.decode("utf-8-sig")), strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return False
    if [name.strip() for name in names] != header or len(header) < 2:
        return False
    try:
        with path.open("rb") as file:
            for batch in _arrow_reader(file, len(header)):
                for column in batch.columns:
                    if pc.any(pc.greater(pc.binary_length(column), 1_000)).as_py():
                        return False
    except pa.ArrowInvalid:
        return False
    return True


def _arrow_reader(file: io.BufferedReader, width: int) -> pa_csv.CSVStreamingReader:
    names = [f"c{place}" for place in range(width)]
    return pa_csv.open_csv(
        file,
        read_options=pa_csv.ReadOptions(column_names=names, skip_rows_after_names=1, block_size=BLOCK_BYTES),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )
