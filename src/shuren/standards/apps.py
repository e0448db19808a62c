from django.apps import AppConfig

from shuren.standards.announced import ACTIONS, ROWS, TARGETS


class StandardsConfig(AppConfig):
    name = "shuren.standards"
    label = "standards"
    audit_actions = ACTIONS
    audit_targets = TARGETS
    rows = ROWS
