"""The face of files coming in."""

from pathlib import Path

from shuren.intake.rules.cells import text_of
from shuren.intake.rules.errors import UnreadableFile
from shuren.intake.rules.kinds import ImportKind, kind_named, kinds, register_kind
from shuren.intake.selectors.findings import error_workbook_file, finding_groups, findings, kept_findings
from shuren.intake.selectors.forms import form_of
from shuren.intake.selectors.imports import access_import, import_dir, import_file, import_state, imports
from shuren.intake.selectors.packages import Package, open_package
from shuren.intake.selectors.sheet_rows import sheet_names
from shuren.intake.selectors.tables import open_table
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
from shuren.intake.services.start import start_import
from shuren.intake.services.template import table_template
from shuren.intake.services.workbook import make_error_workbook

__all__ = [
    "ImportKind",
    "Package",
    "UnreadableFile",
    "access_import",
    "error_workbook",
    "finding_groups",
    "findings",
    "form_of",
    "has_error_workbook",
    "import_dir",
    "import_file",
    "import_state",
    "imports",
    "kept_findings",
    "kind_named",
    "kinds",
    "open_package",
    "open_table",
    "record_applied",
    "record_checked",
    "record_checking",
    "record_failed",
    "record_findings",
    "record_undone",
    "register_kind",
    "request_apply",
    "request_check",
    "sheet_names",
    "start_import",
    "table_template",
    "text_of",
]


def error_workbook(import_id: int) -> Path:
    """The error workbook, written now if the job after the check has not done so yet."""
    return make_error_workbook(import_id)


def has_error_workbook(import_id: int) -> bool:
    """Whether it is written: a page offers it only then, since writing a big one takes a minute."""
    return error_workbook_file(import_id).exists()
