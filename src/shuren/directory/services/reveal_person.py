"""Show a person's facts graded L4 to somebody who may ask for them; every showing is written down."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import HousePurpose, Permission
from shuren.directory.rules.reading import serves
from shuren.directory.selectors.break_glass import branch_glass_over, glass_note
from shuren.directory.selectors.people import person_row_for
from shuren.directory.selectors.told import facts_inside, standing_towards
from shuren.directory.services.seal_national_id import opened
from shuren.directory.services.tell_emergency import tell_concerned
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.standards.api import is_sensitive


@transaction.atomic
def reveal_person(*, actor: Actor, person_id: int, now: datetime, reason: str = "") -> dict[str, str]:
    """What is graded L4 of a person, in the clear: `national_id`, and a `pupil_number` or `staff_number` that states it.

    For whoever may see sensitive facts, the person and their guardians; the reading is audited before it is shown. What is
    not kept is left out.
    """
    person = person_row_for(actor=actor, id=person_id, permission=Permission.VIEW_PEOPLE, now=now)
    standing = standing_towards(actor=actor, person_id=person.pk, now=now)
    if not serves(HousePurpose.IDENTITY_CHECK, standing):
        raise NotFound(_("没有找到这个人。"))
    kept = {key: getattr(person, key) for key in ("pupil_number", "staff_number")}
    kept = {key: value for key, value in kept.items() if is_sensitive(value, f"person.{key}")}
    if person.national_id_sealed:
        kept = {"national_id": opened(bytes(person.national_id_sealed)), **kept}
    told = facts_inside(kept, purpose=HousePurpose.IDENTITY_CHECK, standing=standing)
    details = {"elements": sorted(told), "reason": reason, **glass_note(actor=actor, now=now)}
    audit.record(actor=actor, action="directory.sensitive_read", target=f"person:{person.pk}", details=details, now=now)
    return {key: fact.text for key, fact in told.items()}


def note_emergency_read(*, actor: Actor, person_id: int, page: str, now: datetime) -> None:
    """Write down that somebody with an open emergency looked at a person; nobody else's looking is written down here.

    Who is looked at because a whole branch was opened, and their guardians, are told of it now.
    """
    note = glass_note(actor=actor, now=now)
    if not note:
        return
    details = {"page": page, **note}
    with transaction.atomic():
        audit.record(actor=actor, action="directory.person_read", target=f"person:{person_id}", details=details, now=now)
        for glass in branch_glass_over(actor=actor, person_id=person_id, now=now):
            tell_concerned(actor, glass, person_id, now)
