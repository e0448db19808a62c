from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "shuren.directory"
    label = "directory"
