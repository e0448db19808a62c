"""The region's own list of days, from the file that `SHUREN_HOLIDAYS_FILE` names."""

from datetime import date
from functools import lru_cache
from pathlib import Path

import yaml
from django.conf import settings
from django.utils.translation import gettext as _

from shuren.casework.rules.workdays import NONE, Holidays
from shuren.kernel.errors import Invalid


def holidays() -> Holidays:
    """The list as the file says now; a changed file is read again without a restart."""
    path = str(settings.SHUREN_HOLIDAYS_FILE)
    if not path:
        return NONE
    try:
        return _read(path, Path(path).stat().st_mtime_ns)
    except OSError as error:
        raise Invalid(_("读不到节假日文件 %(path)s。") % {"path": path}, remedy=_("请检查设置 SHUREN_HOLIDAYS_FILE。")) from error


@lru_cache(maxsize=2)
def _read(path: str, _changed: int) -> Holidays:
    told = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {}
    if not isinstance(told, dict) or told.keys() - {"holidays", "workdays"}:
        raise Invalid(
            _("节假日文件只能有 holidays 和 workdays 两项。"), remedy=_("每项写一列日期，例如 holidays: [2027-01-01]。")
        )
    return Holidays(off=_days(told.get("holidays")), on=_days(told.get("workdays")))


def _days(told: object) -> frozenset[date]:
    days = told or []
    if not isinstance(days, list) or any(type(day) is not date for day in days):
        raise Invalid(_("节假日文件里的日期要写成 2027-01-01 这样。"))
    return frozenset(days)
