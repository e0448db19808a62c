"""A row is looked at, corrected in place, or given up, by those who reach it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.intake.data import QuarantinedRowData, QuarantineReach, QuarantineState, RowContent
from shuren.intake.models import QuarantinedRow
from shuren.intake.rules.quarantine import PURPOSE, corrected, packed
from shuren.intake.selectors.quarantine import access_quarantined_row, content_of, waiting_rows
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.trust import api as trust


@transaction.atomic
def read_row(*, actor: Actor, reach: QuarantineReach, id: str, now: datetime) -> tuple[QuarantinedRowData, RowContent | None]:
    """A row with what stands in it, None once that is erased; that it was read is written down."""
    row = access_quarantined_row(reach=reach, id=id)
    held = QuarantinedRow.objects.get(pk=row.id)
    if held.sealed is None:
        return row, None
    audit.record(actor=actor, action="intake.row_read", target=f"quarantined_row:{row.id}", details=_about(row), now=now)
    return row, content_of(held)


@transaction.atomic
def correct_row(*, actor: Actor, reach: QuarantineReach, id: str, told: Mapping[int, str], now: datetime) -> bool:
    """Write cells of a waiting row anew, by their place from 0; whether anything changed. It is checked when it is sent in.

    A row that changes after it was sent in waits to be sent in again. Publishes nothing: nothing of it is known outside.
    """
    row = access_quarantined_row(reach=reach, id=id)
    held = _waiting(row.id)
    before = content_of(held)
    after = corrected(before, told)
    if after == before:
        return False
    held.sealed = trust.seal(packed(after), purpose=PURPOSE)
    held.corrected_at, held.sent_run_id = now, None
    held.save(update_fields=["sealed", "corrected_at", "sent_run_id"])
    places = zip(before.header, before.cells, after.cells, strict=False)
    columns = [heading for heading, was, now_said in places if was != now_said]
    details = {**_about(row), "columns": columns}
    audit.record(actor=actor, action="intake.row_corrected", target=f"quarantined_row:{row.id}", details=details, now=now)
    return True


@transaction.atomic
def discard_rows(*, actor: Actor, reach: QuarantineReach, ids: Iterable[str], reason: str, now: datetime) -> int:
    """Give up waiting rows for good, with a reason; what stood in them is erased. Publishes `intake.rows_discarded`."""
    told = reason.strip()
    if not told:
        raise Invalid(_("请写明放弃的理由。"))
    rows = waiting_rows(ids, reach=reach)
    waiting = QuarantinedRow.objects.filter(pk__in=[row.pk for row in rows], state=QuarantineState.WAITING)
    count = waiting.update(state=QuarantineState.DISCARDED, ended_at=now, end_reason=told[:300], sealed=None, sent_run_id=None)
    if not count:
        raise Conflict(_("选中的行已经处理过。"), remedy=_("请刷新页面，看看它们的最新状态。"))
    for row in rows:
        details = {"kind": row.kind, "import_id": row.run_id, "row": row.row, "reason": told[:300]}
        audit.record(actor=actor, action="intake.rows_discarded", target=f"quarantined_row:{row.pk}", details=details, now=now)
    events.publish("intake.rows_discarded", {"rows": count}, now=now)
    return count


def _waiting(pk: int) -> QuarantinedRow:
    QuarantinedRow.objects.select_for_update().filter(pk=pk).first()
    row = QuarantinedRow.objects.get(pk=pk)
    if row.state != QuarantineState.WAITING:
        raise Conflict(_("这一行已经处理过，不能再改。"), remedy=_("请刷新页面，看看它的最新状态。"))
    return row


def _about(row: QuarantinedRowData) -> dict[str, object]:
    return {"kind": row.kind, "import_id": row.import_id, "row": row.place.row}
