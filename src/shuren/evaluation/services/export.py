"""What leaves the house is written down."""

from datetime import datetime

from django.db import transaction

from shuren.evaluation.data import Level, Report
from shuren.kernel import audit
from shuren.kernel.data import Actor


@transaction.atomic
def record_download(*, actor: Actor, report: Report, form: str, now: datetime) -> None:
    """Audit that `report` left as a file; call it after the report was opened through its selector."""
    kind = "person" if report.level is Level.PUPIL else "org"
    audit.record(
        actor=actor,
        action="evaluation.report_downloaded",
        target=f"{kind}:{report.unit_id}",
        details={"run": report.run.id, "form": form},
        now=now,
    )
