from django.apps import AppConfig

from shuren.front.announced import ACTIONS, TARGETS
from shuren.kernel import events


class FrontConfig(AppConfig):
    name = "shuren.front"
    label = "front"
    audit_actions = ACTIONS
    audit_targets = TARGETS

    def ready(self) -> None:
        for event in ("intake.checked", "intake.applied", "intake.failed"):
            events.subscribe(event, job="shuren.front.jobs.tell_import")
        events.subscribe("evaluation.run_finished", job="shuren.front.jobs.tell_run")
        events.subscribe("evaluation.run_finished", job="shuren.front.jobs.anchor_run")
        events.subscribe("directory.roster_applied", job="shuren.front.jobs.anchor_roster")
