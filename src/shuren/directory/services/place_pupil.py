"""Put a pupil into a home class: from another class, from another school, or for the first time."""

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import Permission, Role
from shuren.directory.models import Person
from shuren.directory.selectors.placement import Placement, Tie, checked_placement
from shuren.directory.selectors.scope import scope_of
from shuren.directory.services.affiliate import affiliate, end_affiliation
from shuren.directory.services.enrol import end_enrollment, enrol
from shuren.kernel import audit
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict
from shuren.kernel.scope import Scope


@transaction.atomic
def place_pupil(
    *, actor: Actor, person_id: int, class_id: int, now: datetime, on: date | None = None, reason: str = ""
) -> Placement:
    """Begin in the class on a day (today) and end the old home class the same day: both or neither.

    Where the school changes, the pupil's role and classes at the old school end too, and guardians follow unless another
    child keeps them there. Needs the right to manage people at both ends. Returns what ended and began.
    """
    manage = scope_of(actor=actor, permission=Permission.MANAGE_PEOPLE, now=now)
    return _place(actor, manage, person_id, class_id, on or day_of(now), now, reason)


@transaction.atomic
def place_pupils(*, actor: Actor, person_ids: Collection[int], class_id: int, now: datetime, on: date | None = None) -> int:
    """Put pupils who have no home class yet into one of their school, all or none; returns how many."""
    manage = scope_of(actor=actor, permission=Permission.MANAGE_PEOPLE, now=now)
    # In order of id: two such acts wait for each other instead of each holding what the other wants.
    for person_id in sorted(set(person_ids)):
        placement = _place(actor, manage, person_id, class_id, on or day_of(now), now)
        if placement.homes or placement.joins:
            raise Conflict(_("名单里有人已经编班，或不在本校。"), remedy=_("请刷新页面后重新勾选。"))
    return len(set(person_ids))


def _place(actor: Actor, manage: Scope, person_id: int, class_id: int, day: date, now: datetime, reason: str = "") -> Placement:
    # Locked before looking: two transfers of one pupil wait for each other.
    Person.objects.select_for_update().filter(pk=person_id).first()
    placement = checked_placement(manage=manage, person_id=person_id, class_id=class_id, day=day, today=day_of(now))
    for tie in (*placement.homes, *placement.classes):
        end_enrollment(actor=actor, enrollment_id=tie.id, end_date=_end_of(tie, day), now=now)
    for tie in (*placement.schools, *placement.guardians):
        end_affiliation(actor=actor, affiliation_id=tie.id, end_date=_end_of(tie, day), now=now)
    site_id = placement.site.id
    if placement.joins:
        affiliate(actor=actor, person_id=person_id, org_id=site_id, role=Role.PUPIL, begin_date=day, now=now)
    for guardian_id, _name in placement.movers:
        affiliate(actor=actor, person_id=guardian_id, org_id=site_id, role=Role.PARENT, begin_date=day, now=now)
    enrol(actor=actor, person_id=person_id, class_id=class_id, is_primary=True, begin_date=day, now=now)
    details = {
        "from": [tie.org_id for tie in placement.homes],
        "to": class_id,
        "schools_left": [tie.org_id for tie in placement.schools],
        "on": day.isoformat(),
        "reason": reason,
    }
    audit.record(actor=actor, action="directory.pupil_placed", target=f"person:{person_id}", details=details, now=now)
    return placement


def _end_of(tie: Tie, day: date) -> date:
    """What was only to begin later ends on the day it would begin."""
    return max(day, tie.begin_date) if tie.begin_date else day
