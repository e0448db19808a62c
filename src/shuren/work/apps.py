from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class WorkConfig(AppConfig):
    name = "shuren.work"
    label = "work"

    def ready(self) -> None:
        # `apps.py` is read before there are models, so what needs an api (periodic jobs, kinds of import) registers
        # itself when the `jobs.py` of its app is read: here, once, in every process.
        autodiscover_modules("jobs")
