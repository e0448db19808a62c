"""Enter a new person straight into an org."""

from datetime import datetime

from django.db import transaction

from shuren.directory.data import NewPerson, Role, Written
from shuren.directory.services.add_person import add_person
from shuren.directory.services.affiliate import affiliate
from shuren.directory.services.ask_office import enter_role
from shuren.kernel.data import Actor


@transaction.atomic
def enter_person(*, actor: Actor, person: NewPerson, org_id: int, role: Role, now: datetime) -> Written:
    """Add a person and their role at an org in one step: both or neither.

    A strong role waits for a second pair of eyes; until then they belong there as staff.
    """
    written = add_person(actor=actor, person=person, now=now)
    if enter_role(actor=actor, person_id=written.id, org_id=org_id, role=role, now=now):
        affiliate(actor=actor, person_id=written.id, org_id=org_id, role=Role.STAFF, now=now)
    return written
