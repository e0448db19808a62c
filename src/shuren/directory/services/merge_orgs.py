"""Merge a school (or any org) into another of its kind."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from shuren.directory.data import OrgStatus, Permission, Role
from shuren.directory.models import Affiliation, Enrollment, Org, OrgHistory, Person
from shuren.directory.rules.permissions import BRANCH_ROLES
from shuren.directory.rules.sourced import fresh_sourced_id
from shuren.directory.rules.tree import child_path, is_inside
from shuren.directory.selectors.orgs import org_row_for
from shuren.directory.services.close_org import end_members
from shuren.directory.services.move_org import rewrite_paths
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid


@transaction.atomic
def merge_orgs(*, actor: Actor, org_id: int, into_id: int, now: datetime, reason: str = "") -> dict[str, int]:
    """Move the children and members of `org_id` to `into_id` and leave it behind as merged, with its successor.

    Members get a new affiliation from today, the old one ends and stays readable. Nobody's reach grows: heads and
    administrators arrive as staff, and grants on the old org end. Publishes `directory.org_merged`.
    """
    for id in (org_id, into_id):
        org_row_for(actor=actor, id=id, permission=Permission.MANAGE_ORGS, now=now)
    locked = {row.pk: row for row in Org.objects.select_for_update().filter(pk__in=(org_id, into_id)).order_by("pk")}
    org, into = locked[org_id], locked[into_id]
    _check(org, into)
    day = day_of(now)
    counts = {"children": 0}
    for child in Org.objects.select_for_update().filter(parent=org, status=OrgStatus.ACTIVE).order_by("pk"):
        Org.objects.filter(pk=child.pk).update(parent=into)
        rewrite_paths(old=child.path, new=child_path(into.path, child.pk))
        counts["children"] += 1
    counts["members"] = _carry_over(org, into, day)
    end_members(path=org.path, day=day, now=now)
    Org.objects.filter(pk=org.pk).update(status=OrgStatus.MERGED, end_date=day, successor=into)
    OrgHistory.objects.create(
        org=org, at=now, change="merged", before={"path": org.path}, after={"successor_id": into.pk}, reason=reason
    )
    OrgHistory.objects.create(org=into, at=now, change="absorbed", before={}, after={"org_id": org.pk}, reason=reason)
    details = {"into": into.pk, "reason": reason, **counts}
    audit.record(actor=actor, action="directory.org_merged", target=f"org:{org.pk}", details=details, now=now)
    payload = {"org_id": org.pk, "into_id": into.pk, "old_path": org.path, "new_path": into.path}
    events.publish("directory.org_merged", payload, now=now)
    return counts


def _check(org: Org, into: Org) -> None:
    if org.type != into.type:
        raise Invalid(_("只能并入同一类型的机构。"), remedy=_("请另选一个同类机构。"))
    if is_inside(into.path, org.path) or is_inside(org.path, into.path):
        raise Invalid(_("不能与自己、上级或下级合并。"), remedy=_("请另选一个同类机构。"))
    if org.status != OrgStatus.ACTIVE or into.status != OrgStatus.ACTIVE:
        raise Conflict(_("已撤销或并入的机构不能再合并。"))


def _carry_over(org: Org, into: Org, day: date) -> int:
    """Copy what is still open at the org itself: its children keep their members, for they moved whole."""
    still_open = Q(end_date__isnull=True) | Q(end_date__gt=day)
    already = set(Affiliation.objects.filter(still_open, org=into).values_list("person_id", "role"))
    fresh: list[Affiliation] = []
    for row in Affiliation.objects.filter(still_open, org=org):
        role = Role.STAFF.value if Role(row.role) in BRANCH_ROLES else row.role
        if (row.person_id, role) in already:
            continue
        already.add((row.person_id, role))
        begin = max(day, row.begin_date) if row.begin_date else day
        fresh.append(
            Affiliation(
                sourced_id=fresh_sourced_id(),
                person_id=row.person_id,
                org=into,
                org_path=into.path,
                role=role,
                is_primary=row.is_primary,
                begin_date=begin,
                end_date=row.end_date,
            )
        )
    Affiliation.objects.bulk_create(fresh, batch_size=500)
    # What is told of a person names their places, so it has changed.
    Person.objects.filter(pk__in=[row.person_id for row in fresh]).update()
    return len(fresh) + _carry_enrollments(org, into, day)


def _carry_enrollments(org: Org, into: Org, day: date) -> int:
    still_open = Q(end_date__isnull=True) | Q(end_date__gt=day)
    already = set(Enrollment.objects.filter(still_open, class_org=into).values_list("person_id", "role"))
    fresh = [
        Enrollment(
            sourced_id=fresh_sourced_id(),
            person_id=row.person_id,
            class_org=into,
            org_path=into.path,
            role=row.role,
            # A merged class keeps one class teacher: the one of the class that stays.
            is_primary=row.is_primary and row.role == "student",
            begin_date=max(day, row.begin_date) if row.begin_date else day,
            end_date=row.end_date,
        )
        for row in Enrollment.objects.filter(still_open, class_org=org)
        if (row.person_id, row.role) not in already
    ]
    Enrollment.objects.bulk_create(fresh, batch_size=500)
    return len(fresh)
