from django.apps import AppConfig

from shuren.kernel import events


class FrontConfig(AppConfig):
    name = "shuren.front"
    label = "front"

    def ready(self) -> None:
        for event in ("intake.checked", "intake.applied", "intake.failed"):
            events.subscribe(event, job="shuren.front.jobs.tell_import")
        events.subscribe("evaluation.run_finished", job="shuren.front.jobs.tell_run")
