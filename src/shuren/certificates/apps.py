from django.apps import AppConfig

from shuren.certificates.announced import ACTIONS, TARGETS
from shuren.kernel import events

_JOBS = "shuren.certificates.jobs"


class CertificatesConfig(AppConfig):
    name = "shuren.certificates"
    label = "certificates"
    audit_actions = ACTIONS
    audit_targets = TARGETS
    records_on_log = {
        "certificate": "shuren.certificates.selectors.revocations.certificates_on_record",
        "revocation": "shuren.certificates.selectors.revocations.revocations_on_record",
    }

    def ready(self) -> None:
        events.subscribe("directory.person_merged", f"{_JOBS}.follow_merge")
        events.subscribe("directory.person_erased", f"{_JOBS}.end_shares")
        events.subscribe("directory.person_erased", f"{_JOBS}.end_for_erased")
        events.subscribe("directory.affiliation_ended", f"{_JOBS}.end_for_leaver")
        events.subscribe("directory.enrollment_ended", f"{_JOBS}.end_for_leaver")
        events.subscribe("directory.org_closed", f"{_JOBS}.end_for_org")
        events.subscribe("directory.org_merged", f"{_JOBS}.end_for_org")
        events.subscribe("intake.failed", f"{_JOBS}.forget_failed")
