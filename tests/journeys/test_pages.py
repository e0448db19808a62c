"""Every kind of page for every role: readable by everybody, on a phone, in both languages, light and dark."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Response, expect

from tests.journeys.conftest import DESKTOP, PHONE, Site, overflow, serious_faults

pytestmark = pytest.mark.journey
ADMINISTRATORS = ("system_admin", "security_admin", "audit_admin")
ROLES = ("city_officer", "district_officer", "head", "class_teacher", "pupil", "parent", *ADMINISTRATORS)
# Kinds of pages a role reaches at the least; an officer or a teacher reaches more than these.
FEWEST = {"pupil": 8, "parent": 8, "system_admin": 10, "security_admin": 10, "audit_admin": 10}
ID = re.compile(r"(?<=/)(?=[0-9a-z]*\d)[0-9a-z]{13}(?=/)")
LEFT_OUT = re.compile(
    r"[?#]|\.(pdf|xlsx|csv|json|zip|crl|cer|pem|jwt|nq)$|/(template|workbook|api|static|tile)/|^mailto:|/suggest/"
    r"|^/(credentials|achievements|status-lists|evidence)/[\w-]+$|^/apps/[^/]+/open/|^/audit/evidence/"
)
FIRST = ("/", "/account/", "/account/password/", "/views/", "/notices/", "/search/?q=四", "/no-such-page/")
# Besides the kinds of pages: a report of each level is a page of its own kind.
DEPTHS = 3
SETTLED = 30
WORDS = "h1, h2, h3, nav a, button, th, label, legend, summary, dt, .btn, .status-badge, .lead, .help, option"
HAN = re.compile(r"[\u4e00-\u9fff]+")


def kind_of(path: str) -> str:
    return ID.sub("*", path)


def walk(page: Page) -> Iterator[Response]:
    """Open one page of every kind that can be reached by links, reports of every level included."""
    seen: dict[str, int] = {}
    waiting = list(FIRST) + _links(page, "nav[data-nav] a")
    done: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        kind, limit = kind_of(path), DEPTHS if path.startswith("/reports/") else 2 if path.startswith("/orgs/") else 1
        if path in done or seen.get(kind, 0) >= limit:
            continue
        done.add(path)
        seen[kind] = seen.get(kind, 0) + 1
        answer = page.goto(path)
        assert answer is not None
        yield answer
        found = _links(page, "main a")
        waiting = [*(link for link in found if link.startswith("/reports/")), *waiting, *found]


def fits(page: Page) -> bool:
    """Whether nothing sticks out once the charts have been drawn anew for the window."""
    for _moment in range(SETTLED):
        if overflow(page) <= 0:
            return True
        page.wait_for_timeout(100)
    return False


def _links(page: Page, where: str) -> list[str]:
    every = page.locator(where).evaluate_all("links => links.map(link => link.getAttribute('href') || '')")
    return [path for path in dict.fromkeys(every) if path.startswith("/") and not LEFT_OUT.search(path)]


@pytest.mark.parametrize("role", ROLES)
def test_every_kind_of_page_can_be_read_by_everybody(sign_in: Callable[..., Page], role: str) -> None:
    page = sign_in(role)
    faults: list[str] = []
    kinds = 0
    for answer in walk(page):
        kinds += 1
        expected = 404 if "no-such-page" in page.url else 200
        if answer.status != expected:
            faults.append(f"{page.url}: {answer.status}")
            continue
        faults += serious_faults(page)
        page.set_viewport_size(PHONE)
        if not fits(page):
            faults.append(f"{page.url}: {overflow(page)} px too wide for a phone")
        page.set_viewport_size(DESKTOP)
    assert faults == []
    assert kinds >= FEWEST.get(role, 14)


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


@pytest.mark.parametrize("role", ["city_officer", "class_teacher", "pupil", "audit_admin"])
def test_english_is_complete_and_can_be_read(sign_in: Callable[..., Page], names: list[str], role: str) -> None:
    page = sign_in(role, language="en-US")
    left: set[str] = set()
    faults: list[str] = []
    for _answer in walk(page):
        faults += serious_faults(page)
        page.locator(".avatar").evaluate_all("signs => signs.forEach(sign => sign.remove())")
        for text in page.locator(WORDS).all_inner_texts():
            left |= {f"{kind_of(page.url)}: {word}" for word in HAN.findall(without(text, names))}
    assert sorted(left) == []
    assert faults == []


def without(text: str, names: list[str]) -> str:
    """The text without names of the data and without the names languages give themselves."""
    for name in ("简体中文", *names):
        if not HAN.search(text):
            break
        text = text.replace(name, "")
    return text


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
