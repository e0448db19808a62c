from django.apps import AppConfig

from shuren.assessment.announced import ACTIONS, TARGETS


class AssessmentConfig(AppConfig):
    name = "shuren.assessment"
    label = "assessment"
    audit_actions = ACTIONS
    audit_targets = TARGETS
