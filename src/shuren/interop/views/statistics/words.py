"""Words, addresses and crumbs of the pages of statistics forms."""

from datetime import date
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from shuren.interop.data import ReportState
from shuren.interop.models import StatisticsReport
from shuren.interop.rules.statistics.reading import Template
from shuren.interop.rules.statistics.spec import school_year
from shuren.interop.selectors.statistics.templates import title_of
from shuren.kernel import ids
from shuren.pages.data import Choice, Status

_FIRST_MONTH = 9
_YEARS = 6
_STATES: dict[str, tuple[str | Promise, str]] = {
    ReportState.DRAFT: (gettext_lazy("填报中"), "busy"),
    ReportState.RETURNED: (gettext_lazy("被退回"), "bad"),
    ReportState.SUBMITTED: (gettext_lazy("已提交"), "good"),
    ReportState.FROZEN: (gettext_lazy("已冻结"), "good"),
}


def report_status(row: StatisticsReport | None) -> Status:
    if row is None:
        return Status(text=_("没有生成"), tone="plain")
    word, tone = _STATES[row.state]
    return Status(text=str(word), tone=tone)


def report_url(row: StatisticsReport, page: str = "statistics_report") -> str:
    return reverse(f"interop:{page}", args=[ids.encode("statistics_report", row.pk)])


def index_url(org_id: int, year: int) -> str:
    return f"{reverse('interop:statistics')}?{urlencode({'unit': ids.encode('org', org_id), 'year': year})}"


def progress_url(org_id: int, key: str, year: int, page: str = "statistics_progress") -> str:
    return reverse(f"interop:{page}", args=[ids.encode("org", org_id), key, year])


def report_title(row: StatisticsReport) -> str:
    return f"{row.template.number} {title_of(row.template)}"


def crumbs(row: StatisticsReport, *more: str) -> list[dict[str, str]]:
    """From the list of the unit down to the page."""
    trail = [(_("统计报表"), index_url(row.org_id, row.year)), (report_title(row), report_url(row))]
    trail += [(word, "") for word in more]
    return [{"label": label, "url": url if (label, url) != trail[-1] else ""} for label, url in trail]


def year_now(today: date) -> int:
    """The school year that has begun last."""
    return today.year if today.month >= _FIRST_MONTH else today.year - 1


def year_choices(today: date) -> tuple[Choice, ...]:
    first = year_now(today)
    return tuple(Choice(value=str(year), label=school_year(year)) for year in range(first, first - _YEARS, -1))


def check_words(row: StatisticsReport, template: Template) -> list[dict[str, str | bool]]:
    """What does not hold, each with where and what to do."""
    language = get_language() or "zh-hans"
    checks = {check.key: check for check in template.spec.checks}
    parts = {part.key: part for part in (*template.spec.lines, *template.spec.columns)}
    told: list[dict[str, str | bool]] = []
    for one in row.imbalances:
        check, part = checks.get(one["check"]), parts.get(one["place"])
        name = f"{one['check']}:{one['place']}" if one["place"] else one["check"]
        told.append(
            {
                "name": name,
                "is_error": one["is_error"],
                "place": f"{part.code} {part.title.text(language)}" if part else "",
                "message": check.message.text(language) if check else one["check"],
                "explanation": row.explanations.get(name, ""),
            }
        )
    return told
