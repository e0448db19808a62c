"""Faults that the rules of quality found become cases of whoever holds the data, and end by themselves once the data pass."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.casework.data import NewCase
from shuren.casework.models import Case
from shuren.casework.services.cases.for_apps import open_case, withdraw_case_of
from shuren.datahub import api as datahub
from shuren.datahub.data import QualityFinding, QualityRule
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.kernel.data import SYSTEM

FLOW = "core.quality_issue"
# Somebody who said "mended" gets this long before the same fault is put to them again.
_REST = timedelta(days=7)
_MOST_FAULTS = 200


def route_findings(*, dataset: str, now: datetime, tell: Callable[[int], None] = lambda done: None) -> dict[str, int]:
    """Open a case for every organisation with faults and none open; end the open ones of those that have no fault left.

    A kill leaves whole cases; the next run opens the rest. Returns how many were opened and ended.
    """
    faulty: set[int] = set()
    opened = ended = 0
    rules = {rule.code: rule for rule in datahub.quality_rules(dataset)}
    for finding in datahub.quality_findings(dataset):
        faulty.add(finding.org_id)
        opened += _open(finding, dataset, rules, now)
        tell(len(faulty))
    waiting = Case.objects.filter(origin__startswith=f"quality:{dataset}:", closed_at__isnull=True)
    for origin in waiting.order_by("id").values_list("origin", flat=True):
        if int(origin.rpartition(":")[2]) not in faulty:
            withdraw_case_of(actor=SYSTEM, origin=origin, reason=_("再次检查已经合格，自动办结。"), now=now)
            ended += 1
    return {"opened": opened, "ended": ended}


@transaction.atomic
def _open(finding: QualityFinding, dataset: str, rules: Mapping[str, QualityRule], now: datetime) -> int:
    origin = f"quality:{dataset}:{finding.org_id}"
    last = Case.objects.filter(origin=origin).order_by("-id").first()
    if last is not None and (last.closed_at is None or last.closed_at > now - _REST):
        return 0
    org = directory.orgs_by_ids([finding.org_id]).get(finding.org_id)
    if org is None:
        return 0
    title = _("%(data)s数据质量 · %(whom)s") % {"data": datahub.dataset_title(dataset), "whom": org.name}
    new = NewCase(flow=FLOW, org_id=org.id, data=_data(finding, dataset, rules, org), title=title, origin=origin)
    open_case(actor=SYSTEM, new=new, now=now)
    return 1


def _data(finding: QualityFinding, dataset: str, rules: Mapping[str, QualityRule], org: OrgData) -> dict[str, object]:
    faults = []
    for tally in finding.tallies[:_MOST_FAULTS]:
        rule = rules.get(tally.rule)
        if rule is None:
            # It left its pack between the run and now.
            continue
        fault = {"rule": rule.title_zh, "failed": tally.failed, "checked": tally.checked}
        faults.append(fault | ({"remedy": rule.remedy_zh} if rule.remedy_zh else {}))
    return {
        "whom": org.name,
        "dataset": datahub.dataset_title(dataset),
        "address": reverse("datahub:quality_of_org", args=[org.public_id]),
        "faults": faults,
    }
