"""What an import wrote into a register is taken back at one blow: what it added goes, what it changed is as it was before."""

from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Entry, EntryRevision
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.selectors.definitions import definition_named, spec_of
from shuren.casework.services.registers.check import fill_in
from shuren.casework.services.registers.keep import Why
from shuren.casework.services.registers.stage import discard_staged, show_staged, stage_changed, take_off
from shuren.intake import api as intake
from shuren.intake.data import ImportStatus
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict

AT_ONCE = 300
UNDO_WINDOW = timedelta(days=7)


def may_undo_import(import_id: int, *, now: datetime) -> bool:
    """Within a week; what somebody has changed since then stays as it is now."""
    state = intake.import_state(import_id)
    return state.status is ImportStatus.APPLIED and state.applied_at is not None and now - state.applied_at < UNDO_WINDOW


def undo_import(*, actor: Actor, import_id: int, now: datetime) -> int:
    """Take back what an import wrote; returns how many entries it was. Callers have asked `intake.api.access_import`."""
    if not may_undo_import(import_id, now=now):
        raise Conflict(_("这次导入已经不能撤销。"), remedy=_("写入七天之内可以撤销。"))
    state = intake.import_state(import_id)
    register = definition_named(DefinitionKind.REGISTER, str(state.options.get("register", "")))
    why = Why(actor, now, _("撤销导入“%(file)s”") % {"file": state.file_name})
    discard_staged(import_id)
    kept = Entry.objects.filter(register=register, import_id=import_id, removed_at__isnull=True)
    _put_down_before(kept.filter(revision__gt=1), spec_of(register), why, import_id)
    with transaction.atomic():
        count = Entry.objects.filter(pending_import_id=import_id, revision=0).count()
        show_staged(import_id, register, why)
        count += take_off(kept.filter(revision=1), why, import_id)
        details = {"register": register.key, "entries": count}
        audit.record(
            actor=actor, action="casework.register_import_undone", target=f"import:{import_id}", details=details, now=now
        )
        intake.record_undone(import_id, actor=actor, now=now)
    return count


def _put_down_before(changed: QuerySet[Entry], spec: RegisterSpec, why: Why, import_id: int) -> None:
    """What the changed entries were before the import, unseen until the switch."""
    waiting = changed.order_by("pk").iterator(chunk_size=AT_ONCE)
    while rows := list(islice(waiting, AT_ONCE)):
        numbered = EntryRevision.objects.filter(entry__in=rows, number=F("entry__revision") - 1)
        before = {revision.entry_id: revision for revision in numbered}
        for entry in rows:
            identity, entry.state, entry.import_id = entry.identity, before[entry.pk].state, None
            fill_in(entry, spec, before[entry.pk].data, now=why.now)
            entry.identity = identity
        stage_changed(rows, spec, why, import_id)
