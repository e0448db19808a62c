"""From which day to which: what lists of learning records are narrowed by."""

from datetime import date

from django.utils.translation import gettext as _

from shuren.pages.data import Filter


def day_filters() -> tuple[Filter, Filter]:
    return Filter(key="since", label=_("从哪天"), is_date=True), Filter(key="until", label=_("到哪天"), is_date=True)


def day_asked(text: str) -> date | None:
    """The day that a filter holds; whatever is none counts as not asked."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
