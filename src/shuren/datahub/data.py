"""Records of the lake that other apps may hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """What a dataset is: `<app>.<noun>`, the keys that cut it into partitions, and who answers for it.

    `grade` is L1 (public) … L4 (sensitive personal); `owner` names the app or office that answers for the data.
    """

    name: str
    partition_keys: tuple[str, ...]
    description: str
    grade: str
    owner: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One written state of one partition: immutable, readable by id until it is swept.

    `columns` maps each column to its Arrow type. A kept snapshot is never swept.
    """

    id: int
    dataset: str
    partition: Mapping[str, str]
    rows: int
    bytes: int
    sha256: str
    columns: Mapping[str, str]
    created_at: datetime
    is_current: bool
    superseded_at: datetime | None
    is_kept: bool


@dataclass(frozen=True, slots=True)
class PreparedPartition:
    """A file written into the lake that no reader sees yet; `file` is relative to the lake folder."""

    dataset: str
    partition: Mapping[str, str]
    file: str
    rows: int
    bytes: int
    sha256: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep removed."""

    snapshots: int
    files: int
    bytes: int
