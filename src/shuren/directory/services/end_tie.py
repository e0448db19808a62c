"""End what ties a person to an org."""

from datetime import date, datetime

from django.utils.translation import gettext as _

from shuren.directory.models import Affiliation, Enrollment
from shuren.kernel.clock import day_of
from shuren.kernel.data import Period
from shuren.kernel.errors import Conflict, Invalid


def end_tie(row: Affiliation | Enrollment, *, end_date: date | None, now: datetime) -> tuple[date, bool]:
    """Let a role or a place in a class end, today unless said otherwise.

    Returns the day, and whether the person was counted there and is no more. The caller holds the row's lock and has
    asked whether the actor may.
    """
    day = day_of(now)
    end = end_date or day
    if row.end_date is not None and row.end_date <= end:
        raise Conflict(_("这条记录已经结束。"))
    if row.begin_date is not None and end < row.begin_date:
        raise Invalid(_("结束日期不能早于开始日期。"), remedy=_("请修改结束日期。"))
    was_counted = Period(row.begin_date, row.end_date).covers(day)
    row.end_date = end
    row.save(update_fields=["end_date"])
    return end, was_counted and end <= day
