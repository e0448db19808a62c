"""The demonstration region, served by `shuren serve` on a free port, and a real Chromium to walk it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.house.source import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 740}
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
START_PATIENCE = 60.0


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
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def sign_in(site: Site, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function: `sign_in("head")` opens a fresh browser window signed in as that demonstration account."""
    contexts = []

    def open_as(role: str, *, viewport: dict[str, int] | None = None, language: str = "zh-CN") -> Page:
        context = browser.new_context(viewport=viewport or DESKTOP, locale=language, accept_downloads=True, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{site.url}/sign-in/")
        page.fill("input[name=username]", site.accounts[role]["username"])
        page.fill("input[name=password]", site.accounts[role]["password"])
        page.click("main button[type=submit]")
        page.wait_for_url(lambda url: "/sign-in/" not in url)
        return page

    yield open_as
    for context in contexts:
        context.close()


def serious_faults(page: Page) -> list[str]:
    """What axe finds on the page that is serious or critical (WCAG 2.2 AA)."""
    page.evaluate(AXE.read_text())
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = page.evaluate("tags => axe.run({runOnly: tags})", tags)
    return [
        f"{page.url} {fault['id']}: {node['html'][:160]}"
        for fault in found["violations"]
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"][:2]
    ]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
