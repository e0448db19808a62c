"""The rights of those whose data it is: taking a copy, and erasing what no duty keeps; asking for it is a case."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import Role, SubjectState
from shuren.directory.models import Affiliation, Disclosure, FormerNumber, Person, SubjectRequest
from shuren.directory.rules.retention import erasable
from shuren.directory.selectors.subjects import access_subject, subject_data
from shuren.kernel import audit, events
from shuren.kernel.data import Actor


@transaction.atomic
def give_subject_data(*, actor: Actor, person_id: int, now: datetime) -> dict[str, object]:
    """A copy of everything on file, for the person or a guardian; the taking is audited."""
    person = access_subject(actor=actor, id=person_id, now=now)
    audit.record(actor=actor, action="directory.subject_data_given", target=f"person:{person_id}", now=now)
    return subject_data(person)


@transaction.atomic
def erase_person(*, actor: Actor, person_id: int, now: datetime) -> None:
    """Erase what no duty keeps, and with a person without record also who they were; nothing brings it back.

    The caller has seen to it that two people agreed. Publishes `directory.person_erased`.

    The event names the recipients that were ever told of the person: they erase it too, wherever the person is now.
    """
    person = Person.objects.select_for_update().get(pk=person_id)
    has_record = Affiliation.objects.filter(person=person).exclude(role=Role.PARENT.value).exists()
    facts = erasable(has_record=has_record)
    for key in facts & {
        "phone",
        "email",
        "username",
        "family_name",
        "given_name",
        "sort_key",
        "pupil_number",
        "staff_number",
        "grade",
    }:
        setattr(person, key, "")
    if not has_record:
        person.name, person.birth_date, person.sex, person.is_active = _("已注销"), None, "0", False
        person.national_id_index, person.national_id_sealed = "", None
        FormerNumber.objects.filter(person=person).exclude(kind="number").delete()
    person.save()
    told = Disclosure.objects.filter(person=person).exclude(recipient="").values_list("recipient", flat=True).distinct()
    details = {"erased": sorted(facts), "is_whole": not has_record, "recipients": sorted(told)}
    audit.record(actor=actor, action="directory.person_erased", target=f"person:{person_id}", details=details, now=now)
    events.publish("directory.person_erased", {"person_id": person_id, **details}, now=now)


def hand_over_request(*, request_id: int, answer: str, now: datetime) -> None:
    """Close a request made before requests were cases, `answer` saying which case goes on with it."""
    SubjectRequest.objects.filter(pk=request_id, answered_at__isnull=True).update(
        state=SubjectState.DONE.value, answer=answer, answered_at=now
    )
