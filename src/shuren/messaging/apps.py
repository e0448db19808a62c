from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "shuren.messaging"
    label = "messaging"
    sealed_columns = (("OutboxMessage", "body_sealed", "messaging.outbox"),)
