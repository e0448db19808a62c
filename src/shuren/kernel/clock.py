"""The one clock. Only views, jobs and commands read it; below them `now` is passed in."""

from datetime import UTC, date, datetime

from django.utils import timezone


def now() -> datetime:
    return datetime.now(UTC)


def local(moment: datetime) -> datetime:
    """The moment as clocks in the installation's time zone show it; one that names no zone is left alone."""
    return timezone.localtime(moment) if timezone.is_aware(moment) else moment


def day_of(moment: datetime) -> date:
    """The calendar day of `moment` in the installation's time zone."""
    return timezone.localdate(moment)
