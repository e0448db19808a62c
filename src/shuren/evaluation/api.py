"""The face of evaluation: declare and start runs, ask how they went, open reports in every form."""

from shuren.evaluation.selectors.evidence import score_statements
from shuren.evaluation.selectors.links import latest_reports, reports_of_people
from shuren.evaluation.selectors.pupils import pupil_report
from shuren.evaluation.selectors.released import released_class_count, released_classes, released_runs
from shuren.evaluation.selectors.reports import report_of
from shuren.evaluation.selectors.runs import access_run, done_runs_of, run_state, truth_check, visible_runs
from shuren.evaluation.selectors.scores import scores_of
from shuren.evaluation.services.declare import declare_run
from shuren.evaluation.services.export import record_download
from shuren.evaluation.services.start import start_run

__all__ = [
    "access_run",
    "declare_run",
    "done_runs_of",
    "latest_reports",
    "pupil_report",
    "record_download",
    "released_class_count",
    "released_classes",
    "released_runs",
    "report_of",
    "reports_of_people",
    "run_state",
    "score_statements",
    "scores_of",
    "start_run",
    "truth_check",
    "visible_runs",
]
