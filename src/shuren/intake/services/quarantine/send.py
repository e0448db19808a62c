"""Rows in quarantine are sent in again: a file of them goes through the same checks as any other, by the rights of its sender."""

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.intake.data import QuarantineReach, QuarantineState
from shuren.intake.models import ImportRun, QuarantinedRow
from shuren.intake.selectors.imports import import_file, run_of
from shuren.intake.selectors.quarantine import waiting_of_import, waiting_rows
from shuren.intake.services.quarantine.files import rows_named, write_rows
from shuren.intake.services.start import start_import
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict


def send_rows(*, actor: Actor, rows: Sequence[QuarantinedRow], now: datetime) -> list[int]:
    """Send waiting rows in again as they are now, those of each import as a new one; returns the imports.

    Callers have found the rows within reach. They wait on until their new import is applied; what is still wrong comes into
    quarantine with it. Publishes `intake.uploaded` for each.
    """
    by_run: defaultdict[int, list[QuarantinedRow]] = defaultdict(list)
    for row in rows:
        by_run[row.run_id].append(row)
    if not by_run:
        raise Conflict(_("选中的行已经处理过。"), remedy=_("请刷新页面，看看它们的最新状态。"))
    return [_send(actor, run_of(run_id), rows, now) for run_id, rows in by_run.items()]


def _send(actor: Actor, run: ImportRun, rows: list[QuarantinedRow], now: datetime) -> int:
    with tempfile.TemporaryDirectory(prefix="quarantine-") as folder:
        path = Path(folder) / "rows"
        suffix = write_rows(run, rows, path, with_notes=False)
        name = _("%(file)s（改正的 %(rows)d 行）") % {"file": Path(run.file_name).stem, "rows": len(rows)}
        with transaction.atomic():
            import_id = start_import(
                actor=actor, kind=run.kind, file_name=name + suffix, content=path, options=_options(run), now=now
            )
            QuarantinedRow.objects.filter(pk__in=[row.pk for row in rows]).update(sent_run_id=import_id)
            _audit(actor, run, import_id, len(rows), now)
    return import_id


def send_rows_again(*, actor: Actor, reach: QuarantineReach, ids: Iterable[str], now: datetime) -> list[int]:
    """`send_rows` for waiting rows by their public ids."""
    return send_rows(actor=actor, rows=waiting_rows(ids, reach=reach), now=now)


def send_import_again(*, actor: Actor, reach: QuarantineReach, import_id: int, now: datetime) -> list[int]:
    """`send_rows` for every waiting row of an import that the actor reaches."""
    return send_rows(actor=actor, rows=waiting_of_import(import_id, reach=reach), now=now)


def send_file(*, actor: Actor, import_id: int, file_name: str, content: BinaryIO, now: datetime) -> int:
    """Send in a mended file of the quarantined rows of an import; returns the new import. Callers have asked for access.

    Which rows it brings is read from its column of ids when it is checked.
    """
    run = run_of(import_id)
    sent = start_import(
        actor=actor, kind=run.kind, file_name=file_name, content=content, options={**_options(run), "names_rows": True}, now=now
    )
    _audit(actor, run, sent, 0, now)
    return sent


@transaction.atomic
def note_rows_sent(import_id: int) -> int:
    """Mark the rows that a mended file names as sent in with it; returns how many. Safe to repeat."""
    run = run_of(import_id)
    if not run.options.get("names_rows"):
        return 0
    rows = QuarantinedRow.objects.filter(run_id=run.options["resends"], state=QuarantineState.WAITING)
    count = 0
    named = rows_named(import_file(import_id))
    for first in range(0, len(named), 500):
        count += rows.filter(pk__in=named[first : first + 500]).update(sent_run_id=import_id)
    return count


def _options(run: ImportRun) -> Mapping[str, Any]:
    kept = {key: value for key, value in run.options.items() if key != "names_rows"}
    return {**kept, "quarantine": True, "resends": run.pk}


def _audit(actor: Actor, run: ImportRun, import_id: int, rows: int, now: datetime) -> None:
    details = {"kind": run.kind, "sent_import_id": import_id, "rows": rows}
    audit.record(actor=actor, action="intake.rows_sent_again", target=f"import:{run.pk}", details=details, now=now)
