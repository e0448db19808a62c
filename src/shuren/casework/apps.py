from django.apps import AppConfig

from shuren.casework.announced import ACTIONS, ROWS, TARGETS
from shuren.casework.rules.functions import register_function
from shuren.kernel import events


class CaseworkConfig(AppConfig):
    name = "shuren.casework"
    label = "casework"
    audit_actions = ACTIONS
    audit_targets = TARGETS
    rows = ROWS
    pack_parts = {"quality": "shuren.casework.services.packs.quality_rules.PART"}
    records_on_log = {
        "draw": "shuren.casework.selectors.draw_checks.statements_on_record",
        "draw_contribution": "shuren.casework.selectors.draw_checks.contributions_on_record",
    }
    sealed_columns = (
        ("Draw", "secret_sealed", "casework.draw_secret"),
        ("WindowApplicant", "told_sealed", "casework.window_applicant"),
    )

    def ready(self) -> None:
        for name in ("record_keepers", "other_record_keepers", "officers", "source_keepers"):
            register_function(f"casework.{name}", f"shuren.casework.services.keepers.{name}")
        register_function("casework.carry_out_subject_request", "shuren.casework.services.subject_requests.carry_out")
        events.subscribe("directory.person_merged", "shuren.casework.jobs.people.follow_merge")
        events.subscribe("casework.case_submitted", "shuren.casework.jobs.hall.follow_submitted")
        events.subscribe("casework.case_decided", "shuren.casework.jobs.hall.follow_decided")
        events.subscribe("casework.case_closed", "shuren.casework.jobs.hall.follow_closed")
        events.subscribe("datahub.quality_measured", "shuren.casework.jobs.quality.route_findings")
        for step in ("applied", "undone", "failed"):
            events.subscribe(f"intake.{step}", "shuren.casework.jobs.registers.follow_import")
