from django.apps import AppConfig

from shuren.evaluation.announced import ACTIONS, ROWS, TARGETS
from shuren.kernel import events


class EvaluationConfig(AppConfig):
    name = "shuren.evaluation"
    label = "evaluation"
    audit_actions = ACTIONS
    audit_targets = TARGETS
    rows = ROWS

    def ready(self) -> None:
        events.subscribe("work.job_failed", job="shuren.evaluation.jobs.follow_end_of_job")
        events.subscribe("work.job_cancelled", job="shuren.evaluation.jobs.follow_end_of_job")
