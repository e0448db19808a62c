from django.apps import AppConfig

from shuren.certificates.announced import ACTIONS, TARGETS
from shuren.kernel import events

_JOBS = "shuren.certificates.jobs"


class CertificatesConfig(AppConfig):
    name = "shuren.certificates"
    label = "certificates"
    audit_actions = ACTIONS
    audit_targets = TARGETS

    def ready(self) -> None:
        events.subscribe("directory.person_merged", f"{_JOBS}.follow_merge")
        events.subscribe("directory.person_erased", f"{_JOBS}.end_shares")
        events.subscribe("intake.failed", f"{_JOBS}.forget_failed")
