"""Consents, read: what somebody is asked, what they answered, where many people stand towards a recipient."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.directory.data import (
    ConsentDecision,
    ConsentState,
    ConsentTextData,
    DecidedAs,
    OrgStatus,
    Permission,
    PersonConsent,
    PersonData,
    Role,
)
from shuren.directory.models import Affiliation, Consent, ConsentText, Enrollment, GuardianLink, Person
from shuren.directory.rules.consent import deciders, may_answer, state_of
from shuren.directory.rules.tree import prefixes_of
from shuren.directory.selectors.people import person_data
from shuren.directory.selectors.scope import current_q, scope_of
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import path_q

_IN_FAMILY = (Role.PUPIL.value, Role.PARENT.value)


@dataclass(frozen=True, slots=True)
class Subject:
    """What deciding about a person needs to know of them."""

    person: Person
    is_pupil: bool
    is_staff: bool


def text_data(row: ConsentText) -> ConsentTextData:
    return ConsentTextData(
        id=row.pk,
        public_id=ids.encode("consent_text", row.pk),
        org_id=row.org_id,
        org_path=row.org_path,
        purpose=row.purpose,
        recipient=row.recipient,
        recipient_name=row.recipient_name,
        version=row.version,
        elements=tuple(row.elements),
        title_zh=row.title_zh,
        body_zh=row.body_zh,
        title_en=row.title_en,
        body_en=row.body_en,
        begin_at=row.begin_at,
        end_at=row.end_at,
        base_id=row.base_id or row.pk,
    )


def in_force_q(now: datetime) -> Q:
    return Q(begin_at__lte=now) & (Q(end_at__isnull=True) | Q(end_at__gt=now))


def subjects_of(person_ids: Collection[int], *, day: date) -> dict[int, Subject]:
    """People who are not merged away, with what they are at a school; two queries."""
    people = Person.objects.visible().filter(pk__in=person_ids, merged_into__isnull=True)
    roles: defaultdict[int, set[str]] = defaultdict(set)
    rows = Affiliation.objects.visible().filter(current_q(day), person_id__in=person_ids)
    for person_id, role in rows.values_list("person_id", "role"):
        roles[person_id].add(role)
    return {
        person.pk: Subject(
            person, is_pupil=Role.PUPIL.value in roles[person.pk], is_staff=bool(roles[person.pk].difference(_IN_FAMILY))
        )
        for person in people
    }


def consent_states(subjects: Mapping[int, Subject], *, purpose: str, recipient: str, now: datetime) -> dict[int, PersonConsent]:
    """Where people who have answered stand; those who have not are missing. Four queries, however many people.

    Only answers to notices of where somebody is now count: who has left a school has no longer agreed to anything there.
    """
    told: defaultdict[int, dict[int, dict[DecidedAs, ConsentDecision]]] = defaultdict(lambda: defaultdict(dict))
    paths: dict[int, str] = {}
    rows = Consent.objects.filter(
        person_id__in=list(subjects), is_current=True, base__purpose=purpose, base__recipient=recipient
    ).values_list("person_id", "base_id", "base__org_path", "decided_as", "decision")
    for person_id, base_id, path, decided_as, decision in rows:
        told[person_id][base_id][DecidedAs(decided_as)] = ConsentDecision(decision)
        paths[base_id] = path
    places = places_of(list(told), day=day_of(now)) if told else {}
    texts = ConsentText.objects.filter(in_force_q(now), base_id__in=paths).values_list("base_id", "elements")
    elements: defaultdict[int, frozenset[str]] = defaultdict(frozenset)
    standing = set()
    for base_id, named in texts:
        standing.add(base_id)
        elements[base_id] |= frozenset(named)
    found = {}
    for person_id, answers in told.items():
        here = {base: sides for base, sides in answers.items() if _is_at(places[person_id], paths[base])}
        if here:
            found[person_id] = _joined(subjects[person_id], here, standing, elements, purpose, recipient, now)
    return found


def _is_at(places: Collection[str], path: str) -> bool:
    return any(place.startswith(path) for place in places)


def _joined(
    subject: Subject,
    told: Mapping[int, Mapping[DecidedAs, ConsentDecision]],
    standing: Collection[int],
    elements: Mapping[int, frozenset[str]],
    purpose: str,
    recipient: str,
    now: datetime,
) -> PersonConsent:
    """One state from the answers to several notices: a no to one of them outweighs a yes to another."""
    needed = deciders(purpose=purpose, birth_date=subject.person.birth_date, is_pupil=subject.is_pupil, day=day_of(now))
    states = {base: state_of(answers, needed) for base, answers in told.items() if base in standing}
    agreed = frozenset[str]().union(*(elements[base] for base, state in states.items() if state is ConsentState.GIVEN))
    order = (ConsentState.WITHDRAWN, ConsentState.REFUSED, ConsentState.GIVEN, ConsentState.OUTDATED, ConsentState.WAITING)
    state = next((state for state in order if state in states.values()), ConsentState.OUTDATED)
    return PersonConsent(subject.person.pk, purpose, recipient, state, agreed if state is ConsentState.GIVEN else frozenset())


def consent_of(*, person_id: int, purpose: str, recipient: str, now: datetime) -> PersonConsent:
    """Where one person stands; `WAITING` if a notice is in force that they have not answered, `UNASKED` if there is none."""
    subjects = subjects_of([person_id], day=day_of(now))
    found = consent_states(subjects, purpose=purpose, recipient=recipient, now=now).get(person_id)
    if found is not None:
        return found
    asked = asked_texts([person_id], now=now).get(person_id, [])
    is_asked = any(text.purpose == purpose and text.recipient == recipient for text in asked)
    return PersonConsent(person_id, purpose, recipient, ConsentState.WAITING if is_asked else ConsentState.UNASKED)


def places_of(person_ids: Collection[int], *, day: date) -> dict[int, set[str]]:
    """Paths of the orgs and classes where people are on `day`."""
    found: dict[int, set[str]] = {person_id: set() for person_id in person_ids}
    ties = Affiliation.objects.visible().filter(current_q(day), person_id__in=person_ids, org__status=OrgStatus.ACTIVE)
    classes = Enrollment.objects.visible().filter(current_q(day), person_id__in=person_ids, class_org__status=OrgStatus.ACTIVE)
    for rows in (ties, classes):
        for person_id, path in rows.values_list("person_id", "org_path"):
            found[person_id].add(path)
    return found


def asked_texts(person_ids: Collection[int], *, now: datetime) -> dict[int, list[ConsentTextData]]:
    """The notices in force where people are, by person, in order of title; three queries."""
    places = {
        person_id: {prefix for path in paths for prefix in prefixes_of(path)}
        for person_id, paths in places_of(person_ids, day=day_of(now)).items()
    }
    everywhere = set[str]().union(*places.values())
    rows = ConsentText.objects.filter(in_force_q(now), org_path__in=everywhere).order_by("recipient", "purpose", "org_path", "pk")
    texts = [text_data(row) for row in rows]
    return {person_id: [text for text in texts if text.org_path in where] for person_id, where in places.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """A notice as it stands for one person; `answer` is the reader's own latest one."""

    text: ConsentTextData
    state: ConsentState
    answer_as: DecidedAs | None
    answer: ConsentDecision | None
    answered_at: datetime | None
    signed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """A person for whom somebody may answer, or is told what was answered, with every notice that concerns them."""

    person: PersonData
    is_self: bool
    asked: tuple[Asked, ...]


def askings_of(*, actor: Actor, now: datetime) -> list[Asking]:
    """The actor's own notices, then those of their wards; seven queries."""
    if actor.person_id is None:
        return []
    day = day_of(now)
    links = GuardianLink.objects.visible().filter(current_q(day), guardian_id=actor.person_id).order_by("pk")
    wards = list(links.values_list("ward_id", flat=True))
    order = [actor.person_id, *wards]
    subjects = subjects_of(order, day=day)
    asked = asked_texts(list(subjects), now=now)
    answers = _current_answers(list(subjects))
    found = []
    for person_id in order:
        if person_id not in subjects:
            continue
        lines = tuple(
            _asked(text, subjects[person_id], answers[person_id], actor, set(wards), day) for text in asked.get(person_id, [])
        )
        found.append(Asking(person_data(subjects[person_id].person), person_id == actor.person_id, lines))
    return found


def _current_answers(person_ids: Collection[int]) -> defaultdict[int, list[Consent]]:
    found: defaultdict[int, list[Consent]] = defaultdict(list)
    for row in Consent.objects.filter(person_id__in=person_ids, is_current=True).select_related("text").order_by("at", "pk"):
        found[row.person_id].append(row)
    return found


def _asked(
    text: ConsentTextData, subject: Subject, answers: Iterable[Consent], actor: Actor, wards: set[int], day: date
) -> Asked:
    needed = deciders(purpose=text.purpose, birth_date=subject.person.birth_date, is_pupil=subject.is_pupil, day=day)
    guardians = {actor.person_id} if subject.person.pk in wards and actor.person_id is not None else set()
    answer_as = may_answer(actor_id=actor.person_id, person_id=subject.person.pk, guardian_ids=guardians, needed=needed)
    rows = {DecidedAs(row.decided_as): row for row in answers if row.base_id == text.base_id}
    older = any(
        (row.text.purpose, row.text.recipient, row.text.org_id) == (text.purpose, text.recipient, text.org_id) for row in answers
    )
    state = state_of({side: ConsentDecision(row.decision) for side, row in rows.items()}, needed)
    if not rows and older:
        state = ConsentState.OUTDATED
    mine = rows.get(answer_as) if answer_as else None
    if mine is None:
        return Asked(text, state, answer_as, None, None)
    return Asked(text, state, answer_as, ConsentDecision(mine.decision), mine.at, mine.signed_on)


def access_consent_text(*, actor: Actor, id: int, now: datetime) -> ConsentTextData:
    """A notice of an org for whose people `actor` answers; otherwise `NotFound`."""
    scope = scope_of(actor=actor, permission=Permission.ANSWER_SUBJECTS, now=now)
    row = ConsentText.objects.filter(path_q("org_path", scope.paths), pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这份告知书。"))
    return text_data(row)


def consent_texts_in_scope(*, actor: Actor, now: datetime) -> QuerySet[ConsentText]:
    """Every version of the notices of orgs for whose people `actor` answers, newest first."""
    scope = scope_of(actor=actor, permission=Permission.ANSWER_SUBJECTS, now=now)
    return ConsentText.objects.filter(path_q("org_path", scope.paths)).select_related("org").order_by("-begin_at", "-pk")
