from django.apps import AppConfig

from shuren.backups.announced import ACTIONS, ROWS, TARGETS


class BackupsConfig(AppConfig):
    name = "shuren.backups"
    label = "backups"
    audit_actions = ACTIONS
    audit_targets = TARGETS
    rows = ROWS
