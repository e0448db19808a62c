"""Starting a run: one job does the work, and it may be killed and started again."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.directory.api import scope_of
from shuren.directory.data import Permission
from shuren.evaluation.data import RunStatus
from shuren.evaluation.models import EvaluationRun
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound
from shuren.work.api import enqueue

JOB = "shuren.evaluation.jobs.run"


@transaction.atomic
def start_run(*, actor: Actor, run_id: int, now: datetime) -> int:
    """Queue the run's job and return the job's id; a finished run is not repeated, declare another one instead."""
    run = EvaluationRun.objects.select_for_update().filter(pk=run_id).first()
    scope = scope_of(actor=actor, permission=Permission.RUN_EVALUATION, now=now)
    if run is None or not scope.covers(run.org_path):
        raise NotFound(_("没有找到这次测评分析。"))
    if run.status == RunStatus.DONE:
        raise Conflict(_("这次分析已经完成。"), remedy=_("如需改变选项，请声明一次新的分析。"))
    job_id = enqueue(
        JOB,
        {"run_id": run_id},
        key=f"evaluation:{run_id}",
        title=gettext_lazy("测评分析：%(title)s"),
        title_words={"title": run.title},
        actor=actor,
    )
    EvaluationRun.objects.filter(pk=run_id).update(status=RunStatus.RUNNING, job_id=job_id, error="", started_at=now)
    audit.record(actor=actor, action="evaluation.run_started", target=f"run:{run_id}", details={"job": job_id}, now=now)
    return job_id
