"""Records that every app may pass around."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `role` is the hat chosen for this session; None wears all hats at once."""

    person_id: int | None
    account_id: int | None
    name: str
    role: str | None = None
    is_system: bool = False


SYSTEM = Actor(person_id=None, account_id=None, name="system", is_system=True)
ANONYMOUS = Actor(person_id=None, account_id=None, name="anonymous")


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open span of days: `begin` is in it, `end` is not; None is open on that side."""

    begin: date | None = None
    end: date | None = None

    def __post_init__(self) -> None:
        if self.begin and self.end and self.end < self.begin:
            raise ValueError(f"period ends {self.end} before it begins {self.begin}")

    def covers(self, day: date) -> bool:
        return (self.begin is None or self.begin <= day) and (self.end is None or day < self.end)

    def overlaps(self, other: "Period") -> bool:
        starts_before_end = self.begin is None or other.end is None or self.begin < other.end
        ends_after_start = self.end is None or other.begin is None or other.begin < self.end
        return starts_before_end and ends_after_start and not self.is_empty and not other.is_empty

    @property
    def is_empty(self) -> bool:
        return self.begin is not None and self.begin == self.end
