"""Notices about sharing to the keepers of a unit, and to the two sides of a grant before it ends."""

from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.datahub.models import SharingGrant
from shuren.datahub.selectors.sharing import ending_between, keepers_of
from shuren.directory import api as directory
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.messaging.api import notify

_BEFORE = timedelta(days=14)
# A job that did not run for a while tells what ended meanwhile; whoever heard of it hears no more.
_SINCE = timedelta(days=7)


def tell_unit(org_id: int, *, title: str, body: str, url: str, key: str, now: datetime) -> None:
    """One notice to everybody who keeps the unit's data, once for each `key`."""
    notify(person_ids=keepers_of(org_id, now=now), title=title, body=body, url=url, key=key, now=now)


def grant_address(grant_id: int) -> str:
    return reverse("datahub:sharing_grant", args=[ids.encode("sharing_grant", grant_id)])


@transaction.atomic
def tell_ends(*, now: datetime) -> int:
    """Tell both sides of grants that end within two weeks, and of those that ended; returns how many grants that were."""
    told = 0
    for grant in ending_between(now - _SINCE, now + _BEFORE):
        is_over = grant.ends_at <= now
        title = _("数据共享授权已到期") if is_over else _("数据共享授权即将到期")
        body = _("数据集 %(dataset)s，使用单位：%(org)s，到期日：%(day)s。") % _said(grant)
        for org_id in (grant.applicant_org_id, grant.owner_org_id):
            key = f"sharing-{'ended' if is_over else 'ends'}:{grant.pk}:{org_id}"
            tell_unit(org_id, title=title, body=body, url=grant_address(grant.pk), key=key, now=now)
        told += 1
    return told


def _said(grant: SharingGrant) -> dict[str, str]:
    org = directory.orgs_by_ids([grant.applicant_org_id]).get(grant.applicant_org_id)
    last = day_of(grant.ends_at - timedelta(seconds=1))
    return {"dataset": grant.dataset, "org": org.name if org else "", "day": last.isoformat()}
