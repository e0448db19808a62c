"""A step of `region`: work every queued job of the installation until none is left."""

from shuren.work import api as work


def main(_options: list[str]) -> None:
    work.run_pending()
