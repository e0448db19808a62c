"""Stopping what is still open in a collection that takes nothing any more."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from shuren.casework.data import FINAL_STATES, CollectionState, TargetState
from shuren.casework.models import Case, Collection
from shuren.casework.services.cases.cancel import cancel_case
from shuren.casework.services.targets import follow_case
from shuren.kernel.data import SYSTEM

_FINAL = [state.value for state in FINAL_STATES]


def stop_open_cases(*, collection_id: int, on_progress: Callable[[int, int], None], now: datetime) -> int:
    """Cancel every case that is not over; returns how many. Only for a collection that is freezing or called off.

    Where it freezes, each org is first brought up to where its case stands, so that whatever was acknowledged counts.
    """
    row = Collection.objects.get(pk=collection_id)
    if row.state not in (CollectionState.FREEZING, CollectionState.CANCELLED):
        return 0
    # Whoever is just beginning a case holds the org's row: this waits for them, and whoever comes later sees the state.
    row.targets.filter(case__isnull=True).update(state=F("state"))
    reason = _("采集已冻结。") if row.state == CollectionState.FREEZING else _("采集已取消。")
    unsettled = Case.objects.filter(target__collection=row).exclude(target__state=TargetState.ACCEPTED.value)
    case_ids = list(unsettled.order_by("pk").values_list("pk", flat=True))
    stopped = 0
    for done, case_id in enumerate(case_ids, start=1):
        stopped += _stop(case_id, reason, now)
        on_progress(done, len(case_ids))
    return stopped


@transaction.atomic
def _stop(case_id: int, reason: str, now: datetime) -> bool:
    state = Case.objects.select_for_update().values_list("state", flat=True).get(pk=case_id)
    follow_case(case_id=case_id, now=now, even_freezing=True)
    if state in _FINAL:
        return False
    cancel_case(actor=SYSTEM, case_id=case_id, reason=reason, now=now)
    return True
