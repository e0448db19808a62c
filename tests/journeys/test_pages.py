"""Every kind of page for every role: readable by everybody, on a phone, in both languages, light and dark."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import DESKTOP, PHONE, Site, overflow, serious_faults
from tests.journeys.walk import kind_of, walk

pytestmark = pytest.mark.journey
ADMINISTRATORS = ("system_admin", "security_admin", "audit_admin")
ROLES = ("city_officer", "district_officer", "head", "class_teacher", "pupil", "parent", *ADMINISTRATORS)
# Kinds of pages a role reaches at the least; an officer or a teacher reaches more than these.
FEWEST = {"pupil": 8, "parent": 8, "system_admin": 10, "security_admin": 10, "audit_admin": 10}
SETTLED = 30


def fits(page: Page) -> bool:
    """Whether nothing sticks out once the charts have been drawn anew for the window."""
    for _moment in range(SETTLED):
        if overflow(page) <= 0:
            return True
        page.wait_for_timeout(100)
    return False


@pytest.mark.parametrize("role", ROLES)
def test_every_kind_of_page_can_be_read_by_everybody(sign_in: Callable[..., Page], kinds_seen: set[str], role: str) -> None:
    """A kind that a role before has read is not opened again: what each role gets, the matrix of access asks."""
    page = sign_in(role)
    faults: list[str] = []
    met: set[str] = set()
    for answer in walk(page, met, known=frozenset(kinds_seen)):
        expected = 404 if "no-such-page" in page.url else 200
        if answer.status != expected:
            faults.append(f"{page.url}: {answer.status}")
            continue
        kind = kind_of(urlsplit(page.url).path)
        if kind not in kinds_seen:
            faults += serious_faults(page)
        kinds_seen.add(kind)
        page.set_viewport_size(PHONE)
        if not fits(page):
            faults.append(f"{page.url}: {overflow(page)} px too wide for a phone")
        page.set_viewport_size(DESKTOP)
    assert faults == []
    assert len(met) >= FEWEST.get(role, 14)


def test_the_page_follows_the_light_of_the_machine(sign_in: Callable[..., Page]) -> None:
    for scheme in ("dark", "light"):
        expect(sign_in("pupil", scheme=scheme).locator("html")).to_have_attribute("data-bs-theme", scheme)


def test_paper_is_white_and_carries_the_drawings(sign_in: Callable[..., Page]) -> None:
    page = sign_in("head", scheme="dark")
    page.goto(page.locator("main a[href*='/reports/']").first.get_attribute("href") or "")
    expect(page.locator("[data-chart-picture][role=application]").first).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".topbar")).to_be_hidden()
    expect(page.locator("[data-chart-picture][role=application]").first).to_be_hidden()
    expect(page.locator(".chart-paper svg").first).to_be_visible()
    brightness = "([node, part]) => getComputedStyle(document.querySelector(node))[part].match(/\\d+/g).slice(0, 3).map(Number)"
    assert min(page.evaluate(brightness, ["body", "backgroundColor"])) == 255
    for node in ("h1", ".figures dd", ".chart-title"):
        assert max(page.evaluate(brightness, [node, "color"])) < 128, node


def test_a_phone_shows_each_main_page_whole(sign_in: Callable[..., Page]) -> None:
    page = sign_in("city_officer", viewport=PHONE)
    for path in ["/", "/orgs/", "/people/", "/imports/", "/imports/new/roster/", "/reports/"]:
        page.goto(path)
        assert overflow(page) <= 0, path
    page.get_by_role("button", name="打开导航").click()
    expect(page.get_by_role("navigation", name="主导航")).to_be_visible()
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="测评报告").click()
    expect(page.locator("h1")).to_contain_text("测评报告")


def test_the_keyboard_is_enough(sign_in: Callable[..., Page]) -> None:
    page = sign_in("city_officer")
    page.keyboard.press("Tab")
    focus = page.locator(":focus")
    expect(focus).to_have_text("跳到正文")
    assert focus.evaluate("node => node.getBoundingClientRect().top >= 0"), "the skip link shows itself"
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("[data-global-search]")).to_be_focused()

    page.goto("/imports/new/roster/")
    reached = []
    for _step in range(60):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            "() => { const it = document.activeElement, look = getComputedStyle(it);"
            " return [it.textContent.trim(), look.outlineStyle !== 'none' || look.boxShadow !== 'none'"
            " || !!it.closest('.drop:focus-within, .skip-link')]; }"
        )
        reached.append(seen)
        if seen[0] == "上传并检查":
            break
    assert reached[-1][0] == "上传并检查"
    assert [text for text, is_visible in reached if not is_visible] == []

    page.goto("/people/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-row]").nth(1)).to_have_attribute("data-current", "")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/people/[0-9a-z]{13}/"))


def test_search_knows_chinese_pinyin_and_initials(sign_in: Callable[..., Page], site: Site) -> None:
    page = sign_in("city_officer")
    for asked in ("凌云", "lingyun", "lxlyxx"):
        page.goto(f"/search/?q={asked}&kind=org")
        expect(page.locator(".hits")).to_contain_text("凌云小学")
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("lingyun")
    expect(page.locator(".suggestions")).to_contain_text("凌云")
    page.locator(".suggestions a").first.click()
    expect(page.locator("h1")).to_contain_text("凌云")
    page.goto("/search/?q=没有这样的名字")
    expect(page.locator(".hits")).to_have_count(0)
    name = site.accounts["city_officer"]["name"]
    page = sign_in("pupil")
    page.goto(f"/search/?q={name}&kind=person")
    expect(page.locator(".hits")).to_have_count(0)
