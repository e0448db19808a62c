from django.apps import AppConfig


class FrontConfig(AppConfig):
    name = "shuren.front"
    label = "front"
