from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "shuren.work"
    label = "work"
