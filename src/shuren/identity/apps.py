from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "shuren.identity"
    label = "identity"
