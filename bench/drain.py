"""Run as a program: work every queued job of the installation until none is left."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuren.conf.settings")
django.setup()

from shuren.work import api as work  # noqa: E402  # after django.setup

if __name__ == "__main__":
    work.run_pending()
