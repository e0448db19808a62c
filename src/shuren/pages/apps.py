from django.apps import AppConfig

from shuren.pages.announced import ACTIONS, TARGETS


class PagesConfig(AppConfig):
    name = "shuren.pages"
    label = "pages"
    verbose_name = "页面部件"
    audit_actions = ACTIONS
    audit_targets = TARGETS
