"""The face of interop: the register of apps, where they are chosen, their quotas, and messages to them."""

from shuren.interop.rules.oneroster.faults import status_info
from shuren.interop.selectors.agreed import installation_of, paths_of_app
from shuren.interop.selectors.apps import app_of_client, apps_by_ids
from shuren.interop.services.admit import admit_app, agreed_scopes, refusal_of
from shuren.interop.services.count_calls import count_call, record_outcome, write_counts
from shuren.interop.services.emit import emit, emit_about
from shuren.interop.services.examples import make_example_apps

__all__ = [
    "admit_app",
    "agreed_scopes",
    "app_of_client",
    "apps_by_ids",
    "count_call",
    "emit",
    "emit_about",
    "installation_of",
    "make_example_apps",
    "paths_of_app",
    "record_outcome",
    "refusal_of",
    "status_info",
    "write_counts",
]
