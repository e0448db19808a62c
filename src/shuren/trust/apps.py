from django.apps import AppConfig

from shuren.trust.announced import ACTIONS, TARGETS


class TrustConfig(AppConfig):
    name = "shuren.trust"
    label = "trust"
    audit_actions = ACTIONS
    audit_targets = TARGETS
    sealed_columns = (("Key", "sealed", "trust.key/{name}/{version}"),)
