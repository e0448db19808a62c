"""Records of accounts, credentials and sign-ins that other apps may hold."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shuren.directory.data import Permission, Role


@dataclass(frozen=True, slots=True)
class AccountData:
    """An account without its password; `is_usable` tells whether credentials were ever handed out."""

    id: int
    person_id: int | None
    username: str
    is_active: bool
    is_usable: bool
    must_change_password: bool
    locked_until: datetime | None
    last_sign_in_at: datetime | None
    language: str


@dataclass(frozen=True, slots=True)
class Slip:
    """Credentials as handed to a person once: `password` is kept nowhere and must be changed at the first sign-in."""

    person_id: int
    number: str
    name: str
    username: str
    password: str


class SignInRefusal(StrEnum):
    """Why a sign-in was refused, as far as the person may know."""

    WRONG = "wrong"
    LOCKED = "locked"
    TOO_MANY = "too_many"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class SignInOutcome:
    """Either the account that may come in, or the refusal; `until` is when a locked door opens again."""

    account_id: int | None
    refusal: SignInRefusal | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignInData:
    """One place where an account is signed in."""

    id: int
    public_id: str
    address: str
    agent: str
    begun_at: datetime
    seen_at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class Hat:
    """A role the signed-in person may choose; `org_id` is the first org it comes from, None for guardians."""

    role: Role
    org_id: int | None
    org_name: str


@dataclass(frozen=True, slots=True)
class Wardrobe:
    """What the signed-in person may be and do: kept in the session for some minutes, for menus only.

    Access itself is always decided afresh by `directory.scope_of`. `trail` is the way from the root to the org of the
    first hat worn; where the person may not look, the id is None.
    """

    hats: tuple[Hat, ...] = ()
    permissions: frozenset[Permission] = frozenset()
    trail: tuple[tuple[int | None, str], ...] = ()
