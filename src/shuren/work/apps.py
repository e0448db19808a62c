from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from shuren.work.announced import ACTIONS, TARGETS


class WorkConfig(AppConfig):
    name = "shuren.work"
    label = "work"
    audit_actions = ACTIONS
    audit_targets = TARGETS

    def ready(self) -> None:
        # `apps.py` is read before there are models, so what needs an api (periodic jobs, kinds of import) registers
        # itself when the `jobs.py` of its app is read: here, once, in every process.
        autodiscover_modules("jobs")
