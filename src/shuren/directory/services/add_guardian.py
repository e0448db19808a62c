"""Give a ward a guardian, known or new, who then is a parent at the ward's school."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import NewPerson, Permission, Role, Written
from shuren.directory.models import Affiliation
from shuren.directory.rules.tree import is_inside
from shuren.directory.selectors.placement import open_q
from shuren.directory.selectors.scope import scope_of
from shuren.directory.services.add_person import add_person
from shuren.directory.services.affiliate import affiliate
from shuren.directory.services.link_guardian import link_guardian
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict


@transaction.atomic
def add_guardian(
    *, actor: Actor, guardian_id: int, ward_id: int, relation: str, now: datetime, begin_date: date | None = None
) -> int:
    """Link them, and enter the guardian as a parent at the ward's schools that `actor` manages; returns how many schools.

    Without that role the school that links a guardian could not see them.
    """
    link_guardian(actor=actor, guardian_id=guardian_id, ward_id=ward_id, relation=relation, begin_date=begin_date, now=now)
    scope = scope_of(actor=actor, permission=Permission.MANAGE_PEOPLE, now=now)
    still_open = Affiliation.objects.visible().filter(open_q(day_of(now)))
    places = still_open.filter(person_id=ward_id, role=Role.PUPIL).order_by("pk").values_list("org_id", "org_path")
    held = list(still_open.filter(person_id=guardian_id, role=Role.PARENT).values_list("org_path", flat=True))
    wanted = {id: path for id, path in places if scope.covers(path) and not any(is_inside(path, other) for other in held)}
    for org_id in wanted:
        affiliate(actor=actor, person_id=guardian_id, org_id=org_id, role=Role.PARENT, begin_date=begin_date, now=now)
    return len(wanted)


@transaction.atomic
def enter_guardian(
    *, actor: Actor, guardian: NewPerson, ward_id: int, relation: str, now: datetime, begin_date: date | None = None
) -> Written:
    """Add a person who is not in the directory yet and make them a guardian in one step."""
    written = add_person(actor=actor, person=guardian, now=now)
    schools = add_guardian(
        actor=actor, guardian_id=written.id, ward_id=ward_id, relation=relation, begin_date=begin_date, now=now
    )
    if not schools:
        raise Conflict(_("这名学生现在不在您管理的学校。"), remedy=_("请先给学生添加学校里的角色。"))
    return written
