"""When a scheduled question is asked next."""

from calendar import monthrange
from datetime import date, datetime, time, timedelta, tzinfo

from django.utils.translation import gettext as _

from shuren.datahub.data import ScheduleEvery
from shuren.kernel.errors import Invalid

LONGEST_KEPT = 60
_LAST_DAY = {ScheduleEvery.DAY: 1, ScheduleEvery.WEEK: 7, ScheduleEvery.MONTH: 31}


def check_schedule(every: ScheduleEvery, *, day: int, hour: int, keeps: int) -> None:
    """Refuse a day that the week or month does not have, an hour that the day does not have, and too many answers kept."""
    if every is not ScheduleEvery.DAY and not 1 <= day <= _LAST_DAY[every]:
        raise Invalid(_("每周的日子是 1 到 7（周一到周日），每月的是 1 到 31。"))
    if not 0 <= hour <= 23:
        raise Invalid(_("钟点应在 0 到 23 之间。"))
    if not 1 <= keeps <= LONGEST_KEPT:
        raise Invalid(_("保留的次数应在 1 到 %(most)d 之间。") % {"most": LONGEST_KEPT})


def next_due(every: ScheduleEvery, *, day: int, hour: int, after: datetime, zone: tzinfo) -> datetime:
    """The first due time after `after`; a month that has no such day is due on its last."""
    today = after.astimezone(zone).date()
    for ahead in range(63):
        found = today + timedelta(days=ahead)
        moment = datetime.combine(found, time(hour), tzinfo=zone)
        if _is_due(every, day, found) and moment > after:
            return moment
    raise AssertionError("every schedule is due within two months")


def _is_due(every: ScheduleEvery, day: int, found: date) -> bool:
    if every is ScheduleEvery.WEEK:
        return found.isoweekday() == day
    if every is ScheduleEvery.MONTH:
        return found.day == min(day, monthrange(found.year, found.month)[1])
    return True
