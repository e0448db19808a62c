from django.apps import AppConfig


class EvaluationConfig(AppConfig):
    name = "shuren.evaluation"
    label = "evaluation"
