"""What becomes of the import that a turn was handed over as."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.intake import api as intake
from shuren.intake.data import ImportState, ImportStatus
from shuren.interop.data import PullStatus, SourceMode
from shuren.interop.models import RosterPull, RosterSource
from shuren.interop.selectors.roster_sources import owner_of
from shuren.interop.services.roster_pull.pull import end_pull, take_note_of, tell_owner
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM

_OPEN = {PullStatus.CHECKING, PullStatus.WAITING, PullStatus.APPLYING}
_ACTIONS = ("added", "changed", "ended", "unchanged")


@transaction.atomic
def follow_import(import_id: int, *, now: datetime) -> str:
    """Bring the turn to where its import stands; safe to repeat. Returns the status, empty for imports of other origin."""
    pull = RosterPull.objects.select_for_update().select_related("source").filter(import_id=import_id).first()
    if pull is None:
        return ""
    state = intake.import_state(import_id)
    if state.status is ImportStatus.UNDONE and pull.status == PullStatus.APPLIED:
        _take_back(pull, now)
    elif pull.status in _OPEN:
        _follow(pull, state, now)
    return pull.status


def _follow(pull: RosterPull, state: ImportState, now: datetime) -> None:
    if state.status is ImportStatus.REJECTED:
        end_pull(pull, PullStatus.REFUSED, {"code": "findings", "count": state.error_count}, now=now)
    elif state.status is ImportStatus.FAILED:
        end_pull(pull, PullStatus.FAILED, {"code": "import", "detail": state.error[:200]}, now=now)
    elif state.status is ImportStatus.APPLIED:
        take_note_of(pull)
        end_pull(pull, PullStatus.APPLIED, {}, now=now)
    elif state.status is ImportStatus.READY and pull.status == PullStatus.CHECKING:
        pull.changes = changes_in(state.difference)
        _decide(pull, state, now)


def _decide(pull: RosterPull, state: ImportState, now: datetime) -> None:
    """What changes nothing needs no writing; what ends many needs a person, whatever the source is allowed."""
    if not any(kind[action] for kind in pull.changes.values() for action in ("added", "changed", "ended")):
        take_note_of(pull)
        end_pull(pull, PullStatus.UNCHANGED, {}, now=now)
    elif pull.source.mode == SourceMode.TRIAL:
        end_pull(pull, PullStatus.TRIED, {}, now=now)
    elif pull.source.mode == SourceMode.ASK or state.difference.get("needs_confirmation"):
        pull.status = PullStatus.WAITING
        pull.error = {"code": "many_end"} if state.difference.get("needs_confirmation") else {}
        pull.save()
        tell_owner(pull, _("名册来源“%(name)s”有变化等您确认") % {"name": pull.source.name}, now=now)
    else:
        pull.status = PullStatus.APPLYING
        pull.save()
        intake.request_apply(actor=owner_of(pull.source), import_id=state.id, now=now)


def changes_in(difference: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Rows per kind and action, without the samples."""
    kinds = {name: told for name, told in difference.items() if isinstance(told, dict) and "added" in told}
    return {name: {action: int(told[action]) for action in _ACTIONS} for name, told in kinds.items()}


def _take_back(pull: RosterPull, now: datetime) -> None:
    """What was undone would be written again by the next turn: the source rests until a person has seen to it."""
    RosterSource.objects.filter(pk=pull.source_id).update(seen_at=None, is_paused=True, pause_reason="undone")
    details = {"source": pull.source.name, "reason": "import undone"}
    audit.record(
        actor=SYSTEM, action="interop.roster_source_paused", target=f"roster_source:{pull.source_id}", details=details, now=now
    )
    end_pull(pull, PullStatus.UNDONE, {}, now=now)
