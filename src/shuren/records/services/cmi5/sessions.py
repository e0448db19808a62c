"""Credentials of a session: an address that hands out a token once (8.2), and who calls with that token."""

import binascii
import hmac
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from django.db import transaction

from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Refused
from shuren.records.models import CoursePart, CourseRegistration, CourseSession
from shuren.records.rules.cmi5.words import PREFERENCES
from shuren.records.rules.documents import DocumentKind, Place
from shuren.records.selectors.cmi5.clients import CLIENT, space_of
from shuren.records.services.callers import PROFILES, READ, STATE, WRITE, Caller, SessionReach, Unauthorized, account_of
from shuren.records.services.cmi5.end_sessions import LIVES

# What was on its way when the unit said that it ended may still arrive (9.3.8).
GRACE = timedelta(seconds=60)
_USER = "cmi5-"
_SCOPES = frozenset({WRITE, READ, STATE, PROFILES})


class FetchFault(StrEnum):
    """Why no token is handed out (8.2.3)."""

    USED = "1"
    UNKNOWN = "2"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A token, or why there is none."""

    token: str = ""
    fault: FetchFault | None = None


@transaction.atomic
def fetch_token(*, key: str, now: datetime) -> Fetched:
    """The token of a session, to whoever asks first; it opens the session as long as that lives."""
    rows = CourseSession.objects.select_for_update().filter(fetch_digest=digest_of_secret(key))
    session = rows.first()
    if session is None:
        return Fetched(fault=FetchFault.UNKNOWN)
    if session.fetched_at is not None or session.closed_at is not None or session.launched_at + LIVES < now:
        return Fetched(fault=FetchFault.USED)
    secret = secrets.token_urlsafe(32)
    session.token_digest, session.fetched_at = digest_of_secret(secret), now
    session.save(update_fields=["token_digest", "fetched_at"])
    actor = Actor(person_id=None, account_id=None, name=CLIENT, role="app")
    audit.record(actor=actor, action="records.token_fetched", target=f"session:{session.pk}", now=now)
    return Fetched(token=b64encode(f"{_USER}{session.key}:{secret}".encode()).decode())


def caller_by_session(*, header: str, issuer: str, now: datetime) -> Caller | None:
    """The unit of a session whose token stands in the header by HTTP Basic; None where it is no token of a session.

    Raises `Unauthorized` for one that is not good, `Refused` where the session is over.
    """
    told = _told(header)
    if told is None:
        return None
    key, secret = told
    rows = CourseSession.objects.select_related("registration", "registration__course", "part").filter(key=key)
    session = rows.first()
    if session is None or not session.token_digest:
        raise Unauthorized("Unknown session.")
    if not hmac.compare_digest(session.token_digest, digest_of_secret(secret)):
        raise Unauthorized("The token is not that of the session.")
    if _is_over(session, now):
        raise Refused("The session is over; launch the unit again.")
    registration = session.registration
    course_id = registration.course_id
    unit = {"objectType": "Agent", "account": {"homePage": issuer, "name": space_of(course_id)}}
    person = {"objectType": "Agent", "account": account_of(registration.person_id, issuer=issuer)}
    reach = SessionReach(session.pk, str(registration.key))
    return Caller(
        client_id=space_of(course_id),
        name=registration.course.name,
        scopes=_SCOPES,
        actor=Actor(person_id=registration.person_id, account_id=None, name=registration.course.name[:100], role="app"),
        space=space_of(course_id),
        person_id=registration.person_id,
        authority={"objectType": "Group", "member": [unit, person]},
        session=reach,
    )


def session_place(registration: CourseRegistration, unit: CoursePart, agent: str) -> Place:
    """Where the states of a unit lie in one registration; `agent` is the key of the learner's account."""
    return Place(
        kind=DocumentKind.STATE,
        space=space_of(registration.course_id),
        activity=unit.activity,
        agent=agent,
        registration=str(registration.key),
        person_id=registration.person_id,
    )


def profile_space(caller: Caller, document_id: str | None) -> str:
    """What a learner prefers holds for all courses (11.0), everything else in profiles for one."""
    return CLIENT if caller.session is not None and document_id == PREFERENCES else caller.space


def digest_of_secret(secret: str) -> str:
    """Secrets here are 256 random bits, so that a plain digest tells nothing about them."""
    return sha256(secret.encode()).hexdigest()


def _is_over(session: CourseSession, now: datetime) -> bool:
    if session.is_abandoned or session.launched_at + LIVES < now:
        return True
    return session.closed_at is not None and session.closed_at + GRACE < now


def _told(header: str) -> tuple[UUID, str] | None:
    try:
        text = b64decode(header.partition(" ")[2].strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, _sign, secret = text.partition(":")
    if not user.startswith(_USER):
        return None
    try:
        return UUID(user.removeprefix(_USER)), secret
    except ValueError:
        return None
