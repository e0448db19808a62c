"""Records that every app may pass around."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class AppReach:
    """What the token of an app allows at most: `permissions` by value, `paths` the branches where the app itself acts.

    `recipient` is who gets what is read, as consents name them (empty: the house itself), and `purpose` what for.
    """

    client_id: str
    permissions: frozenset[str]
    paths: tuple[str, ...] = ()
    recipient: str = ""
    purpose: str = "sign_in"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `role` is the hat chosen for this session; None wears all hats at once.

    With `app` an app acts: for a person where there is one, never beyond what its token allows, else in its own name.
    """

    person_id: int | None
    account_id: int | None
    name: str
    role: str | None = None
    is_system: bool = False
    app: AppReach | None = None


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
