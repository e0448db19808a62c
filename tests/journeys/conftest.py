"""The demonstration region, served by `shuren serve` on a free port, and a real Chromium to walk it."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright

from tests.cast import PASSWORD
from tests.house.source import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 740}
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-sync"),
]
# Two journeys and their servers share the machine: what a page says after a request may take a while.
expect.set_options(timeout=20_000)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Colours change at once: a busy machine would measure them on their way.
SWITCH_LIGHT = """() => {
    const root = document.documentElement, still = new CSSStyleSheet();
    still.replaceSync("*, ::before, ::after { transition: none !important }");
    document.adoptedStyleSheets = [still];
    root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    document.dispatchEvent(new CustomEvent("shuren:theme"));
    return root.dataset.bsTheme;
}"""
START_PATIENCE = 180.0
# Seconds: what asks for fresh proof asks ten minutes after signing in, and a test goes on for a few minutes.
STALE_AFTER = 240.0
NAME_QUERIES = (
    "SELECT name, short_name FROM directory_org",
    "SELECT name, NULL FROM directory_person",
    "SELECT name, grade FROM assessment_assessment",
    "SELECT session, population_note FROM assessment_assessment",
    "SELECT label, content_domain FROM assessment_item",
    "SELECT cognitive_domain, subject FROM assessment_item",
    "SELECT title, NULL FROM directory_course",
    "SELECT title, note FROM work_job",
    "SELECT name, criteria FROM certificates_templateversion",
    "SELECT wording, seal_text FROM certificates_templateversion",
    "SELECT narrative, NULL FROM certificates_certificate",
    "SELECT name, description FROM interop_appversion",
    "SELECT privacy_text, NULL FROM interop_appversion",
    "SELECT status_reason, NULL FROM interop_app",
    "SELECT reason, purpose FROM interop_elementwish",
    "SELECT name, contact_name FROM interop_vendor",
    "SELECT title, note FROM casework_collection",
    "SELECT title, NULL FROM casework_case",
    "SELECT title, purpose FROM casework_draw",
    "SELECT DISTINCT label, NULL FROM casework_entry",
    "SELECT title_zh, NULL FROM casework_definition WHERE pack_id IS NULL",
    "SELECT title_zh, NULL FROM datahub_catalogueasset WHERE title_en = ''",
    "SELECT number, NULL FROM interop_statisticstemplate",
)


# What the region builds itself, besides what comes with packs.
OWN_BODIES = (
    "SELECT body FROM casework_definitiondraft UNION ALL SELECT version.body FROM casework_definitionversion AS version"
    " JOIN casework_definition AS definition ON definition.id = version.definition_id WHERE definition.pack_id IS NULL"
)


@dataclass(frozen=True)
class Site:
    url: str
    accounts: dict[str, dict[str, str]]
    data_dir: Path


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demonstration: the one `make smoke` built, else built here."""
    built, copy = ROOT / "build" / "smoke", tmp_path_factory.mktemp("region") / "data"
    if not (built / "demo.json").exists():
        words = [sys.executable, "-m", "shuren.front.cli", "demo", "--no-serve", "--data-dir", str(built)]
        subprocess.run(words, cwd=ROOT, check=True, env=clean_environment())
    shutil.copytree(built, copy)
    return copy


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("SHUREN_", "DJANGO_"))}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        assert server.poll() is None, "serve ended before it answered"
        try:
            with urllib.request.urlopen(f"{url}/health/", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError("serve did not answer in time")


@pytest.fixture(scope="session")
def site(region: Path) -> Iterator[Site]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    words = [sys.executable, "-m", "shuren.front.cli", "serve", "--port", str(port), "--data-dir", str(region)]
    server = subprocess.Popen(words, cwd=ROOT, env=clean_environment())
    try:
        wait_until_healthy(url, server)
        yield Site(url, json.loads((region / "demo.json").read_text())["accounts"], region)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright keeps an event loop in this thread; the database is used between its calls only.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


def names_in(region: Path) -> list[str]:
    """Every name of the data that a page may have shown by now, longest first: journeys and jobs have written some."""
    found: set[str] = set()
    with sqlite3.connect(f"file:{region / 'shuren.sqlite3'}?mode=ro", uri=True) as database:
        for query in NAME_QUERIES:
            found |= {text for row in database.execute(query) for text in row if text}
        for (scale,) in database.execute("SELECT report_scale FROM assessment_assessment"):
            found |= set(json.loads(scale).get("levels", ()))
        for (fields,) in database.execute("SELECT fields FROM certificates_templateversion"):
            found |= set(json.loads(fields))
        for file in (ROOT / "src/shuren/standards/registry/elements.yaml", *ROOT.glob("packs/*/standards/elements.yaml")):
            found |= set(re.findall(r" department: ([^,}]+)", file.read_text(encoding="utf-8")))
        for (body,) in database.execute(OWN_BODIES):
            found |= set(words_in(json.loads(body)))
        for (columns,) in database.execute("SELECT context FROM assessment_assessment"):
            found |= {
                word
                for column in json.loads(columns)
                for word in re.split("[；=]", f"{column['label']}；{column['values']}")
                if word
            }
    return sorted(found, key=len, reverse=True)


def words_in(body: Any) -> Iterator[str]:
    """Every text of what somebody builds: theirs, in whatever language they write."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict | list):
        for part in body.values() if isinstance(body, dict) else body:
            yield from words_in(part)


@pytest.fixture(scope="session")
def pupil_ids(region: Path) -> list[str]:
    """Ids, in the roster's own words, of the pupils of the first district."""
    query = "SELECT sourced_id FROM directory_person WHERE sourced_id GLOB 'p[0-9]*' ORDER BY id LIMIT 800"
    with sqlite3.connect(f"file:{region / 'shuren.sqlite3'}?mode=ro", uri=True) as database:
        return [row[0] for row in database.execute(query)]


def fill_in_door(page: Page, site: Site, username: str, password: str) -> None:
    page.goto(f"{site.url}/sign-in/")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")


@pytest.fixture(scope="session")
def state_of(site: Site, browser: Browser) -> Callable[[str], StorageState]:
    """Return a function: the cookies of a demonstration account whose proof is fresh enough for files of people."""
    kept: dict[str, tuple[float, StorageState]] = {}

    def state(role: str) -> StorageState:
        if role not in kept or time.monotonic() - kept[role][0] > STALE_AFTER:
            context = browser.new_context(locale="zh-CN")
            page = context.new_page()
            fill_in_door(page, site, site.accounts[role]["username"], site.accounts[role]["password"])
            page.wait_for_url(lambda url: "/sign-in/" not in url)
            kept[role] = time.monotonic(), context.storage_state()
            context.close()
        return kept[role][1]

    return state


@pytest.fixture
def contexts() -> Iterator[list[BrowserContext]]:
    opened: list[BrowserContext] = []
    yield opened
    for context in opened:
        context.close()


@pytest.fixture
def sign_in(
    site: Site, browser: Browser, state_of: Callable[[str], StorageState], contexts: list[BrowserContext]
) -> Iterator[Callable[..., Page]]:
    """Return a function: `sign_in("head")` opens a browser window of that demonstration account, on the home page.

    A page that throws in the browser, or asks for something that is not there, fails the test; off-line nothing is there.
    """
    troubles: list[str] = []

    def open_as(role: str, *, viewport: dict[str, int] | None = None, language: str = "zh-CN", scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport=viewport or DESKTOP,
            locale=language,
            color_scheme=scheme,
            accept_downloads=True,
            reduced_motion="reduce",
            storage_state=state_of(role),
            base_url=site.url,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(f"{page.url}: {error}"))
        page.on("console", lambda line: troubles.append(f"{page.url}: {line.text}") if line.type == "error" else None)
        page.goto("/")
        return page

    yield open_as
    foreseen = ("status of 4", "net::ERR_INTERNET_DISCONNECTED")
    unforeseen = [trouble for trouble in troubles if not any(words in trouble for words in foreseen)]
    assert unforeseen == []


@pytest.fixture(scope="session")
def kinds_seen() -> set[str]:
    """The kinds of pages that some role has read, in both lights."""
    return set()


@pytest.fixture(scope="session")
def kinds_read_in_english() -> set[str]:
    """The kinds of pages that some role has read in English."""
    return set()


def serious_faults(page: Page, *, in_both_lights: bool = True) -> list[str]:
    """What axe finds on the page that is serious or critical (WCAG 2.2 AA): all rules as it stands, contrast in the other light.

    The page is left in the light in which it was found.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = _faults(page, {"type": "tag", "values": WCAG})
    if not in_both_lights:
        return found
    own = page.evaluate(f"({SWITCH_LIGHT})()")
    found += _faults(page, {"type": "rule", "values": ["color-contrast"]})
    assert page.evaluate(f"({SWITCH_LIGHT})()") != own
    return found


def _faults(page: Page, only: dict[str, object]) -> list[str]:
    found = page.evaluate("only => axe.run({runOnly: only, resultTypes: ['violations']})", only)
    light = page.locator("html").get_attribute("data-bs-theme")
    return [
        f"{page.url} ({light}) {fault['id']}: {node['html'][:160]}"
        for fault in found["violations"]
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"][:2]
    ]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@pytest.fixture
def windows(browser: Browser, live_server: Any, contexts: list[BrowserContext]) -> Callable[[], Page]:
    """Return a function that opens a browser of its own on the test's own server."""

    def window() -> Page:
        context = browser.new_context(locale="zh-CN", base_url=live_server.url)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    return window


def signed_in(page: Page, username: str, password: str = PASSWORD) -> Page:
    page.goto("/sign-in/")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    return page
