"""English is whole on every kind of page."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.journeys.conftest import names_in
from tests.journeys.walk import kind_of, walk

pytestmark = pytest.mark.journey
WORDS = "h1, h2, h3, nav a, button, th, label, legend, summary, dt, .btn, .status-badge, .lead, .help, option"
HAN = re.compile(r"[\u4e00-\u9fff]+")


@pytest.mark.parametrize("role", ["city_officer", "class_teacher", "pupil", "audit_admin"])
def test_english_is_complete(sign_in: Callable[..., Page], region: Path, kinds_read_in_english: set[str], role: str) -> None:
    page = sign_in(role, language="en-US")
    shown: set[tuple[str, str]] = set()
    for _answer in walk(page, known=frozenset(kinds_read_in_english)):
        kinds_read_in_english.add(kind_of(urlsplit(page.url).path))
        page.locator(".avatar").evaluate_all("signs => signs.forEach(sign => sign.remove())")
        for text in page.locator(WORDS).all_inner_texts():
            shown |= {(kind_of(page.url), text)} if HAN.search(text) else set()
    names = names_in(region)
    assert sorted(f"{kind}: {word}" for kind, text in shown for word in HAN.findall(without(text, names))) == []


def without(text: str, names: list[str]) -> str:
    """The text without names of the data and without the names languages give themselves."""
    for name in ("简体中文", *names):
        if not HAN.search(text):
            break
        text = text.replace(name, "")
    return text
