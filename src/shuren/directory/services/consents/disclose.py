"""Tell a recipient about people: what grade, purpose and consent allow, and a line on file for everybody told of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import ConsentState, DisclosedPerson, Withheld
from shuren.directory.models import Disclosure, Person
from shuren.directory.rules.consent import is_masked, withheld
from shuren.directory.selectors.consents import Subject, consent_states, subjects_of
from shuren.directory.selectors.orgs import CHUNK
from shuren.directory.services.seal_national_id import opened
from shuren.kernel import audit, ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Invalid
from shuren.standards.api import is_sensitive, mask, meaning_of
from shuren.standards.data import ElementData, Grade

_COLUMNS = {
    "person.number": "number",
    "person.name": "name",
    "person.family_name": "family_name",
    "person.given_name": "given_name",
    "person.sex": "sex",
    "person.birth_date": "birth_date",
    "person.pupil_number": "pupil_number",
    "person.staff_number": "staff_number",
    "person.phone": "phone",
    "person.email": "email",
    "person.username": "username",
    "person.grade": "grade",
}
_NATIONAL_ID = "person.national_id"
DISCLOSABLE = frozenset({*_COLUMNS, _NATIONAL_ID})


@transaction.atomic
def disclose_people(
    *,
    person_ids: Collection[int],
    elements: Sequence[str],
    purpose: str,
    recipient: str,
    now: datetime,
    actor: Actor = SYSTEM,
    by_notice: Collection[str] = (),
    brought: Mapping[str, Mapping[int, str]] | None = None,
) -> dict[int, DisclosedPerson]:
    """Per person what `recipient` may be told of `elements` for `purpose`, and why the rest is missing.

    Everything that leaves the house goes through here. Seven queries for every ten thousand people; who was told of is kept,
    one row a day. People who are not known are left out. The caller has checked that the recipient may ask about them.
    `brought` are the values, by element and person, of elements that an app above keeps.
    Of the elements `by_notice` those that their grade lets pass freely wait for a yes to a notice that names them, as L3 does.
    """
    facts, brought = {}, brought or {}
    for code in elements:
        if code not in DISCLOSABLE and code not in brought:
            raise Invalid(_("“%(code)s”不能这样提供。") % {"code": code})
        facts[code] = meaning_of(code)
        if code in by_notice and facts[code].grade in (Grade.PUBLIC, Grade.INTERNAL):
            facts[code] = replace(facts[code], grade=Grade.PERSONAL)
    wanted = sorted(set(person_ids))
    found: dict[int, DisclosedPerson] = {}
    for start in range(0, len(wanted), CHUNK):
        found |= _disclosed(wanted[start : start + CHUNK], facts, brought, purpose, recipient, now)
    if recipient:
        _keep(found.values(), purpose, recipient, now)
        _audit_sensitive(actor, found, facts, purpose, recipient, now)
    return {person_id: found[person_id] for person_id in person_ids if person_id in found}


def _disclosed(
    person_ids: Sequence[int],
    facts: Mapping[str, ElementData],
    brought: Mapping[str, Mapping[int, str]],
    purpose: str,
    recipient: str,
    now: datetime,
) -> dict[int, DisclosedPerson]:
    subjects = subjects_of(person_ids, day=day_of(now))
    states = consent_states(subjects, purpose=purpose, recipient=recipient, now=now)
    found = {}
    for person_id, subject in subjects.items():
        consent = states.get(person_id)
        state, agreed = (consent.state, consent.elements) if consent else (ConsentState.WAITING, frozenset[str]())
        held = {code: values.get(person_id, "") for code, values in brought.items()}
        found[person_id] = _told(subject, facts, held, purpose, recipient, state, agreed)
    return found


def _told(
    subject: Subject,
    facts: Mapping[str, ElementData],
    brought: Mapping[str, str],
    purpose: str,
    recipient: str,
    state: ConsentState,
    agreed: Collection[str],
) -> DisclosedPerson:
    values: dict[str, str] = {}
    masked: set[str] = set()
    reasons: dict[str, Withheld] = {}
    for code, element in facts.items():
        kept = brought[code] if code in brought else _value(subject.person, code) if code != _NATIONAL_ID else ""
        grade = Grade.SENSITIVE if is_sensitive(kept, code) else element.grade
        reason = withheld(
            element=code,
            grade=grade,
            purpose=purpose,
            recipient=recipient,
            is_staff=subject.is_staff,
            state=state,
            agreed=agreed,
        )
        is_shown = reason is None or is_masked(reason, grade, element.mask)
        value = (kept or _value(subject.person, code)) if is_shown else ""
        if is_shown and not value:
            reason = Withheld.EMPTY
        elif is_shown:
            values[code] = mask(value, code, may_see=reason is None, may_reveal=reason is None)
            masked |= {code} if reason else set()
        if reason is not None:
            reasons[code] = reason
    person = subject.person
    return DisclosedPerson(person.pk, ids.encode("person", person.pk), values, frozenset(masked), reasons)


def _value(person: Person, code: str) -> str:
    if code == _NATIONAL_ID:
        return opened(bytes(person.national_id_sealed)) if person.national_id_sealed else ""
    value = getattr(person, _COLUMNS[code])
    return value.isoformat() if isinstance(value, date) else str(value or "")


def _keep(told: Collection[DisclosedPerson], purpose: str, recipient: str, now: datetime) -> None:
    day = day_of(now)
    lines = {}
    for person in told:
        whole = sorted(code.removeprefix("person.") for code in person.values if code not in person.masked)
        if whole:
            lines[person.person_id] = ",".join(whole)
    if not lines:
        return
    wanted = sorted(lines)
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        rows = Disclosure.objects.filter(person_id__in=part, day=day, recipient=recipient, purpose=purpose)
        known = set(rows.values_list("person_id", "elements"))
        Disclosure.objects.bulk_create(
            (
                Disclosure(person_id=id, recipient=recipient, purpose=purpose, elements=lines[id], day=day, at=now)
                for id in part
                if (id, lines[id]) not in known
            ),
            ignore_conflicts=True,
        )


def _audit_sensitive(
    actor: Actor,
    told: Mapping[int, DisclosedPerson],
    facts: Mapping[str, ElementData],
    purpose: str,
    recipient: str,
    now: datetime,
) -> None:
    graded = {code for code, element in facts.items() if element.grade is Grade.SENSITIVE}
    sensitive: set[str] = set()
    people = []
    for id, person in told.items():
        found = {code for code, value in person.values.items() if code in graded or is_sensitive(value, code)}
        sensitive |= found
        people += [id] if found else []
    if people:
        details = {"purpose": purpose, "elements": sorted(sensitive), "people": len(people), "person_ids": people[:500]}
        audit.record(
            actor=actor, action="directory.sensitive_disclosed", target=f"recipient:{recipient}", details=details, now=now
        )
