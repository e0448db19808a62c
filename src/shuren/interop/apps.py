from django.apps import AppConfig

from shuren.interop.announced import ACTIONS, PURPOSES, ROWS, TARGETS
from shuren.kernel import events

_JOBS = "shuren.interop.jobs"
_SUBSCRIPTIONS = {
    "directory.person_corrected": ("tell_person_changed",),
    "directory.person_affiliated": ("tell_person_changed",),
    "directory.affiliation_ended": ("tell_person_changed",),
    "directory.person_enrolled": ("tell_person_changed",),
    "directory.enrollment_ended": ("tell_person_changed",),
    "directory.person_erased": ("tell_person_erased", "forget_person"),
    "directory.person_merged": ("tell_person_merged", "follow_merge"),
    "directory.org_added": ("tell_org_changed",),
    "directory.org_renamed": ("tell_org_changed",),
    "directory.org_corrected": ("tell_org_changed",),
    "directory.org_moved": ("tell_org_changed",),
    "directory.org_closed": ("tell_org_changed",),
    "directory.roster_applied": ("tell_roster_applied",),
    "directory.consent_given": ("tell_consent_given",),
    "directory.consent_refused": ("tell_consent_withdrawn",),
    "directory.consent_withdrawn": ("tell_consent_withdrawn",),
    "interop.app_installed": ("tell_app_installed",),
    "interop.app_removed": ("tell_app_removed",),
    "interop.app_suspended": ("tell_app_suspended",),
    "interop.app_resumed": ("tell_app_resumed",),
    "interop.app_leaving": ("tell_app_leaving",),
    "intake.checked": ("follow_roster_import",),
    "intake.applied": ("follow_roster_import",),
    "intake.failed": ("follow_roster_import",),
    "intake.undone": ("follow_roster_import",),
}


class InteropConfig(AppConfig):
    name = "shuren.interop"
    label = "interop"
    audit_actions = ACTIONS
    audit_targets = TARGETS
    rows = ROWS
    purposes = PURPOSES
    case_functions = {"interop.settle_submission": "shuren.interop.services.review.settle_submission"}
    pack_parts = {"statistics": "shuren.interop.services.statistics.pack_part.PART"}
    records_on_log = {"statistics_report": "shuren.interop.selectors.statistics.reports.reports_on_record"}
    sealed_columns = (
        ("WebhookKey", "sealed", "interop.webhook_key"),
        ("RosterSource", "secret_sealed", "interop.roster_source"),
    )

    def ready(self) -> None:
        for event, jobs in _SUBSCRIPTIONS.items():
            for job in jobs:
                events.subscribe(event, f"{_JOBS}.{job}")
