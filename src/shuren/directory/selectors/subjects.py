"""A person's own data as they may take it with them, and what was asked about it."""

from datetime import datetime

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from shuren.directory.data import Permission
from shuren.directory.models import (
    Affiliation,
    Consent,
    Disclosure,
    Enrollment,
    FormerNumber,
    GuardianLink,
    Person,
    SubjectRequest,
)
from shuren.directory.selectors.roles import guardian_ids_of
from shuren.directory.selectors.scope import scope_of
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import path_q

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
    """Everything the directory holds of a person, in standard terms and plain values; the national id only as kept or not."""

    def lines(rows: QuerySet[Model], *columns: str) -> list[dict[str, object]]:
        return [dict(zip(columns, map(_plain, row), strict=True)) for row in rows.values_list(*columns)]

    periods = ("begin_date", "end_date")
    ties = Affiliation.objects.visible().filter(person=person).order_by("pk")
    classes = Enrollment.objects.visible().filter(person=person).order_by("pk")
    links = GuardianLink.objects.visible().filter(Q(ward=person) | Q(guardian=person)).order_by("pk")
    return {
        "person": {key: _plain(getattr(person, key)) for key in _FACTS} | {"has_national_id": bool(person.national_id_index)},
        "affiliations": lines(ties, "org__name", "role", *periods),
        "enrollments": lines(classes, "class_org__name", "role", *periods),
        "guardians": lines(links, "guardian__name", "ward__name", "relation", *periods),
        "former_numbers": lines(FormerNumber.objects.filter(person=person).order_by("pk"), "kind", "value", "until"),
        "consents": lines(
            Consent.objects.filter(person=person).order_by("pk"),
            *("text__title_zh", "text__version", "text__recipient_name", "decision", "decided_as", "at", "digest"),
        ),
        "disclosures": lines(Disclosure.objects.filter(person=person).order_by("pk"), "recipient", "purpose", "elements", "day"),
    }


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def requests_of(*, actor: Actor) -> QuerySet[SubjectRequest]:
    """What the actor asked, newest first."""
    return SubjectRequest.objects.filter(asked_by_id=actor.person_id or 0).select_related("subject").order_by("-at", "-pk")


def requests_to_answer(*, actor: Actor, now: datetime) -> QuerySet[SubjectRequest]:
    """What people of the actor's branches asked, the most urgent first."""
    scope = scope_of(actor=actor, permission=Permission.ANSWER_SUBJECTS, now=now)
    rows = SubjectRequest.objects.filter(path_q("org_path", scope.paths))
    return rows.select_related("subject", "asked_by").order_by("answered_at", "due_at", "pk")
