"""Enter a person who is not in the directory yet."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import CountKind, NewPerson, Permission, Written
from shuren.directory.models import Person
from shuren.directory.rules.names import sort_key_of
from shuren.directory.rules.sourced import fresh_sourced_id
from shuren.directory.selectors.orgs import root_org
from shuren.directory.selectors.scope import scope_of
from shuren.directory.services.issue_numbers import issue_numbers
from shuren.directory.services.refuse_competing import refuse_competing_write
from shuren.directory.services.seal_national_id import index_of, sealed
from shuren.directory.services.shift_counts import shift_counts
from shuren.directory.services.warn_codes import person_warnings
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, Refused
from shuren.standards.data import Door

# A new person has to be called something; the other facts wait for whoever produces them.
_FACTS = ("birth_date", "pupil_number", "staff_number", "email", "phone", "grade", "national_id")


@transaction.atomic
def add_person(*, actor: Actor, person: NewPerson, now: datetime, door: Door = Door.DIRECTORY) -> Written:
    """Give a new person their number for life; publishes `directory.person_added`.

    Whoever may manage people anywhere may add one; until affiliated the person is seen only by those who see everybody.
    A likely double is proposed by `propose_duplicates`, not refused here.
    """
    if not actor.is_system and not scope_of(actor=actor, permission=Permission.MANAGE_PEOPLE, now=now).paths:
        raise Refused(_("您没有权力登记人员。"), remedy=_("请联系学校管理员。"))
    name = person.name.strip()
    if not name:
        raise Invalid(_("请填写姓名。"))
    given = [f"person.{key}" for key in _FACTS if getattr(person, key)]
    refuse_competing_write(actor=actor, elements=given, door=door, now=now)
    national_id = person.national_id.strip().upper()
    row = Person.objects.create(
        sourced_id=person.sourced_id or fresh_sourced_id(),
        number=issue_numbers(1)[0],
        name=name,
        sort_key=sort_key_of(name),
        sex=person.sex.value,
        birth_date=person.birth_date,
        pupil_number=person.pupil_number.strip().upper(),
        staff_number=person.staff_number.strip(),
        email=person.email.strip(),
        phone=person.phone.strip(),
        grade=person.grade,
        national_id_sealed=sealed(national_id) if national_id else None,
        national_id_index=index_of(national_id) if national_id else "",
        is_synthetic=person.is_synthetic,
    )
    root = root_org()
    if root:
        shift_counts([root.id], CountKind.PEOPLE, 1)
    audit.record(actor=actor, action="directory.person_added", target=f"person:{row.pk}", now=now)
    events.publish("directory.person_added", {"person_id": row.pk}, now=now)
    return Written(row.pk, person_warnings(national_id, row.pupil_number, today=day_of(now)))
