"""Jobs of evaluation, and the datasets it writes: both are known once this module is read."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from shuren.datahub.api import declare_assets, declare_dataset
from shuren.directory.api import register_subject_data
from shuren.evaluation.rules.datasets import DATASETS
from shuren.evaluation.rules.lineage import report_assets
from shuren.evaluation.rules.words import step_name
from shuren.evaluation.selectors.own_copy import scores_kept
from shuren.evaluation.services.carry_out import STEPS, carry_out
from shuren.evaluation.services.fail import record_failure
from shuren.evaluation.services.start import JOB
from shuren.kernel import clock
from shuren.work.data import JobContext

for _spec in DATASETS:
    declare_dataset(_spec)
register_subject_data("scores", scores_kept, title=gettext_lazy("测评成绩"))
declare_assets(report_assets)


def run(job: JobContext, run_id: int) -> dict[str, int]:
    """Carry a declared run out; killed half-way it starts over and leaves nothing doubled."""

    def progress(step: int, note: str) -> None:
        job.progress(step, STEPS, step_name(note))

    return carry_out(run_id=run_id, now=clock.now(), progress=progress)


def follow_end_of_job(job: JobContext, event_id: int, payload: Mapping[str, Any]) -> None:
    """A run whose job will not be tried again is failed or cancelled, not busy for ever."""
    if payload["name"] == JOB and "run_id" in payload["args"]:
        record_failure(run_id=int(payload["args"]["run_id"]), error=str(payload.get("error", "")), now=clock.now())
