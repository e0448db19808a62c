"""Settings of the worker processes in tests: the queue and the ground alone, so that a process starts in a moment."""

from shuren.conf.settings import *  # noqa: F403  # everything else as shipped

INSTALLED_APPS = ["shuren.work", "shuren.kernel"]
MIDDLEWARE: list[str] = []
