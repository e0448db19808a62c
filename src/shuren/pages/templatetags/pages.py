"""`{% load pages %}`: charts, icons, numbers, the built scripts, addresses with changes."""

import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template.context import Context
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from shuren.kernel import clock
from shuren.pages.data import Action, Cell, Chart, EmptyState, IntervalScale, Point, Status
from shuren.pages.rules import numbers
from shuren.pages.rules.addresses import changed_address
from shuren.pages.rules.charts import chart_json, chart_name, chart_svg, chart_table
from shuren.pages.rules.drawings.intervals import interval_bar_svg, interval_scale_svg

register = template.Library()

DIST = "front/dist"
ICONS = frozenset(json.loads((Path(__file__).resolve().parent.parent / "icons.json").read_text("utf-8")))


@lru_cache(maxsize=4)
def _manifest_at(path: str, changed_at: int) -> dict[str, dict[str, object]]:
    return dict(json.loads(Path(path).read_text("utf-8")))


@lru_cache(maxsize=1)
def _manifest_path() -> str:
    found = finders.find(f"{DIST}/manifest.json")
    if not isinstance(found, str):
        raise ImproperlyConfigured("the front end is not built: run python tools/frontend.py")
    return found


def _manifest() -> dict[str, dict[str, object]]:
    """The list of built files; read again only when a build has replaced it."""
    path = _manifest_path()
    return _manifest_at(path, Path(path).stat().st_mtime_ns)


def _built(source: str) -> dict[str, object]:
    entry = _manifest().get(source)
    if entry is None:
        raise ImproperlyConfigured(f"{source} is not among the built files: run python tools/frontend.py")
    return entry


@register.simple_tag
def vite(name: str) -> SafeString:
    """The style sheet and script of one entry (`main`), by the names the build gave them."""
    entry = _built(f"src/{name}.ts")
    styles = entry.get("css", [])
    links = [static(f"{DIST}/{path}") for path in styles] if isinstance(styles, list) else []
    return format_html(
        '{}<script type="module" src="{}"></script>',
        format_html_join("", '<link rel="stylesheet" href="{}">', ((link,) for link in links)),
        static(f"{DIST}/{entry['file']}"),
    )


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A line icon; silent for readers of screens unless it has a label."""
    if name not in ICONS:
        raise template.TemplateSyntaxError(f"no icon called {name!r}; add it to src/shuren/pages/icons.json")
    sprite = static(f"{DIST}/{_built('icons.svg')['file']}")
    named = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html('<svg class="icon" {} focusable="false"><use href="{}#{}"></use></svg>', named, sprite, name)


@register.inclusion_tag("pages/_chart.html")
def chart(chart: Chart, *, level: int = 3) -> dict[str, object]:
    """The chart as picture, numbers for the script, and table; `level` is the heading level of its title."""
    interval_title = chart.interval_title or _("95% 区间")
    return {
        "chart": chart,
        "name": chart_name(chart),
        "level": level,
        "svg": mark_safe(chart_svg(chart)),  # every word in it is escaped where it is drawn
        "table": chart_table(chart, interval_title=interval_title, count_title=_("人数")),
        "json": chart_json(chart) | {"words": _chart_words(), "intervalTitle": interval_title},
    }


def _chart_words() -> dict[str, str]:
    return {
        "png": _("下载 PNG 图片"),
        "svg": _("下载 SVG 图片"),
        "csv": _("下载 CSV 数据"),
        "download": _("下载"),
        "keys": _("图表：用方向键逐点查看，回车打开"),
        "suppressed": _("人数过少，不显示"),
        "none": _("没有数据"),
    }


@register.simple_tag
def number(value: float | str | None, decimals: int | None = None) -> str:
    """A number with thousands separators; "—" for none, and for what a template did not find."""
    return numbers.number_text(None if isinstance(value, str) else value, decimals)


@register.simple_tag
def estimate(value: float | None, error: float | None, decimals: int = 1) -> str:
    """A mean with its standard error: 508.3 (±2.6)."""
    return numbers.estimate_text(value, error, decimals)


@register.simple_tag
def interval(low: float | None, high: float | None, decimals: int = 1) -> str:
    """Both ends of an interval: 503.2–513.4."""
    return numbers.interval_text(low, high, decimals)


@register.simple_tag
def interval_bar(scale: IntervalScale, low: float | None, value: float | None, high: float | None) -> SafeString:
    """The interval drawn on the scale that the table's rows share; print the numbers beside it."""
    point = Point(label="", value=value, low=low, high=high)
    return mark_safe(interval_bar_svg(point, scale))  # drawn from numbers alone


@register.simple_tag
def interval_scale(scale: IntervalScale) -> SafeString:
    """The numbers of the scale's marks, for the head of a column of interval bars."""
    return mark_safe(interval_scale_svg(scale))  # drawn from numbers alone


@register.simple_tag
def cell(value: Cell | Status, decimals: int = 0) -> str:
    """Any value as the house writes it: a status as a badge, dates in ISO form, local time, "—" for nothing."""
    if isinstance(value, Status):
        return format_html('<span class="status-badge tone-{}">{}</span>', value.tone, value.text)
    return numbers.cell_text(clock.local(value) if isinstance(value, datetime) else value, decimals)


@register.inclusion_tag("pages/_empty.html")
def empty_state(
    state: EmptyState | None = None,
    *,
    title: str = "",
    text: str = "",
    icon: str = "inbox",
    action_label: str = "",
    action_url: str = "",
) -> dict[str, object]:
    """What to say when there is nothing, from an `EmptyState` or from words."""
    action = Action(label=action_label, url=action_url, is_primary=True) if action_url else None
    return {"state": state or EmptyState(title=title, text=text, icon=icon, action=action)}


@register.simple_tag(takes_context=True)
def page_url(context: Context, **changes: object) -> str:
    """This page's query string with some fields changed; an empty value takes a field out."""
    request = context.get("request")
    fields = request.GET.dict() if isinstance(request, HttpRequest) else {}
    return changed_address(fields, changes)


@register.simple_tag
def language_tag(code: str) -> str:
    """The language code as HTML wants it: zh-Hans, en."""
    return "zh-Hans" if code.startswith("zh") else code


@register.simple_tag
def region_name() -> str:
    """The name this installation gives itself."""
    return str(getattr(settings, "SHUREN_REGION_NAME", ""))
