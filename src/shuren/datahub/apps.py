from django.apps import AppConfig

from shuren.datahub.announced import ACTIONS, TARGETS
from shuren.kernel import events


class DatahubConfig(AppConfig):
    name = "shuren.datahub"
    label = "datahub"
    audit_actions = ACTIONS
    audit_targets = TARGETS
    sealed_columns = (
        ("Candidate", "value_sealed", "datahub.candidate"),
        ("ArchivedFile", "key_sealed", "datahub.archive"),
        ("ViewSource", "password_sealed", "datahub.view_source"),
    )

    def ready(self) -> None:
        events.subscribe("directory.person_merged", "shuren.datahub.jobs.follow_merge")
        events.subscribe("directory.person_erased", "shuren.datahub.jobs.forget_person")
        events.subscribe("directory.roster_applied", "shuren.datahub.jobs.follow_roster")
        events.subscribe("casework.pack_installed", "shuren.datahub.jobs.follow_packs")
