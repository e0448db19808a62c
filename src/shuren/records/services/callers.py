"""Who calls the service of learning records, and how far their credentials reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shuren.identity.api import admit_secret, admit_secrets
from shuren.identity.data import AppFault, AppRefusal, Bearer
from shuren.kernel import ids
from shuren.kernel.data import Actor, AppReach
from shuren.kernel.errors import Refused, ShurenError
from shuren.records.services.together import Together

WRITE, READ, READ_OWN = "statements/write", "statements/read", "statements/read/mine"
STATE, DEFINE, PROFILES, ALL, READ_ALL = "state", "define", "profiles", "all", "all/read"
SCOPES = frozenset({WRITE, READ, READ_OWN, STATE, DEFINE, PROFILES, ALL, READ_ALL})


class Unauthorized(ShurenError):
    """No credentials, or none that are good (401)."""

    status = 401


class OverQuota(ShurenError):
    """The quota of the app is used up (429)."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__("Over quota.")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class SessionReach:
    """A cmi5 session in which a unit calls: it reaches one registration, and only as long as the session lives."""

    id: int
    registration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A client in its own name, or for a person; `space` is where its documents lie. With `session` a unit of a course calls."""

    client_id: str
    name: str
    scopes: frozenset[str]
    actor: Actor
    space: str
    person_id: int | None
    authority: dict[str, Any]
    session: SessionReach | None = None

    def may(self, *scopes: str) -> bool:
        """Whether one of these scopes was given; `all` opens everything."""
        return ALL in self.scopes or bool(self.scopes & set(scopes))


def _admitted(asked: tuple[str, datetime]) -> Bearer | AppRefusal | None:
    header, now = asked
    return admit_secret(header=header, now=now)


def _admitted_together(every: Sequence[tuple[str, datetime]]) -> Sequence[Bearer | AppRefusal | None]:
    return admit_secrets(headers=[header for header, _now in every], now=max(now for _header, now in every))


# Looked up anew each time: a secret that was withdrawn is good for nobody who comes after that.
_joint = Together(_admitted, _admitted_together, most=100)


def caller_by_secret(*, header: str, issuer: str, now: datetime) -> Caller:
    """The client whose id and secret stand in the header by HTTP Basic."""
    found = _joint.ask((header, now))
    if isinstance(found, AppRefusal):
        if found.fault is AppFault.OVER_QUOTA:
            raise OverQuota(found.retry_after)
        raise Unauthorized("The app was stopped.")
    if found is None:
        raise Unauthorized("Unknown client, or a secret that is not its own.")
    reach = AppReach(client_id=found.client_id, permissions=frozenset(), purpose=found.purpose)
    return caller_of(found, actor=Actor(person_id=None, account_id=None, name=found.name, role="app", app=reach), issuer=issuer)


def caller_of(bearer: Bearer, *, actor: Actor, issuer: str) -> Caller:
    """The client behind a token or secret; raises `Refused` where it was given no scope of learning records."""
    scopes = bearer.scopes & SCOPES
    if not scopes:
        raise Refused(f"One of these scopes is needed: {', '.join(sorted(SCOPES))}.")
    return Caller(
        client_id=bearer.client_id,
        name=bearer.name,
        scopes=scopes,
        actor=actor,
        space="" if bearer.is_first_party else bearer.client_id,
        person_id=bearer.person_id,
        authority=_authority(bearer, issuer),
    )


def account_of(person_id: int, *, issuer: str) -> dict[str, str]:
    """The account by which statements name a person of this installation."""
    return {"homePage": issuer, "name": ids.encode("person", person_id)}


def _authority(bearer: Bearer, issuer: str) -> dict[str, Any]:
    """An app in its own name is an agent, for a person it and the person are a group of two (1.0.3 Data 2.4.9)."""
    app = {"objectType": "Agent", "account": {"homePage": issuer, "name": bearer.client_id}}
    if bearer.person_id is None:
        return {**app, "name": bearer.name} if bearer.name else app
    person = {"objectType": "Agent", "account": account_of(bearer.person_id, issuer=issuer)}
    return {"objectType": "Group", "member": [app, person]}
