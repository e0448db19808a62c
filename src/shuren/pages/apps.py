from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "shuren.pages"
    label = "pages"
    verbose_name = "页面部件"
