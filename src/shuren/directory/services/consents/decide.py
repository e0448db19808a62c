"""Answer a notice: agree, refuse, take back."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import ConsentDecision, ConsentState, ConsentWay, DecidedAs
from shuren.directory.models import Consent, ConsentText, Person
from shuren.directory.rules.consent import deciders, may_answer
from shuren.directory.selectors.consent_evidence import consent_digest
from shuren.directory.selectors.consents import asked_texts, consent_of, subjects_of
from shuren.directory.selectors.roles import guardian_ids_of
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound, Refused
from shuren.trust.api import anchor
from shuren.trust.data import Business

_EVENTS = {
    ConsentDecision.GIVEN: "directory.consent_given",
    ConsentDecision.REFUSED: "directory.consent_refused",
    ConsentDecision.WITHDRAWN: "directory.consent_withdrawn",
}


@transaction.atomic
def decide_consent(*, actor: Actor, person_id: int, text_id: int, decision: ConsentDecision, now: datetime) -> ConsentState:
    """Record the actor's own answer for themself or a ward, and where the person now stands.

    Publishes `directory.consent_given`, `directory.consent_refused` or `directory.consent_withdrawn`. Only what was given
    can be withdrawn; the same answer again changes nothing.
    """
    day = day_of(now)
    guardians = guardian_ids_of(person_id, day=day)
    if actor.person_id is None or actor.person_id not in (person_id, *guardians):
        raise NotFound(_("没有找到这份告知书。"))
    _lock(person_id)
    row = _text_for(person_id, text_id, now)
    subject = subjects_of([person_id], day=day)[person_id]
    needed = deciders(purpose=row.purpose, birth_date=subject.person.birth_date, is_pupil=subject.is_pupil, day=day)
    side = may_answer(actor_id=actor.person_id, person_id=person_id, guardian_ids=guardians, needed=needed)
    if side is None:
        raise Refused(_("这一项由监护人或本人决定，您不能代答。"), remedy=_("满 14 岁由本人决定，未满 14 岁由监护人决定。"))
    return write_answer(
        actor=actor, row=row, person_id=person_id, side=side, decision=decision, decided_by_id=actor.person_id, now=now
    )


def write_answer(
    *,
    actor: Actor,
    row: ConsentText,
    person_id: int,
    side: DecidedAs,
    decision: ConsentDecision,
    decided_by_id: int,
    now: datetime,
    way: ConsentWay = ConsentWay.PAGE,
    signed_on: date | None = None,
) -> ConsentState:
    """Add the answer, mark it as the current one, anchor, audit and publish it; the caller has checked and locked."""
    current = Consent.objects.filter(person_id=person_id, base_id=row.base_id, decided_as=side.value, is_current=True).first()
    if decision is ConsentDecision.WITHDRAWN and (current is None or current.decision != ConsentDecision.GIVEN):
        raise Conflict(_("还没有同意过，不需要撤回。"), remedy=_("请刷新页面看现在的状态。"))
    if current is not None and current.decision == decision and current.text_id == row.pk:
        return consent_of(person_id=person_id, purpose=row.purpose, recipient=row.recipient, now=now).state
    if current is not None:
        Consent.objects.filter(pk=current.pk).update(is_current=False)
    entered_by_id = actor.person_id if way is ConsentWay.PAPER else None
    consent = Consent(
        person_id=person_id,
        text=row,
        base_id=row.base_id or row.pk,
        decision=decision.value,
        decided_as=side.value,
        decided_by_id=decided_by_id,
        way=way.value,
        entered_by_id=entered_by_id,
        signed_on=signed_on,
        at=now,
    )
    digest = consent_digest(consent)
    consent.digest = digest.hex()
    consent.save(force_insert=True)
    anchor(business=Business.AUDIT, subject=f"consent:{consent.pk}", digest=digest, now=now)
    told = {"person_id": person_id, "purpose": row.purpose, "recipient": row.recipient, "text_id": row.pk}
    details = told | {"decided_as": side.value, "way": way.value, "digest": consent.digest}
    audit.record(actor=actor, action=_EVENTS[decision], target=f"person:{person_id}", details=details, now=now)
    state = consent_of(person_id=person_id, purpose=row.purpose, recipient=row.recipient, now=now).state
    events.publish(_EVENTS[decision], told | {"consent_id": consent.pk, "state": state.value}, now=now)
    return state


def _lock(person_id: int) -> None:
    """Two answers of one moment come one after the other."""
    if not Person.objects.select_for_update().filter(pk=person_id, merged_into__isnull=True).exists():
        raise NotFound(_("没有找到这个人。"))


def _text_for(person_id: int, text_id: int, now: datetime) -> ConsentText:
    if text_id not in {text.id for text in asked_texts([person_id], now=now)[person_id]}:
        raise NotFound(_("没有找到这份告知书，或它已经有了新的版本。"))
    return ConsentText.objects.get(pk=text_id)
