"""Correct a person's own facts."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import Permission, Written
from shuren.directory.models import FormerNumber, Person
from shuren.directory.rules.names import sort_key_of
from shuren.directory.selectors.people import person_row_for
from shuren.directory.services.refuse_competing import refuse_competing_write
from shuren.directory.services.seal_national_id import index_of, sealed
from shuren.directory.services.warn_codes import person_warnings
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid
from shuren.standards.data import Door

CORRECTABLE = ("name", "sex", "birth_date", "pupil_number", "staff_number", "email", "phone", "grade", "national_id")
_NUMBERS = ("pupil_number", "staff_number")


@transaction.atomic
def correct_person(
    *,
    actor: Actor,
    person_id: int,
    changes: Mapping[str, object],
    now: datetime,
    reason: str = "",
    door: Door = Door.DIRECTORY,
) -> Written:
    """Set the named facts (see `CORRECTABLE`); nothing is written when nothing differs.

    Numbers that change are kept as former numbers. The audit names the facts that changed, not their values: they may
    be a child's. Raises `CompetingWrite` for a fact that another source alone writes. Publishes `directory.person_corrected`.
    """
    unknown = sorted(set(changes) - set(CORRECTABLE))
    if unknown:
        raise Invalid(_("这些内容不能在这里修改：%(names)s。") % {"names": "、".join(unknown)})
    wanted = {key: value.strip() if isinstance(value, str) else value for key, value in changes.items()}
    if "name" in wanted and not wanted["name"]:
        raise Invalid(_("请填写姓名。"))
    person_row_for(actor=actor, id=person_id, permission=Permission.MANAGE_PEOPLE, now=now)
    person = Person.objects.select_for_update().get(pk=person_id)
    national_id = str(wanted.pop("national_id", "") or "").upper()
    changed = [key for key, value in wanted.items() if getattr(person, key) != value]
    former = [(key, getattr(person, key)) for key in _NUMBERS if key in changed and getattr(person, key)]
    for key in changed:
        setattr(person, key, wanted[key])
    if national_id and index_of(national_id) != person.national_id_index:
        person.national_id_index, person.national_id_sealed = index_of(national_id), sealed(national_id)
        changed.append("national_id")
    warnings = person_warnings(national_id, str(wanted.get("pupil_number", "")), today=day_of(now))
    if not changed:
        return Written(person.pk, warnings)
    refuse_competing_write(actor=actor, elements=[f"person.{key}" for key in changed], door=door, now=now)
    if "name" in changed:
        person.sort_key = sort_key_of(person.name)
    person.save()
    FormerNumber.objects.bulk_create(FormerNumber(person=person, kind=kind, value=old, until=now) for kind, old in former)
    details = {"changed": sorted(changed), "reason": reason}
    audit.record(actor=actor, action="directory.person_corrected", target=f"person:{person.pk}", details=details, now=now)
    events.publish("directory.person_corrected", {"person_id": person.pk, "changed": sorted(changed)}, now=now)
    return Written(person.pk, warnings)
