from django.apps import AppConfig

from shuren.certificates.announced import ACTIONS, ROWS, TARGETS
from shuren.kernel import events

_JOBS = "shuren.certificates.jobs"


class CertificatesConfig(AppConfig):
    name = "shuren.certificates"
    label = "certificates"
    audit_actions = ACTIONS
    audit_targets = TARGETS
    rows = ROWS
    records_on_log = {
        "certificate": "shuren.certificates.selectors.revocations.certificates_on_record",
        "revocation": "shuren.certificates.selectors.revocations.revocations_on_record",
    }

    case_certificates = "shuren.certificates.selectors.templates.addresses_for_missing"

    def ready(self) -> None:
        events.subscribe("directory.person_merged", f"{_JOBS}.follow_merge")
        events.subscribe("directory.person_erased", f"{_JOBS}.end_shares")
        events.subscribe("directory.person_erased", f"{_JOBS}.end_for_erased")
        events.subscribe("directory.affiliation_ended", f"{_JOBS}.end_for_leaver")
        events.subscribe("directory.enrollment_ended", f"{_JOBS}.end_for_leaver")
        events.subscribe("directory.org_closed", f"{_JOBS}.end_for_org")
        events.subscribe("directory.org_merged", f"{_JOBS}.end_for_org")
        events.subscribe("casework.case_closed", f"{_JOBS}.give_for_case")
        events.subscribe("casework.pack_installed", f"{_JOBS}.bring_templates")
        events.subscribe("directory.org_added", f"{_JOBS}.bring_to_root")
        events.subscribe("intake.failed", f"{_JOBS}.forget_failed")
