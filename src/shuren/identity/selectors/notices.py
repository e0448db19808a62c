"""The directory's notices about an app, as they stand for the person whom the app asks."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import get_language

from shuren.directory import api as directory
from shuren.directory.data import ConsentState
from shuren.identity.data import ClientData
from shuren.kernel.data import Actor
from shuren.standards.api import meaning_of


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice: what it says, which data it is about, whether the person answers it themself, and what they said."""

    text_id: int
    public_id: str
    title: str
    body: str
    elements: tuple[str, ...]
    is_own: bool
    is_given: bool
    is_waiting: bool


def notices_about(*, actor: Actor, client: ClientData, now: datetime) -> list[Notice]:
    """The notices whose recipient is this app, where the actor is; none for the house's own apps.

    Waiting is what the actor has to answer and has not, or what asks for more than they agreed to.
    """
    if client.is_first_party or actor.person_id is None:
        return []
    own = next((asking for asking in directory.askings_of(actor=actor, now=now) if asking.is_self), None)
    asked = own.asked if own else ()
    language = get_language() or ""
    return [
        Notice(
            text_id=line.text.id,
            public_id=line.text.public_id,
            title=line.text.title(language),
            body=line.text.body(language),
            elements=tuple(meaning_of(code).name(language) for code in line.text.elements),
            is_own=line.answer_as is not None,
            is_given=line.state is ConsentState.GIVEN,
            is_waiting=line.answer_as is not None and line.state in (ConsentState.WAITING, ConsentState.OUTDATED),
        )
        for line in asked
        if line.text.recipient == client.client_id
    ]
