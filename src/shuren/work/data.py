"""Records of the job queue that other apps may hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class JobStatus(StrEnum):
    """Where a job stands; the first two are live."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE_STATUSES = (JobStatus.QUEUED, JobStatus.RUNNING)


class JobContext(Protocol):
    """What a job function is handed first: who it is, where it stopped last time, and how to tell how far it is.

    A job may be killed at any moment and run again: it is idempotent, or it goes on from `state`.
    """

    @property
    def job_id(self) -> int: ...

    @property
    def attempt(self) -> int:
        """1 for the first run, one more for every run after it."""

    @property
    def state(self) -> dict[str, Any]:
        """What the last `checkpoint` kept; empty at the first run."""

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Tell how far the job is. Cheap: may be called for every row, never writes inside the job's transaction."""

    def checkpoint(self, **state: Any) -> None:
        """Merge `state` into what a later run will find; inside a transaction it is kept or lost together with it."""

    def is_cancelled(self) -> bool:
        """Whether a person asked to stop. A job that has seen True and returns is recorded as cancelled."""


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as a page shows it. `rate` is steps per second, `seconds_left` an estimate; None while unknown."""

    id: int
    name: str
    title: str
    status: JobStatus
    done: int
    total: int | None
    note: str
    result: Mapping[str, Any] | None
    error: str
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    rate: float | None
    seconds_left: float | None
    owner_account_id: int | None = None
    is_cancelling: bool = False

    @property
    def is_live(self) -> bool:
        return self.status in LIVE_STATUSES

    @property
    def share(self) -> float | None:
        """Part done, 0 to 1; None when the total is unknown."""
        return min(1.0, self.done / self.total) if self.total else None
