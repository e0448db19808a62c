"""`{% load evaluation %}`: shares as per cent, differences in points, charts by name."""

from collections.abc import Mapping

from django import template

from shuren.pages.api import number_text
from shuren.pages.data import Chart

register = template.Library()


@register.filter
def percent(share: object) -> str:
    """0.512 as 51.2%; a dash for none."""
    return f"{number_text(share * 100, 1)}%" if isinstance(share, int | float) else "—"


@register.filter
def points(share: object) -> str:
    """0.031 as +3.1 (percentage points); a dash for none."""
    if not isinstance(share, int | float):
        return "—"
    return ("+" if share > 0 else "") + number_text(share * 100, 1)


@register.filter
def named(charts: Mapping[str, Chart], name: str) -> Chart | None:
    return charts.get(name)
