"""What a request says: who acts, when, and which row an opaque id names."""

from datetime import date, datetime

from django.http import HttpRequest, QueryDict

from shuren.kernel import clock, ids
from shuren.kernel.data import Actor


def actor_in(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]  # set by the middleware of identity, a floor above
    return actor


def now() -> datetime:
    return clock.now()


def today() -> date:
    return clock.day_of(clock.now())


def org_id_in(public_id: str) -> int:
    return ids.decode("org", public_id)


def person_id_in(public_id: str) -> int:
    return ids.decode("person", public_id)


def affiliation_id_in(public_id: str) -> int:
    return ids.decode("affiliation", public_id)


def enrollment_id_in(public_id: str) -> int:
    return ids.decode("enrollment", public_id)


def pair_id_in(public_id: str) -> int:
    return ids.decode("pair", public_id)


def grant_id_in(public_id: str) -> int:
    return ids.decode("grant", public_id)


def consent_text_id_in(public_id: str) -> int:
    return ids.decode("consent_text", public_id)


def break_glass_id_in(public_id: str) -> int:
    return ids.decode("break_glass", public_id)


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form was sent, an empty one too; None when the form is only to be shown."""
    return request.POST if request.method == "POST" else None
