from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "shuren.kernel"
    label = "kernel"
