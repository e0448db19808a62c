"""Telling the owners of elements who tried to write beside them: at most once a day."""

from collections import defaultdict
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.kernel.clock import day_of
from shuren.messaging.api import notify
from shuren.standards import api as standards

KEEPERS = (Role.COUNTY_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER, Role.SCHOOL_ADMIN, Role.HEAD)


@transaction.atomic
def tell_refusals(*, now: datetime) -> int:
    """Tell the keepers of every owner what was refused up to yesterday and not told yet; returns how many orgs heard."""
    today = day_of(now)
    counts: defaultdict[str, int] = defaultdict(int)
    for refusal in standards.untold_refusals(before=today):
        counts[refusal.element] += refusal.count
    by_owner: defaultdict[int, list[str]] = defaultdict(list)
    names = {element.code: element for element in standards.elements() if element.code in counts}
    for code, element in names.items():
        if element.owner_org_id is not None:
            by_owner[element.owner_org_id].append(code)
    for org_id, codes in by_owner.items():
        told = "、".join(f"{names[code].name_zh} {counts[code]}" for code in sorted(codes)[:10])
        notify(
            person_ids=_keepers(org_id, now),
            title=_("有人在别处写入由本单位产生的数据，已拒绝"),
            body=_("数据项和次数：%(told)s。") % {"told": told},
            url=f"{reverse('datahub:sources')}?mine=1",
            key=f"refused-writes:{org_id}:{today.isoformat()}",
            now=now,
        )
    standards.mark_told(element_codes=list(counts), before=today, now=now)
    return len(by_owner)


def _keepers(org_id: int, now: datetime) -> list[int]:
    found: dict[int, None] = {}
    for role in KEEPERS:
        found |= dict.fromkeys(directory.holders_of(role, [org_id], now=now)[org_id])
    return list(found)
