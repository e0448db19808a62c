from django.apps import AppConfig

from shuren.identity.announced import ACTIONS, ROWS, TARGETS
from shuren.kernel import events

_JOBS = "shuren.identity.jobs"
_SUBSCRIPTIONS = {
    "identity.signed_out": ("end_session", "tell_cas_services", "tell_saml_services"),
    "identity.session_ended": ("end_session", "tell_cas_services", "tell_saml_services"),
    "directory.roster_applied": ("await_accounts", "review_roster"),
    "directory.person_added": ("open_account",),
    "directory.person_merged": ("merge_accounts",),
    "directory.person_erased": ("close_account",),
    "directory.person_affiliated": ("review_person",),
    "directory.affiliation_ended": ("review_person",),
    "directory.person_enrolled": ("review_person",),
    "directory.enrollment_ended": ("review_person",),
    "directory.guardian_linked": ("review_person",),
    "directory.guardian_unlinked": ("review_person",),
}


class IdentityConfig(AppConfig):
    name = "shuren.identity"
    label = "identity"
    audit_actions = ACTIONS
    audit_targets = TARGETS
    rows = ROWS
    sealed_columns = (
        ("TotpSecret", "secret_sealed", "identity.totp"),
        ("CasTicket", "sealed", "identity.cas_ticket"),
        ("Upstream", "secret_sealed", "identity.upstream_secret"),
    )

    def ready(self) -> None:
        for event, jobs in _SUBSCRIPTIONS.items():
            for job in jobs:
                events.subscribe(event, f"{_JOBS}.{job}")
