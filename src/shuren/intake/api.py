"""The face of files coming in."""

from pathlib import Path

from shuren.intake.rules.cells import text_of
from shuren.intake.rules.errors import UnreadableFile
from shuren.intake.rules.kinds import ImportKind, kind_named, kinds, register_kind
from shuren.intake.rules.limits import MAX_CELL_CHARS
from shuren.intake.rules.quarantine import ID_HEADINGS, NOTE_HEADINGS, REASON_HEADINGS, ROWS_KEPT, too_many_to_quarantine
from shuren.intake.selectors.findings import error_workbook_file, finding_groups, findings, kept_findings
from shuren.intake.selectors.forms import form_of
from shuren.intake.selectors.imports import access_import, import_dir, import_file, import_state, imports
from shuren.intake.selectors.packages import Package, open_package
from shuren.intake.selectors.quarantine import (
    check_rows_reached,
    has_quarantined,
    places_set_aside,
    quarantined_rows,
    reasons_quarantined,
    states_of_import,
    stream_of_quarantined,
    topics_quarantined,
    units_quarantined,
    waiting_by_org,
)
from shuren.intake.selectors.sheet_rows import sheet_names
from shuren.intake.selectors.tables import open_table
from shuren.intake.services.quarantine.files import QuarantineTable, noted
from shuren.intake.services.quarantine.hand_out import hand_out_rows
from shuren.intake.services.quarantine.mend import correct_row, discard_rows, read_row
from shuren.intake.services.quarantine.send import send_file, send_import_again, send_rows_again
from shuren.intake.services.record import (
    record_applied,
    record_checked,
    record_checking,
    record_failed,
    record_findings,
    record_undone,
    request_apply,
    request_check,
)
from shuren.intake.services.set_aside import set_aside
from shuren.intake.services.start import start_import
from shuren.intake.services.template import table_template
from shuren.intake.services.workbook import make_error_workbook

__all__ = [
    "ID_HEADINGS",
    "MAX_CELL_CHARS",
    "NOTE_HEADINGS",
    "REASON_HEADINGS",
    "ROWS_KEPT",
    "ImportKind",
    "Package",
    "QuarantineTable",
    "UnreadableFile",
    "access_import",
    "check_rows_reached",
    "correct_row",
    "discard_rows",
    "error_workbook",
    "finding_groups",
    "findings",
    "form_of",
    "hand_out_rows",
    "has_error_workbook",
    "has_quarantined",
    "import_dir",
    "import_file",
    "import_state",
    "imports",
    "kept_findings",
    "kind_named",
    "kinds",
    "noted",
    "open_package",
    "open_table",
    "places_set_aside",
    "quarantined_rows",
    "read_row",
    "reasons_quarantined",
    "record_applied",
    "record_checked",
    "record_checking",
    "record_failed",
    "record_findings",
    "record_undone",
    "register_kind",
    "request_apply",
    "request_check",
    "send_file",
    "send_import_again",
    "send_rows_again",
    "set_aside",
    "sheet_names",
    "start_import",
    "states_of_import",
    "stream_of_quarantined",
    "table_template",
    "text_of",
    "too_many_to_quarantine",
    "topics_quarantined",
    "units_quarantined",
    "waiting_by_org",
]


def error_workbook(import_id: int) -> Path:
    """The error workbook, written now if the job after the check has not done so yet."""
    return make_error_workbook(import_id)


def has_error_workbook(import_id: int) -> bool:
    """Whether it is written: a page offers it only then, since writing a big one takes a minute."""
    return error_workbook_file(import_id).exists()
