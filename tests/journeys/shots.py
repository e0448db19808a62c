"""Run as a program: take the screenshots of the README from the running demonstration.

`python -m tests.journeys.shots URL demo.json docs/images` walks as each role and writes one PNG per role.
"""

import json
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.journeys.conftest import CHROMIUM, FLAGS

REAL, SIMULATED = "TIMSS 2011", "模拟"
# Whose page shows which test: one real booklet says little about a class or a pupil, the simulated test says more.
SHOWN = {
    "city_officer": REAL,
    "district_officer": REAL,
    "head": SIMULATED,
    "class_teacher": SIMULATED,
    "pupil": SIMULATED,
    "parent": SIMULATED,
}
WINDOW = {"width": 1280, "height": 960}


def open_report(page: Page, words: str) -> None:
    """From the home page to the newest report of that test, with its charts drawn."""
    page.locator("main a[href*='/reports/']").filter(has_text=words).first.click()
    page.wait_for_load_state("networkidle")
    page.locator("[data-chart-picture][role=application], .tiles").first.wait_for()
    for button in page.get_by_role("button", name="知道了").all():
        button.click()


def main(url: str, accounts_file: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    accounts = json.loads(accounts_file.read_text())["accounts"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for role, words in SHOWN.items():
            context = browser.new_context(viewport=WINDOW, locale="zh-CN", reduced_motion="reduce")
            page = context.new_page()
            page.goto(f"{url}/sign-in/")
            page.fill("input[name=username]", accounts[role]["username"])
            page.fill("input[name=password]", accounts[role]["password"])
            page.click("main button[type=submit]")
            page.wait_for_load_state("networkidle")
            open_report(page, words)
            page.screenshot(path=folder / f"{role.replace('_', '-')}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
