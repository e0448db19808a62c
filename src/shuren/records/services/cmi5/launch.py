"""Launching a unit: what was open is given up, a session begins, and the unit finds what it needs (8.1, 10.0)."""

import json
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.kernel import audit
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict
from shuren.records.models import CoursePart, CourseRegistration, CourseSession, PartProgress
from shuren.records.rules.actors import actor_key
from shuren.records.rules.cmi5.launch import UnitFacts, launch_data, launch_url, launched_extensions
from shuren.records.rules.cmi5.statements import launched
from shuren.records.rules.cmi5.words import LAUNCH_DATA, PREFERENCES, LaunchMode
from shuren.records.rules.documents import JSON_TYPE, DocumentKind, Place
from shuren.records.rules.preconditions import Precondition, PreconditionFailed
from shuren.records.rules.requests import OLD
from shuren.records.selectors.cmi5.clients import CLIENT
from shuren.records.selectors.cmi5.content import content_pass
from shuren.records.selectors.cmi5.reach import access_own_registration, access_unit
from shuren.records.services.callers import account_of
from shuren.records.services.cmi5.end_sessions import abandon_open
from shuren.records.services.cmi5.sessions import digest_of_secret, session_place
from shuren.records.services.cmi5.tell import tell, telling_of, thing_of
from shuren.records.services.documents import Sheet, put_document


@dataclass(frozen=True, slots=True)
class Addresses:
    """Of this installation, and of the page that one comes back to."""

    issuer: str
    back: str

    @property
    def endpoint(self) -> str:
        return f"{self.issuer}/xapi/"

    @property
    def fetch(self) -> str:
        return f"{self.issuer}/cmi5/fetch/"

    @property
    def content(self) -> str:
        return f"{self.issuer}/cmi5/content/"


@dataclass(frozen=True, slots=True)
class Launch:
    """Where to send the window, and which session began."""

    url: str
    session_id: str


@transaction.atomic
def launch_unit(
    *, actor: Actor, registration_id: int, part_id: int, mode: LaunchMode, language: str, addresses: Addresses, now: datetime
) -> Launch:
    """Begin a session of one's own registration; `Conflict` where the course was withdrawn."""
    registration = access_own_registration(actor=actor, id=registration_id)
    if registration.course.withdrawn_at is not None:
        raise Conflict(_("这门课程已经停用，不能再打开。"), remedy=_("有疑问请问老师。"))
    unit = access_unit(course=registration.course, id=part_id)
    CourseRegistration.objects.select_for_update().get(pk=registration.pk)
    abandon_open(registration, actor=actor, issuer=addresses.issuer, now=now)
    key = secrets.token_urlsafe(32)
    session = CourseSession.objects.create(
        key=uuid4(),
        registration=registration,
        part=unit,
        mode=mode,
        mastery_score=None if unit.mastery_score is None else float(unit.mastery_score),
        fetch_digest=digest_of_secret(key),
        launched_at=now,
    )
    base = _base(registration, unit, addresses)
    _write_documents(registration, session, language=language, addresses=addresses, now=now)
    _tell_launched(registration, session, base, issuer=addresses.issuer, now=now)
    CourseRegistration.objects.filter(pk=registration.pk).update(last_at=now)
    PartProgress.objects.update_or_create(registration=registration, part=unit, defaults={"launched_at": now})
    details = {"mode": mode.value, "part": unit.pk}
    audit.record(actor=actor, action="records.unit_launched", target=f"session:{session.pk}", details=details, now=now)
    url = launch_url(
        base,
        endpoint=addresses.endpoint,
        fetch=f"{addresses.fetch}{key}",
        actor=telling_of(registration, session.key, issuer=addresses.issuer).actor,
        registration=str(registration.key),
        activity=unit.activity,
    )
    return Launch(url, str(session.key))


def unit_facts(unit: CoursePart) -> UnitFacts:
    return UnitFacts(
        publisher_id=unit.publisher_id,
        move_on=unit.move_on,
        mastery_score=None if unit.mastery_score is None else float(unit.mastery_score),
        launch_parameters=unit.launch_parameters,
        entitlement_key=unit.entitlement_key,
    )


def _base(registration: CourseRegistration, unit: CoursePart, addresses: Addresses) -> str:
    if "://" in unit.url.partition("?")[0]:
        return unit.url
    return f"{addresses.content}{content_pass(registration.course_id)}/{unit.url.removeprefix('./')}"


def _tell_launched(registration: CourseRegistration, session: CourseSession, base: str, *, issuer: str, now: datetime) -> None:
    extensions = launched_extensions(unit_facts(session.part), mode=LaunchMode(session.mode), url=base)
    telling = telling_of(registration, session.key, issuer=issuer)
    tell([launched(telling, thing_of(session.part), extensions, at=now)], issuer=issuer, now=now)


def _write_documents(
    registration: CourseRegistration, session: CourseSession, *, language: str, addresses: Addresses, now: datetime
) -> None:
    """How to behave for the unit, anew at each launch, and what the learner prefers, where nobody has said so yet."""
    account = account_of(registration.person_id, issuer=addresses.issuer)
    agent = actor_key({"account": account})
    told = launch_data(
        unit_facts(session.part), session_id=str(session.key), mode=LaunchMode(session.mode), return_url=addresses.back
    )
    place = session_place(registration, session.part, agent)
    _put(place, LAUNCH_DATA, told, now=now)
    liking = Place(kind=DocumentKind.AGENT_PROFILE, space=CLIENT, agent=agent, person_id=registration.person_id)
    with suppress(PreconditionFailed):
        _put(liking, PREFERENCES, {"languagePreference": language, "audioPreference": "on"}, now=now)


def _put(place: Place, document_id: str, told: dict[str, object], *, now: datetime) -> None:
    sheet = Sheet(
        document_id=document_id,
        content_type=JSON_TYPE,
        content=json.dumps(told, ensure_ascii=False).encode(),
        client_id=CLIENT,
        version=OLD,
    )
    # How to behave is said anew at each launch; what somebody prefers is theirs once it is written.
    asked = Precondition(if_none_match="*" if place.kind is DocumentKind.AGENT_PROFILE else "")
    put_document(actor=SYSTEM, place=place, sheet=sheet, asked=asked, now=now)
