"""Records of backups that other apps may hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class RunKind(StrEnum):
    """What was done."""

    BACKUP = "backup"
    BASE = "base"
    RESTORE = "restore"
    DRILL = "drill"
    PRUNE = "prune"


class RunState(StrEnum):
    """How it came out; `PARTIAL` reached some targets only, `BROKEN` was killed."""

    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a chunk: most pieces are a whole chunk, small files share one."""

    chunk: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of the data folder as a backup holds it; `path` is relative to the folder."""

    path: str
    bytes: int
    mtime_ns: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class StoredTable:
    """One table of PostgreSQL: its rows in the text form of COPY, with a digest of the rows whatever their order."""

    name: str
    columns: tuple[str, ...]
    rows: int
    bytes: int
    digest: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that one backup consists of; what no manifest names may be pruned.

    `counts` holds the rows of every table in the snapshot that was copied; `schema` what PostgreSQL needs beyond the
    migrations (partitions, sequences, tables made while the house runs).
    """

    id: str
    kind: RunKind
    at: datetime
    vendor: str
    release: str
    migrations: tuple[tuple[str, str], ...] = ()
    database: tuple[Piece, ...] = ()
    database_bytes: int = 0
    tables: tuple[StoredTable, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    schema: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[StoredFile, ...] = ()
    keys: str = ""

    @property
    def bytes(self) -> int:
        """What a restore brings back."""
        return self.database_bytes + sum(file.bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class BackupFacts:
    """A backup as lists show it."""

    id: str
    kind: RunKind
    at: datetime
    vendor: str
    bytes: int
    files: int
    rows: int
    targets: tuple[str, ...]
    held_for: str = ""


@dataclass(frozen=True, slots=True)
class RunData:
    """One backup, restore, drill or pruning as pages show it; `report` is signed for drills."""

    id: int
    kind: RunKind
    state: RunState
    manifest: str
    started_at: datetime
    finished_at: datetime | None
    bytes: int
    stored: int
    files: int
    rows: int
    targets: tuple[str, ...]
    problems: tuple[str, ...]
    report: Mapping[str, Any]
    signature: str

    @property
    def seconds(self) -> float | None:
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an installation stands against its policy; moments and seconds are None before the first."""

    is_set_up: bool
    backed_up_at: datetime | None
    drilled_at: datetime | None
    rpo_seconds: float | None
    rto_seconds: float | None
    bytes: int
    is_backup_late: bool
    is_drill_late: bool
    is_last_backup_whole: bool
    is_last_drill_good: bool
