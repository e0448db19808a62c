"""Tie a guardian to a ward, and end it."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from shuren.directory.data import Permission
from shuren.directory.models import GuardianLink, Person
from shuren.directory.selectors.people import person_row_for
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound


@transaction.atomic
def link_guardian(
    *, actor: Actor, guardian_id: int, ward_id: int, now: datetime, relation: str = "", begin_date: date | None = None
) -> int:
    """Let a guardian reach a ward's pages; a link that had ended is opened again. Publishes `directory.guardian_linked`.

    Needs the right to manage the ward; a guardian need not belong anywhere. Nobody is the guardian of their own guardian.
    """
    if guardian_id == ward_id:
        raise Invalid(_("监护人不能是本人。"))
    person_row_for(actor=actor, id=ward_id, permission=Permission.MANAGE_PEOPLE, now=now)
    if not Person.objects.filter(pk=guardian_id, merged_into__isnull=True).exists():
        raise NotFound(_("没有找到这个人。"))
    still_open = Q(end_date__isnull=True) | Q(end_date__gt=day_of(now))
    if GuardianLink.objects.filter(still_open, guardian_id=ward_id, ward_id=guardian_id).exists():
        raise Invalid(_("两个人不能互为监护人。"), remedy=_("请核对谁是孩子，必要时先结束原来的监护关系。"))
    link, is_new = GuardianLink.objects.select_for_update().get_or_create(
        guardian_id=guardian_id, ward_id=ward_id, defaults={"relation": relation, "begin_date": begin_date or day_of(now)}
    )
    if not is_new:
        if link.end_date is None or link.end_date > day_of(now):
            raise Conflict(_("这位监护人已经登记。"))
        link.relation, link.begin_date, link.end_date = relation or link.relation, begin_date or day_of(now), None
        link.save()
    details = {"guardian_id": guardian_id, "relation": relation}
    audit.record(actor=actor, action="directory.guardian_linked", target=f"person:{ward_id}", details=details, now=now)
    events.publish("directory.guardian_linked", {"guardian_id": guardian_id, "ward_id": ward_id}, now=now)
    return link.pk


@transaction.atomic
def unlink_guardian(*, actor: Actor, guardian_id: int, ward_id: int, now: datetime, end_date: date | None = None) -> None:
    """End a guardian's link, today unless said otherwise; publishes `directory.guardian_unlinked`."""
    person_row_for(actor=actor, id=ward_id, permission=Permission.MANAGE_PEOPLE, now=now)
    link = GuardianLink.objects.select_for_update().filter(guardian_id=guardian_id, ward_id=ward_id).first()
    day = day_of(now)
    if link is None or (link.end_date is not None and link.end_date <= day):
        raise NotFound(_("没有找到这条监护关系。"))
    end = end_date or day
    link.end_date = max(end, link.begin_date) if link.begin_date else end
    link.save(update_fields=["end_date"])
    details = {"guardian_id": guardian_id, "end_date": link.end_date.isoformat()}
    audit.record(actor=actor, action="directory.guardian_unlinked", target=f"person:{ward_id}", details=details, now=now)
    events.publish("directory.guardian_unlinked", {"guardian_id": guardian_id, "ward_id": ward_id}, now=now)
