"""The quarantined rows of an import as a file of its form, with a column of reasons, for mending in Excel."""

from datetime import datetime
from pathlib import Path

from django.utils.translation import gettext as _

from shuren.intake.data import QuarantineReach
from shuren.intake.selectors.imports import run_of
from shuren.intake.selectors.quarantine import waiting_of_import
from shuren.intake.services.quarantine.files import write_rows
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound


def hand_out_rows(*, actor: Actor, reach: QuarantineReach, import_id: int, path: Path, now: datetime) -> str:
    """Write the waiting rows that the actor reaches to `path`; returns what the file is called."""
    run = run_of(import_id)
    rows = waiting_of_import(import_id, reach=reach)
    if not rows:
        raise NotFound(_("这次导入没有待改的行。"))
    suffix = write_rows(run, rows, path, with_notes=True)
    details = {"kind": run.kind, "rows": len(rows)}
    audit.record(actor=actor, action="intake.quarantine_exported", target=f"import:{run.pk}", details=details, now=now)
    return _("%(file)s-待改的行") % {"file": Path(run.file_name).stem} + suffix
