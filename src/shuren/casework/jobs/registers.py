"""Work of registers beside the pages: files coming in, and one change for many entries."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from shuren.casework.selectors.entries import access_register
from shuren.casework.selectors.words_used import codes_stored, words_used
from shuren.casework.services.registers import bulk, keep
from shuren.casework.services.registers.bulk import Edit
from shuren.casework.services.registers.take_in import KIND, apply_register, check_register, settle_import
from shuren.intake.api import register_kind
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.standards.api import declare_use
from shuren.work.data import JobContext

__all__ = ["apply_register", "check_register", "edit_entries"]

register_kind(
    KIND,
    title=_("台账"),  # type: ignore[arg-type]  # the face takes a lazy translation too
    check="shuren.casework.jobs.registers.check_register",
    apply="shuren.casework.jobs.registers.apply_register",
    quarantines=True,
    topic="register",
)
declare_use("casework", uses=words_used, counts=codes_stored)


def edit_entries(
    job: JobContext, *, register: str, entry_ids: list[int], what: str, value: Any, reason: str, actor: Mapping[str, Any]
) -> dict[str, Any]:
    """Change many entries by the rights of whoever asked; run again, what is done already stays as it is."""
    who, now = Actor(**actor), clock.now()
    found = access_register(actor=who, key=register, now=now)
    counts = bulk.edit_entries(
        actor=who,
        register=found,
        entry_ids=entry_ids,
        edit=Edit(what, value),
        reason=reason,
        now=now,
        on_done=lambda done: job.progress(done, len(entry_ids)),
    )
    return {"changed": counts.changed, "unchanged": counts.unchanged, "refused": counts.refused_count, "examples": counts.refused}


def index_entries(job: JobContext) -> dict[str, int]:
    return {"entries": keep.index_entries(job.progress)}


def follow_import(job: JobContext, event_id: int, payload: Mapping[str, Any]) -> None:
    """An import of entries was shown, taken back, or will not be tried again."""
    if payload["kind"] == KIND:
        settle_import(payload["import_id"])
