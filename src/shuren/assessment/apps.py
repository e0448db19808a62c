from django.apps import AppConfig


class AssessmentConfig(AppConfig):
    name = "shuren.assessment"
    label = "assessment"
