from django.apps import AppConfig

from shuren.directory.announced import ACTIONS, PURPOSES, ROWS, TARGETS
from shuren.kernel import events

_JOBS = "shuren.directory.jobs"
_SUBSCRIPTIONS = {
    "directory.roster_applied": ("recount_roster", "index_roster", "propose_duplicates", "remember_roster"),
    "directory.consent_text_published": ("lapse_consents",),
    "directory.consent_text_ended": ("lapse_consents",),
    "directory.roster_undone": ("recount", "index_undone"),
    "directory.org_moved": ("recount", "index_moved"),
    "directory.org_merged": ("recount", "index_moved"),
    "directory.org_closed": ("recount", "index_moved"),
    "directory.org_added": ("index_org",),
    "directory.org_renamed": ("index_renamed",),
    "directory.org_corrected": ("index_org",),
    "directory.person_merged": ("recount", "index_person"),
    "directory.person_added": ("index_person",),
    "directory.person_erased": ("index_person",),
    "directory.person_corrected": ("index_person",),
    "directory.person_affiliated": ("index_person",),
    "directory.affiliation_ended": ("index_person",),
    "directory.person_enrolled": ("index_person",),
    "directory.enrollment_ended": ("index_person",),
}


class DirectoryConfig(AppConfig):
    name = "shuren.directory"
    label = "directory"
    audit_actions = ACTIONS
    audit_targets = TARGETS
    rows = ROWS
    purposes = PURPOSES
    sealed_columns = (("Person", "national_id_sealed", "directory.national_id"),)
    records_on_log = {"consent": "shuren.directory.selectors.consent_evidence.consents_on_record"}

    def ready(self) -> None:
        for event, jobs in _SUBSCRIPTIONS.items():
            for job in jobs:
                events.subscribe(event, f"{_JOBS}.{job}")
