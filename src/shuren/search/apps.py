from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "shuren.search"
    label = "search"
