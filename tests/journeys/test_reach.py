"""Everybody sees theirs and only theirs."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Site

pytestmark = pytest.mark.journey
REPORT = re.compile("四年级数学期末检测")


def status_of(page: Page, path: str) -> int:
    return page.request.get(path).status


def paths_in(page: Page, start: str) -> list[str]:
    """Addresses of the links in the page's body that begin so, in order."""
    every = page.locator(f"main a[href^='{start}']").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    return list(dict.fromkeys(path for path in every if "?" not in path and path.endswith("/")))


@pytest.fixture
def abroad(sign_in: Callable[..., Page], site: Site) -> dict[str, list[str]]:
    """Addresses in another district than the cast's, found by the city's officer: orgs, people, reports."""
    page = sign_in("city_officer")
    page.get_by_role("link", name=REPORT).first.click()
    run = page.url.split("/")[4]
    reports = []
    near = site.accounts["district_officer"]["place"]
    for _level in range(3):
        page.goto(page.locator("#chart-children .chart-table a").filter(has_not_text=near).last.get_attribute("href") or "")
        reports.append("/" + page.url.split("/", 3)[3])
    orgs = [f"/orgs/{path.split('/')[3]}/" for path in reports]
    page.goto(f"{orgs[-1]}people/?role=pupil")
    people = paths_in(page, "/people/")[:2]
    assert people
    assert {status_of(page, path) for path in [*reports, *orgs, *people]} == {200}
    pupils = [f"/reports/{run}/pupils/{path.split('/')[2]}/" for path in people]
    return {"reports": reports, "pupils": pupils, "orgs": orgs, "people": people}


def files_of(paths: list[str]) -> list[str]:
    return [f"{path.rstrip('/')}.{form}" for path in paths for form in ("pdf", "xlsx", "json")]


@pytest.mark.parametrize("role", ["district_officer", "head", "class_teacher", "pupil", "parent"])
def test_what_lies_elsewhere_does_not_exist(sign_in: Callable[..., Page], abroad: dict[str, list[str]], role: str) -> None:
    page = sign_in(role)
    everything = [path for paths in abroad.values() for path in paths]
    everything += files_of([*abroad["reports"], *abroad["pupils"]])
    answers = {path: status_of(page, path) for path in everything}
    assert {path: status for path, status in answers.items() if status != 404} == {}


def test_a_class_teacher_reads_the_class_and_its_pupils(sign_in: Callable[..., Page], site: Site) -> None:
    page = sign_in("class_teacher")
    page.get_by_role("link", name=REPORT).first.click()
    expect(page.locator("h1")).to_contain_text(site.accounts["class_teacher"]["place"])
    pupils = [path for path in paths_in(page, "/reports/") if "/pupils/" in path]
    assert len(pupils) >= 10
    assert {status_of(page, path) for path in pupils[:3]} == {200}
    crumbs = page.locator(".crumbs li")
    assert crumbs.locator("a").count() < crumbs.count() - 1, "units above the class must not be links for its teacher"


@pytest.mark.parametrize("role", ["pupil", "parent"])
def test_a_family_reads_one_report_without_rank(sign_in: Callable[..., Page], site: Site, role: str) -> None:
    page = sign_in(role)
    child = site.accounts["pupil"]["name"]
    page.get_by_role("link", name=REPORT).first.click()
    expect(page.locator("h1")).to_have_text(f"{child}的学习报告")
    words = page.locator("main").inner_text()
    assert "名次" in words, "the page says itself that it does not rank"
    assert not re.search(r"第 ?\d+ ?名|排名第", words)
    expect(page.get_by_role("heading", name="做得好的地方")).to_be_visible()
    expect(page.get_by_role("heading", name="下一步")).to_be_visible()


def test_a_pupil_cannot_open_a_classmate(sign_in: Callable[..., Page], site: Site) -> None:
    teacher = sign_in("class_teacher")
    teacher.get_by_role("link", name=REPORT).first.click()
    own = site.accounts["pupil"]["name"]
    rows = teacher.locator("table:has(a[href*='/pupils/']) a")
    others = [rows.nth(place).get_attribute("href") for place in range(rows.count()) if rows.nth(place).inner_text() != own]
    page = sign_in("pupil")
    assert {status_of(page, path or "") for path in others[:3]} == {404}
    class_report = "/" + teacher.url.split("/", 3)[3]
    assert status_of(page, class_report) == 404


def test_a_stranger_is_led_to_the_door(sign_in: Callable[..., Page], site: Site, abroad: dict[str, list[str]]) -> None:
    page = sign_in("pupil")
    page.context.clear_cookies()
    for path in ["/", abroad["reports"][0], abroad["people"][0]]:
        page.goto(path)
        assert "/sign-in/" in page.url
