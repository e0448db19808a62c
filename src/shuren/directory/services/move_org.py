"""Put an org, with everything below it, under another parent."""

from datetime import datetime
from functools import cache

from django.apps import apps
from django.db import transaction
from django.db.models import F, Model, Value
from django.db.models.functions import Concat, Substr
from django.utils.translation import gettext as _

from shuren.directory.data import OrgStatus, OrgType, Permission
from shuren.directory.models import Org, OrgHistory
from shuren.directory.rules.tree import child_path, depth_of, is_inside, may_stand_under
from shuren.directory.selectors.orgs import org_row_for
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.kernel.fields import PathField
from shuren.kernel.scope import path_q

_MAX_PATH = 200


@transaction.atomic
def move_org(*, actor: Actor, org_id: int, parent_id: int, now: datetime, reason: str = "") -> None:
    """Move a branch; its people, enrollments and grants move with it. Publishes `directory.org_moved`.

    Needs the right to manage orgs at both ends. The old place is kept as history.
    """
    for id in (org_id, parent_id):
        org_row_for(actor=actor, id=id, permission=Permission.MANAGE_ORGS, now=now)
    # Locked in order of id: two moves that cross each other wait instead of making a circle.
    locked = {row.pk: row for row in Org.objects.select_for_update().filter(pk__in=(org_id, parent_id)).order_by("pk")}
    org, parent = locked[org_id], locked[parent_id]
    if is_inside(parent.path, org.path):
        raise Invalid(_("不能把机构移到它自己或它的下级之下。"), remedy=_("请另选上级机构。"))
    if org.parent_id == parent.pk:
        raise Conflict(_("机构已经在这个上级之下。"))
    if parent.status != OrgStatus.ACTIVE or org.status != OrgStatus.ACTIVE:
        raise Conflict(_("已撤销或并入的机构不能移动，也不能接收下级。"))
    if not may_stand_under(OrgType(org.type), OrgType(parent.type)):
        raise Invalid(_("这一级机构不能放在所选的上级之下。"), remedy=_("请另选上级机构或机构类型。"))
    old, new = org.path, child_path(parent.path, org.pk)
    before = {"parent_id": org.parent_id, "path": old}
    Org.objects.filter(pk=org.pk).update(parent=parent)
    rewrite_paths(old=old, new=new)
    OrgHistory.objects.create(
        org=org, at=now, change="moved", before=before, after={"parent_id": parent.pk, "path": new}, reason=reason
    )
    details = {"from": old, "to": new, "reason": reason}
    audit.record(actor=actor, action="directory.org_moved", target=f"org:{org.pk}", details=details, now=now)
    events.publish("directory.org_moved", {"org_id": org.pk, "old_path": old, "new_path": new}, now=now)


def rewrite_paths(*, old: str, new: str) -> None:
    """Rename the branch `old` to `new` wherever a path is kept, in whichever app, one UPDATE per column.

    Orgs first: a writer who holds an org's row and adds a copy of its path has then either committed before the later
    statements look, or waits and reads the new path.
    """
    longest = max(map(len, Org.objects.filter(path_q("path", [old])).values_list("path", flat=True)), default=0)
    if longest - len(old) + len(new) > _MAX_PATH:
        raise Invalid(_("机构层级太深。"), remedy=_("请另选层级较浅的上级机构。"))
    deeper = depth_of(new) - depth_of(old)
    Org.objects.filter(path_q("path", [old])).update(path=_renamed("path", old, new), depth=F("depth") + deeper)
    for model, column in _copies():
        model._default_manager.filter(path_q(column, [old])).update(**{column: _renamed(column, old, new)})


@cache
def _copies() -> tuple[tuple[type[Model], str], ...]:
    """Every column of the house that keeps an org's path, but for the tree's own and that of the index, which is made anew."""
    return tuple(
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, PathField) and model is not Org and model._meta.app_label != "search"
    )


def _renamed(column: str, old: str, new: str) -> Concat:
    return Concat(Value(new), Substr(column, len(old) + 1))
