"""Give orgs their boundaries on the map, or take them away."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import OrgStatus, Permission
from shuren.directory.models import Org
from shuren.directory.selectors.orgs import org_row_for
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid


@transaction.atomic
def set_boundaries(*, actor: Actor, org_id: int, boundaries: Mapping[int, Mapping[str, object] | None], now: datetime) -> int:
    """Set the boundaries (GeoJSON, None takes one away) of orgs directly below `org_id`; returns how many changed.

    Every boundary must be as `check_boundaries` gives it. Publishes `directory.boundaries_set`. Raises `Invalid` when an
    org is not one of those below.
    """
    parent = org_row_for(actor=actor, id=org_id, permission=Permission.MANAGE_ORGS, now=now)
    rows = Org.objects.select_for_update().filter(parent_id=parent.pk, status=OrgStatus.ACTIVE, pk__in=list(boundaries))
    below = {org.pk: org for org in rows}
    if len(below) != len(boundaries):
        raise Invalid(_("有的边界不属于直接下级机构。"), remedy=_("请重新上传文件。"))
    changed = [org for pk, org in below.items() if org.geometry != boundaries[pk]]
    for org in changed:
        boundary = boundaries[org.pk]
        org.geometry = dict(boundary) if boundary is not None else None
    Org.objects.bulk_update(changed, ["geometry"])
    if changed:
        details = {"org_id": parent.pk, "orgs": sorted(org.pk for org in changed)}
        audit.record(actor=actor, action="directory.boundaries_set", target=f"org:{parent.pk}", details=details, now=now)
        events.publish("directory.boundaries_set", details, now=now)
    return len(changed)
