"""The face of casework: ids and `data` in and out."""

from shuren.casework.rules.checks.reading import spec_findings
from shuren.casework.rules.draw_bundles import digests_on_record
from shuren.casework.rules.expressions import Expression, ExpressionFault, compile_expression
from shuren.casework.rules.functions import register_function
from shuren.casework.rules.pack_parts import PackPart
from shuren.casework.rules.specs.words import RowId, Spec, Words
from shuren.casework.selectors.certificates import certificates_brought
from shuren.casework.selectors.draw_checks import verify_draw
from shuren.casework.selectors.entries import register_keep_paths
from shuren.casework.selectors.found import found_cases, found_entries
from shuren.casework.selectors.hall import result_of
from shuren.casework.selectors.indicators import figures_of
from shuren.casework.selectors.packs import list_packs
from shuren.casework.services.cases.for_apps import (
    case_of,
    closing_comment,
    decide_case_of,
    has_case,
    open_case,
    withdraw_case_of,
)
from shuren.casework.services.define import DefinitionRefused, put_definition
from shuren.casework.services.hall.deliver import deliver_result
from shuren.casework.services.packs.check import check_pack
from shuren.casework.services.packs.diff import diff_pack
from shuren.casework.services.packs.install import install_all, install_pack
from shuren.casework.services.registers.take_back import may_undo_import as may_undo_register_import
from shuren.casework.services.registers.take_back import undo_import as undo_register_import
from shuren.casework.services.samples import file_sample, issue_sample, sample_file, sampled_registers

__all__ = [
    "DefinitionRefused",
    "Expression",
    "ExpressionFault",
    "PackPart",
    "RowId",
    "Spec",
    "Words",
    "case_of",
    "certificates_brought",
    "check_pack",
    "closing_comment",
    "compile_expression",
    "decide_case_of",
    "deliver_result",
    "diff_pack",
    "digests_on_record",
    "figures_of",
    "file_sample",
    "found_cases",
    "found_entries",
    "has_case",
    "install_all",
    "install_pack",
    "issue_sample",
    "list_packs",
    "may_undo_register_import",
    "open_case",
    "put_definition",
    "register_function",
    "register_keep_paths",
    "result_of",
    "sample_file",
    "sampled_registers",
    "spec_findings",
    "undo_register_import",
    "verify_draw",
    "withdraw_case_of",
]
