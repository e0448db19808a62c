"""What others may learn of learning records: sums, and single statements as far as the lake holds them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class StatementCount:
    """What one client told on one day, in the part of the region that was asked about."""

    day: date
    client_id: str
    statements: int
    people: int
    activities: int
    last_stored: datetime


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One statement in short. `person_id` is who did it, if that is somebody here; `score` is scaled, from -1 to 1."""

    stored: datetime
    seq: int
    client_id: str
    person_id: int | None
    org_path: str
    verb: str
    activity: str
    activity_name: str
    success: bool | None
    completion: bool | None
    score: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFilter:
    """What of the lake is asked for. `paths` are branches of the tree, None every statement there is; days are inclusive."""

    paths: tuple[str, ...] | None
    since: date | None = None
    until: date | None = None
    client_id: str = ""
    verb: str = ""
    person_ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """What some statements say together, whoever or whatever they are grouped by.

    `days` counts those with any, `passed` and `failed` attempts that were judged, `score` is the mean of scaled ones (None:
    none was scored) and `seconds` the time told in all.
    """

    statements: int
    learners: int
    days: int
    activities: int
    passed: int
    failed: int
    score: float | None
    seconds: float
    last_stored: datetime | None

    @property
    def pass_rate(self) -> float | None:
        judged = self.passed + self.failed
        return self.passed / judged if judged else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassLearning(Learning):
    """The learning of those who belonged to one class on the day."""

    org_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnerLearning(Learning):
    """The learning of one person; all figures are none where nothing came."""

    person_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityLearning(Learning):
    """What was done at one activity; `middle_seconds` is the median of the times told at once."""

    activity: str
    activity_name: str
    middle_seconds: float | None


@dataclass(frozen=True, slots=True)
class DayLearning:
    """How many learned on a day, and how long in all."""

    day: date
    learners: int
    seconds: float


class LearnerState(StrEnum):
    """What a teacher should look at first; see `rules.learning.state_of`."""

    SILENT = "silent"
    FADING = "fading"
    STRUGGLING = "struggling"
    FINE = "fine"
