"""Where an org of a collection stands follows its case: called when a case changed its state, by whoever changed it."""

from datetime import datetime

from shuren.casework.data import CaseState, CollectionState, TargetState
from shuren.casework.models import Case, CollectionTarget
from shuren.casework.rules.collections import HANDED_IN, target_state

ORIGIN = "collection_target:"
_FOLLOWING = [CollectionState.ISSUING.value, CollectionState.OPEN.value]


def follow_case(*, case_id: int, now: datetime, even_freezing: bool = False) -> TargetState | None:
    """Bring the target of a case up to where the case stands now; None where the case is of no collection, or that is frozen.

    It looks at the row and not at what it is told, so news that comes twice or late does no harm.
    """
    case = Case.objects.only("state", "result", "submitted_at", "closed_at").filter(pk=case_id, target__isnull=False).first()
    if case is None:
        return None
    state = target_state(CaseState(case.state), case.result)
    states = [*_FOLLOWING, CollectionState.FREEZING.value] if even_freezing else _FOLLOWING
    rows = CollectionTarget.objects.filter(case_id=case_id, collection__state__in=states)
    rows = rows.exclude(state=TargetState.EXEMPT.value)
    is_in = state in HANDED_IN
    changed = rows.update(
        state=state.value,
        submitted_at=(case.submitted_at or now) if is_in else None,
        accepted_at=(case.closed_at or now) if state is TargetState.ACCEPTED else None,
    )
    return state if changed else None
