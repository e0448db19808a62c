from django.apps import AppConfig


class StandardsConfig(AppConfig):
    name = "shuren.standards"
    label = "standards"
