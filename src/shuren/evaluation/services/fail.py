"""A run that cannot be carried out says why; it may be started again."""

from datetime import datetime

from django.db import transaction

from shuren.evaluation.data import RunStatus
from shuren.evaluation.models import EvaluationRun
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM


@transaction.atomic
def record_failure(*, run_id: int, error: str, now: datetime) -> None:
    """Mark a running run failed, or cancelled where there is no error; publishes nothing, since nothing came of it."""
    status = RunStatus.FAILED if error else RunStatus.CANCELLED
    changed = EvaluationRun.objects.filter(pk=run_id, status=RunStatus.RUNNING).update(
        status=status, error=error[:2000], finished_at=now
    )
    if changed:
        audit.record(
            actor=SYSTEM, action="evaluation.run_failed", target=f"run:{run_id}", details={"error": error[:500]}, now=now
        )
