"""Close an org and everything below it."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import DateField, Model, Q, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext as _

from shuren.directory.data import OrgStatus, Permission
from shuren.directory.models import Affiliation, Enrollment, Grant, Org, OrgHistory
from shuren.directory.selectors.orgs import org_row_for
from shuren.directory.services.revoke_grant import delegated_from
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Refused
from shuren.kernel.scope import path_q


@transaction.atomic
def close_org(*, actor: Actor, org_id: int, now: datetime, reason: str = "") -> dict[str, int]:
    """Close the branch today: its affiliations, enrollments and grants end, nothing is deleted.

    Returns how many of each ended. Publishes `directory.org_closed`.
    """
    org_row_for(actor=actor, id=org_id, permission=Permission.MANAGE_ORGS, now=now)
    org = Org.objects.select_for_update().get(pk=org_id)
    if org.parent_id is None:
        raise Refused(_("最上级机构不能撤销。"))
    if org.status != OrgStatus.ACTIVE:
        raise Conflict(_("这个机构已经撤销或并入别的机构。"))
    day = day_of(now)
    ended = end_members(path=org.path, day=day, now=now)
    branch = Org.objects.filter(path_q("path", [org.path]), status=OrgStatus.ACTIVE)
    ended["orgs"] = branch.update(status=OrgStatus.CLOSED, end_date=day)
    OrgHistory.objects.create(
        org=org, at=now, change="closed", before={"status": "active"}, after={"status": "closed"}, reason=reason
    )
    details = {"reason": reason, **ended}
    audit.record(actor=actor, action="directory.org_closed", target=f"org:{org.pk}", details=details, now=now)
    events.publish("directory.org_closed", {"org_id": org.pk, "path": org.path}, now=now)
    return ended


def end_members(*, path: str, day: date, now: datetime) -> dict[str, int]:
    """End every affiliation, enrollment and grant in the branch; what had not begun ends on the day it would begin."""
    counts = {"affiliations": _end(Affiliation, path, day), "enrollments": _end(Enrollment, path, day)}
    standing = Grant.objects.filter(path_q("org_path", [path]), revoked_at__isnull=True)
    chain = delegated_from(list(standing.values_list("pk", flat=True)))
    counts["grants"] = Grant.objects.filter(pk__in=chain, revoked_at__isnull=True).update(revoked_at=now)
    return counts


def _end(model: type[Model], path: str, day: date) -> int:
    still_open = Q(end_date__isnull=True) | Q(end_date__gt=day)
    rows = model._default_manager.filter(path_q("org_path", [path]), still_open)
    today = Value(day, output_field=DateField())
    return rows.update(end_date=Coalesce(Greatest("begin_date", today), today))
