from django.apps import AppConfig


class DatahubConfig(AppConfig):
    name = "shuren.datahub"
    label = "datahub"
