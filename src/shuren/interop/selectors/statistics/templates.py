"""Templates of statistics forms in force."""

from collections.abc import Iterable

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shuren.directory.data import OrgData
from shuren.interop.models import StatisticsTemplate
from shuren.interop.rules.statistics.reading import Template, template_of
from shuren.interop.selectors.statistics.units import filing_units, is_summing
from shuren.kernel.errors import NotFound


def templates_in_force() -> list[StatisticsTemplate]:
    """The current version of every form, by number."""
    return list(StatisticsTemplate.objects.filter(is_current=True, is_retired=False).order_by("number", "key"))


def template_in_force(key: str) -> StatisticsTemplate:
    row = StatisticsTemplate.objects.filter(key=key, is_current=True, is_retired=False).first()
    if row is None:
        raise NotFound(_("没有找到这张统计报表。"), remedy=_("请联系管理员安装带有它的功能包。"))
    return row


def templates_for(org: OrgData, year: int) -> list[StatisticsTemplate]:
    """The forms that a unit files, or sums."""
    rows = templates_in_force()
    return rows if is_summing(org) else [row for row in rows if filing_units(read(row).spec, year, [org])]


def read(row: StatisticsTemplate) -> Template:
    return template_of(row.body)


def title_of(row: StatisticsTemplate) -> str:
    """In the reader's language."""
    return row.title_en if (get_language() or "").startswith("en") and row.title_en else row.title_zh


def by_keys(keys: Iterable[str]) -> dict[str, StatisticsTemplate]:
    rows = StatisticsTemplate.objects.filter(key__in=list(keys), is_current=True, is_retired=False)
    return {row.key: row for row in rows}
