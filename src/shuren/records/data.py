"""What others may learn of learning records: sums, and single statements as far as the lake holds them."""

from dataclasses import dataclass
from datetime import date, datetime


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
