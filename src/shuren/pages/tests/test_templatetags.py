import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory

from shuren.pages.data import Chart, ChartKind
from shuren.pages.templatetags import pages as tags

SOURCE = Path(__file__).resolve().parents[2]


def rendered(text: str, **context: object) -> str:
    return Template("{% load pages %}" + text).render(Context(context))


def test_numbers() -> None:
    text = "{% number n 1 %}|{% estimate n e %}|{% interval n m %}|{% cell none %}"
    assert rendered(text, n=1508.31, e=2.58, m=1600, none=None) == "1,508.3|1,508.3 (±2.6)|1,508.3–1,600.0|—"


def test_a_moment_is_told_in_local_time() -> None:
    assert rendered("{% cell at %}", at=datetime(2026, 9, 1, 20, 2, tzinfo=UTC)) == "2026-09-02 04:02"


def test_page_url_changes_only_what_is_named() -> None:
    request = RequestFactory().get("/people/?q=李&page=2")
    assert rendered("{% page_url page=3 %}", request=request) == "?q=%E6%9D%8E&amp;page=3"
    assert rendered("{% page_url q=None page='' %}", request=request) == "?"


@pytest.mark.parametrize("kind", list(ChartKind))
def test_every_chart_has_its_picture_data_and_table(charts: dict[ChartKind, Chart], kind: ChartKind) -> None:
    html = rendered("{% chart c level=2 %}", c=charts[kind])
    assert "<svg" in html
    assert "<table" in html
    assert html.count("<h2") == 1
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.S)
    assert found
    data = json.loads(found[1])
    assert data["kind"] == kind.value
    assert len(data["series"]) == len(charts[kind].series)
    assert data["words"]["png"]


def test_an_unknown_icon_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError, match=r"icons\.json"):
        rendered('{% icon "unicorn" %}')


def test_icons_are_silent_or_named() -> None:
    assert 'aria-hidden="true"' in rendered('{% icon "bell" %}')
    assert 'role="img" aria-label="通知"' in rendered('{% icon "bell" "通知" %}')


def test_every_icon_named_in_a_template_is_built() -> None:
    named = {
        name
        for path in SOURCE.glob("*/templates/**/*.html")
        for name in re.findall(r'{% icon "([\w-]+)"', path.read_text("utf-8"))
    }
    assert named
    assert named <= tags.ICONS


def test_vite_links_the_built_files() -> None:
    html = rendered('{% vite "main" %}')
    assert re.search(r'<link rel="stylesheet" href="/static/front/dist/main\.[0-9a-f]{12}\.css">', html)
    assert re.search(r'<script type="module" src="/static/front/dist/main\.[0-9a-f]{12}\.js">', html)


def test_a_missing_build_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags.finders, "find", lambda path: None)
    tags._manifest_path.cache_clear()
    with pytest.raises(ImproperlyConfigured, match=r"frontend\.py"):
        rendered('{% vite "main" %}')


def test_language_tag_is_the_one_of_html() -> None:
    assert rendered("{% language_tag 'zh-hans' %}{% language_tag 'en' %}") == "zh-Hansen"
