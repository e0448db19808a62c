from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "shuren.messaging"
    label = "messaging"
