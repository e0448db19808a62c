from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "shuren.intake"
    label = "intake"
