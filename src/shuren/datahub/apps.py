from django.apps import AppConfig

from shuren.datahub.announced import ACTIONS, TARGETS


class DatahubConfig(AppConfig):
    name = "shuren.datahub"
    label = "datahub"
    audit_actions = ACTIONS
    audit_targets = TARGETS
