"""Rename an org or correct its codes; the earlier values are kept as history."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import OrgType, Permission, Written
from shuren.directory.models import Org, OrgHistory
from shuren.directory.selectors.orgs import org_row_for
from shuren.directory.services.refuse_competing import refuse_competing_write
from shuren.directory.services.warn_codes import org_warnings
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid
from shuren.standards.data import Door

CORRECTABLE = ("name", "short_name", "code", "division_code", "credit_code", "is_rural", "grade")


@transaction.atomic
def correct_org(*, actor: Actor, org_id: int, changes: Mapping[str, object], now: datetime, reason: str = "") -> Written:
    """Set the named columns (see `CORRECTABLE`); nothing is written when nothing differs.

    Publishes `directory.org_renamed` when the name changes, `directory.org_corrected` otherwise.
    """
    unknown = sorted(set(changes) - set(CORRECTABLE))
    if unknown:
        raise Invalid(_("这些内容不能在这里修改：%(names)s。") % {"names": "、".join(unknown)})
    if "name" in changes and not str(changes["name"]).strip():
        raise Invalid(_("请填写机构名称。"))
    org_row_for(actor=actor, id=org_id, permission=Permission.MANAGE_ORGS, now=now)
    org = Org.objects.select_for_update().get(pk=org_id)
    wanted = {key: value.strip() if isinstance(value, str) else value for key, value in changes.items()}
    before = {key: getattr(org, key) for key in wanted if getattr(org, key) != wanted[key]}
    warnings = org_warnings(
        str(wanted.get("code", org.code)),
        str(wanted.get("division_code", org.division_code)),
        str(wanted.get("credit_code", org.credit_code)),
        OrgType(org.type),
    )
    if not before:
        return Written(org.pk, warnings)
    refuse_competing_write(actor=actor, elements=[f"org.{key}" for key in before], door=Door.DIRECTORY, now=now)
    after = {key: wanted[key] for key in before}
    for key, value in after.items():
        setattr(org, key, value)
    org.save(update_fields=list(after))
    change = "renamed" if "name" in after else "corrected"
    OrgHistory.objects.create(org=org, at=now, change=change, before=before, after=after, reason=reason)
    details = {"before": before, "after": after, "reason": reason}
    audit.record(actor=actor, action=f"directory.org_{change}", target=f"org:{org.pk}", details=details, now=now)
    events.publish(f"directory.org_{change}", {"org_id": org.pk, "path": org.path}, now=now)
    return Written(org.pk, warnings)


def rename_org(*, actor: Actor, org_id: int, name: str, now: datetime, short_name: str = "", reason: str = "") -> Written:
    """Give an org a new name; the old one stays in its history."""
    return correct_org(actor=actor, org_id=org_id, changes={"name": name, "short_name": short_name}, now=now, reason=reason)
