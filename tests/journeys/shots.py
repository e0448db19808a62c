"""Run as a program: take the screenshots of the README from the running demonstration.

`python -m tests.journeys.shots URL demo.json docs/images` walks as each role and writes one PNG per role.
"""

import json
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.journeys.conftest import CHROMIUM

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def open_newest_report(page: Page) -> None:
    """From the home page to the newest report this person may read."""
    link = page.locator("main a[href*='/reports/']").first
    if link.count():
        link.click()
        page.wait_for_load_state("networkidle")


def main(url: str, accounts_file: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    accounts = json.loads(accounts_file.read_text())["accounts"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for role, account in accounts.items():
            context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN", reduced_motion="reduce")
            page = context.new_page()
            page.goto(f"{url}/sign-in/")
            page.fill("input[name=username]", account["username"])
            page.fill("input[name=password]", account["password"])
            page.click("main button[type=submit]")
            page.wait_for_load_state("networkidle")
            open_newest_report(page)
            page.screenshot(path=folder / f"{role.replace('_', '-')}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
