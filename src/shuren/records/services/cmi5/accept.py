"""What units of courses send: held to the rules of their session, kept, and counted towards what the course asks."""

from datetime import datetime
from typing import Any

from django.db import transaction

from shuren.kernel.errors import Invalid, Refused
from shuren.records.models import CourseRegistration, CourseSession, PartProgress
from shuren.records.rules.actors import actor_key
from shuren.records.rules.cmi5.satisfaction import is_unit_satisfied
from shuren.records.rules.cmi5.sessions import SessionFacts, after_statements
from shuren.records.rules.cmi5.words import LAUNCH_DATA, LaunchMode, MoveOn
from shuren.records.rules.documents import Place, json_object
from shuren.records.rules.received import Received
from shuren.records.rules.values import is_language
from shuren.records.selectors.statements import bodies_by_ids
from shuren.records.services.callers import Caller, account_of
from shuren.records.services.cmi5.satisfy import satisfy
from shuren.records.services.cmi5.tell import tell
from shuren.records.services.store_statements import store_statements

_PREFERENCES = frozenset({"languagePreference", "audioPreference"})


@transaction.atomic
def accept_statements(*, caller: Caller, received: Received, version: str, issuer: str, now: datetime) -> list[str]:
    """Keep what a unit says of its session; ids as `store_statements` returns them.

    Raises `MalformedStatement` or `Refused` at the first statement that cmi5 does not let it say; nothing is kept then.
    Statements that are kept already pass: their answer may have been lost.
    """
    session, registration = _locked(caller)
    if session.is_abandoned:
        raise Refused("The session was given up; launch the unit again.")
    known = bodies_by_ids([one["id"].lower() for one in received.statements if "id" in one])
    fresh = [one for one in received.statements if str(one.get("id", "")).lower() not in known]
    facts = after_statements(_facts(session, registration, issuer), fresh)
    kept = store_statements(caller=caller, received=received, version=version, issuer=issuer, now=now)
    if fresh:
        told = _note(session, registration, facts, issuer=issuer, now=now)
        tell(told, issuer=issuer, now=now)
    return kept


def check_place(caller: Caller, place: Place, document_id: str | None, *, is_writing: bool) -> None:
    """A unit keeps states in its own registration, or in none, and leaves the system's own document alone (10.0)."""
    if caller.session is None:
        return
    if place.registration not in ("", caller.session.registration):
        raise Refused("The session is for another registration.")
    if is_writing and document_id in (None, LAUNCH_DATA):
        raise Refused(f"{LAUNCH_DATA} is the system's own; name another document.")


def check_preferences(content: bytes) -> None:
    """What a learner prefers is read by the units of every course: two values of fixed form, and nothing else (11.0)."""
    told = json_object(content, "the document that was sent")
    languages = told.get("languagePreference", "")
    is_known = told.keys() <= _PREFERENCES and told.get("audioPreference", "on") in ("on", "off")
    if not is_known or not isinstance(languages, str) or len(languages) > 500:
        raise Invalid("languagePreference and audioPreference (on, off), and nothing else.")
    if languages and not all(is_language(tag.strip()) for tag in languages.split(",")):
        raise Invalid("languagePreference is a list of language tags, parted by commas.")


def _locked(caller: Caller) -> tuple[CourseSession, CourseRegistration]:
    """The registration first, as launching does: so that nobody waits for somebody who waits for them."""
    reach = caller.session
    if reach is None:
        raise Refused("This is for units of courses.")
    registration = CourseRegistration.objects.select_for_update(of=("self",)).select_related("course").get(key=reach.registration)
    session = CourseSession.objects.select_for_update(of=("self",)).select_related("part").get(pk=reach.id)
    return session, registration


def _facts(session: CourseSession, registration: CourseRegistration, issuer: str) -> SessionFacts:
    unit = session.part
    progress = PartProgress.objects.filter(registration=registration, part=unit).first()
    return SessionFacts(
        session_id=str(session.key),
        registration=str(registration.key),
        activity=unit.activity,
        publisher_id=unit.publisher_id,
        actor=actor_key({"account": account_of(registration.person_id, issuer=issuer)}),
        mode=LaunchMode(session.mode),
        mastery_score=session.mastery_score,
        begun_at=session.begun_at,
        ended_at=session.ended_at,
        sent=frozenset(session.verbs),
        was_completed=progress is not None and progress.completed_at is not None,
        was_passed=progress is not None and progress.passed_at is not None,
    )


def _note(
    session: CourseSession, registration: CourseRegistration, facts: SessionFacts, *, issuer: str, now: datetime
) -> list[dict[str, Any]]:
    """How far the session and the registration are now; returns what the system has to tell about it."""
    session.begun_at, session.ended_at, session.last_at = facts.begun_at, facts.ended_at, now
    session.verbs = sorted(facts.sent)
    if facts.ended_at is not None and session.closed_at is None:
        session.closed_at = now
    session.save(update_fields=["begun_at", "ended_at", "last_at", "verbs", "closed_at"])
    registration.last_at = now
    registration.save(update_fields=["last_at"])
    if not (facts.completed_at or facts.passed_at or facts.failed_at):
        return []
    progress, _is_new = PartProgress.objects.get_or_create(registration=registration, part=session.part)
    progress.completed_at = progress.completed_at or facts.completed_at
    progress.passed_at = progress.passed_at or facts.passed_at
    progress.failed_at = facts.failed_at or progress.failed_at
    if facts.score is not None:
        progress.score = facts.score
    is_done = is_unit_satisfied(
        MoveOn(session.part.move_on),
        is_completed=progress.completed_at is not None,
        is_passed=progress.passed_at is not None,
        is_waived=progress.waived_at is not None,
    )
    is_fresh = is_done and progress.satisfied_at is None
    progress.satisfied_at = progress.satisfied_at or (now if is_done else None)
    progress.save()
    if not is_fresh:
        return []
    unit_id = session.part.publisher_id
    return satisfy(registration, session_id=session.key, unit_id=unit_id, issuer=issuer, now=now)
