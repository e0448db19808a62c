from django.apps import AppConfig

from shuren.kernel import events
from shuren.records.announced import ACTIONS, ROWS, TARGETS

_JOBS = "shuren.records.jobs"


class RecordsConfig(AppConfig):
    name = "shuren.records"
    label = "records"
    audit_actions = ACTIONS
    audit_targets = TARGETS
    rows = ROWS

    def ready(self) -> None:
        events.subscribe("directory.person_merged", f"{_JOBS}.follow_merge")
        events.subscribe("directory.person_erased", f"{_JOBS}.forget_person")
