"""Add an org to the tree."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import CountKind, NewOrg, OrgStatus, OrgType, Permission, Written
from shuren.directory.models import ClassDetail, Org
from shuren.directory.rules.sourced import fresh_sourced_id
from shuren.directory.rules.tree import child_path, ids_of, may_stand_under
from shuren.directory.selectors.orgs import org_row_for
from shuren.directory.services.refuse_competing import refuse_competing_write
from shuren.directory.services.shift_counts import shift_counts
from shuren.directory.services.warn_codes import org_warnings
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, Refused
from shuren.standards.data import Door

# A new org has to be called something; its other facts wait for whoever produces them.
_FACTS = ("short_name", "code", "division_code", "credit_code")
COUNTED = {OrgType.SCHOOL: CountKind.SCHOOLS, OrgType.CLASS: CountKind.CLASSES}


@transaction.atomic
def add_org(*, actor: Actor, org: NewOrg, now: datetime) -> Written:
    """Add an org under its parent (or as the root, by the installation only); publishes `directory.org_added`.

    Codes that break a standard's rule are taken and warned about.
    """
    name = org.name.strip()
    if not name:
        raise Invalid(_("请填写机构名称。"))
    parent = _parent(actor, org, now)
    given = [f"org.{key}" for key in _FACTS if getattr(org, key)]
    refuse_competing_write(actor=actor, elements=given, door=Door.DIRECTORY, now=now)
    if not may_stand_under(org.type, OrgType(parent.type) if parent else None):
        raise Invalid(_("这一级机构不能放在所选的上级之下。"), remedy=_("请另选上级机构或机构类型。"))
    if parent and Org.objects.filter(parent=parent, name=name, type=org.type, status=OrgStatus.ACTIVE).exists():
        raise Conflict(_("上级机构下已有同名机构“%(name)s”。") % {"name": name}, remedy=_("请换一个名称。"))
    row = Org(
        sourced_id=org.sourced_id or fresh_sourced_id(),
        code=org.code.strip(),
        name=name,
        short_name=org.short_name.strip(),
        type=org.type.value,
        parent=parent,
        division_code=org.division_code.strip(),
        credit_code=org.credit_code.strip(),
        is_rural=org.is_rural,
        grade=org.grade,
        begin_date=org.begin_date,
        position=Org.objects.filter(parent=parent).count(),
        path="",
        depth=parent.depth + 1 if parent else 1,
    )
    _insert(row, parent.path if parent else "")
    if org.type is OrgType.CLASS:
        ClassDetail.objects.create(org=row, class_type="homeroom")
    if org.type in COUNTED:
        shift_counts(ids_of(row.path), COUNTED[org.type], 1)
    details = {"name": name, "type": org.type.value, "path": row.path}
    audit.record(actor=actor, action="directory.org_added", target=f"org:{row.pk}", details=details, now=now)
    events.publish("directory.org_added", {"org_id": row.pk, "path": row.path}, now=now)
    return Written(row.pk, org_warnings(row.code, row.division_code, row.credit_code, OrgType(row.type)))


def _parent(actor: Actor, org: NewOrg, now: datetime) -> Org | None:
    if org.parent_id is None:
        if not actor.is_system:
            raise Refused(_("只有安装程序可以建立最上级机构。"))
        if not org.is_apart and Org.objects.filter(parent__isnull=True).exists():
            raise Conflict(_("最上级机构已经存在。"))
        return None
    org_row_for(actor=actor, id=org.parent_id, permission=Permission.MANAGE_ORGS, now=now)
    # Locked so that a move of the parent and the new child's path cannot pass each other.
    parent = Org.objects.select_for_update().get(pk=org.parent_id)
    if parent.status != OrgStatus.ACTIVE:
        raise Conflict(_("上级机构已撤销或并入别的机构。"), remedy=_("请另选上级机构。"))
    return parent


def _insert(row: Org, parent_path: str) -> None:
    """Two writes, because a path ends in the row's own id; the draft path is unique for the moment between."""
    row.path = f"?{row.sourced_id}/"
    row.save(force_insert=True)
    row.path = child_path(parent_path, row.pk)
    row.save(update_fields=["path"])
