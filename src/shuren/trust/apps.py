from django.apps import AppConfig


class TrustConfig(AppConfig):
    name = "shuren.trust"
    label = "trust"
