"""A person's own data as they may take it with them, and what was asked about it."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from shuren.directory.data import OrgData, RequestLeft, SubjectKind
from shuren.directory.models import (
    Affiliation,
    BreakGlass,
    Consent,
    Disclosure,
    Enrollment,
    FormerNumber,
    Grant,
    GuardianLink,
    Person,
    SubjectRequest,
)
from shuren.directory.rules.subject_data import subject_sections
from shuren.directory.selectors.consents import places_of
from shuren.directory.selectors.orgs import orgs_by_ids, root_org
from shuren.directory.selectors.roles import guardian_ids_of
from shuren.directory.selectors.viewers import READS
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.models import AuditEntry
from shuren.messaging.api import notices_of

_READS = _NOTICES = 1_000

_FACTS = (
    *("number", "name", "family_name", "given_name", "sex", "birth_date", "username", "pupil_number", "staff_number"),
    *("email", "phone", "grade"),
)


def access_subject(*, actor: Actor, id: int, now: datetime) -> Person:
    """The person, if `actor` is that person or a guardian of theirs; otherwise `NotFound`."""
    person = Person.objects.visible().filter(pk=id, merged_into__isnull=True).first()
    if person is None or actor.person_id not in (id, *guardian_ids_of(id, day=day_of(now))):
        raise NotFound(_("没有找到这个人。"))
    return person


def subject_data(person: Person) -> dict[str, object]:
    """Everything on file of a person, in standard terms and plain values; the national id only as kept or not.

    The directory's own rows first, then what other apps have registered (`rules.subject_data`).
    """

    periods = ("begin_date", "end_date")
    ties = Affiliation.objects.visible().filter(person=person).order_by("pk")
    classes = Enrollment.objects.visible().filter(person=person).order_by("pk")
    links = GuardianLink.objects.visible().filter(Q(ward=person) | Q(guardian=person)).order_by("pk")
    return {
        "person": {key: _plain(getattr(person, key)) for key in _FACTS} | {"has_national_id": bool(person.national_id_index)},
        "affiliations": _lines(ties, "org__name", "role", *periods),
        "enrollments": _lines(classes, "class_org__name", "role", *periods),
        "guardians": _lines(links, "guardian__name", "ward__name", "relation", *periods),
        "former_numbers": _lines(FormerNumber.objects.filter(person=person).order_by("pk"), "kind", "value", "until"),
        "consents": _lines(
            Consent.objects.filter(person=person).order_by("pk"),
            *("text__title_zh", "text__version", "text__recipient_name", "decision", "decided_as", "at", "digest"),
        ),
        "disclosures": _lines(Disclosure.objects.filter(person=person).order_by("pk"), "recipient", "purpose", "elements", "day"),
        **_rights_and_reads(person),
        **{section.name: [_plain_row(row) for row in section.exporter(person.pk)] for section in subject_sections()},
    }


def _rights_and_reads(person: Person) -> dict[str, object]:
    """What the person was given, what they asked about their data, and who opened or looked at it."""
    grants = Grant.objects.filter(person=person).order_by("pk")
    asked = SubjectRequest.objects.filter(subject=person).order_by("pk")
    opened = BreakGlass.objects.filter(subject=person).order_by("pk")
    reads = AuditEntry.objects.filter(target=f"person:{person.pk}", action__in=READS).order_by("-at", "-id")[:_READS]
    return {
        "grants": _lines(grants, "role", "org__name", "purpose", "granted_by__name", "begin_at", "end_at", "revoked_at"),
        "requests": _lines(asked, "kind", "body", "at", "state", "answer", "answered_at"),
        "emergencies": _lines(opened, "holder__name", "reason", "begin_at", "end_at", "is_justified"),
        "reads": _lines(reads, "at", "actor_name", "action"),
    }


def _lines(rows: QuerySet[Model], *columns: str) -> list[dict[str, object]]:
    return [dict(zip(columns, map(_plain, row), strict=True)) for row in rows.values_list(*columns)]


def _plain_row(row: Mapping[str, object]) -> dict[str, object]:
    return {key: _plain(value) for key, value in row.items()}


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def notices_kept(person_id: int) -> list[dict[str, object]]:
    """What the house wrote to the person, the newest thousand; a section of their copy."""
    page = notices_of(person_id, size=_NOTICES)
    return [{"at": notice.at, "title": notice.title, "body": notice.body} for notice in page.rows]


def subject_place(*, actor: Actor, person_id: int, now: datetime) -> OrgData:
    """Where a request about this person's data is answered: their outermost place, or the installation's root.

    Only for the person and their guardians; otherwise `NotFound`.
    """
    access_subject(actor=actor, id=person_id, now=now)
    places = sorted(places_of([person_id], day=day_of(now))[person_id], key=lambda path: (path.count("/"), path))
    root = root_org()
    org_id = int(places[0].rstrip("/").rpartition("/")[2]) if places else root.id if root else 0
    return orgs_by_ids([org_id])[org_id]


def requests_left(*, limit: int = 500) -> list[RequestLeft]:
    """Requests made before they were cases that nobody answered yet, the most urgent first."""
    rows = SubjectRequest.objects.filter(answered_at__isnull=True).order_by("due_at", "pk")
    return [RequestLeft(row.pk, row.subject_id, row.asked_by_id, SubjectKind(row.kind), row.body) for row in rows[:limit]]
