from django.apps import AppConfig

from shuren.intake.announced import ACTIONS, TARGETS
from shuren.kernel import events


class IntakeConfig(AppConfig):
    name = "shuren.intake"
    label = "intake"
    audit_actions = ACTIONS
    audit_targets = TARGETS
    sealed_columns = (("QuarantinedRow", "sealed", "intake.quarantined_row"),)

    def ready(self) -> None:
        events.subscribe("work.job_failed", job="shuren.intake.jobs.follow_end_of_job")
        events.subscribe("work.job_cancelled", job="shuren.intake.jobs.follow_end_of_job")
