"""Lists as people keep them: a view saved, found again, handed on and thrown away; hints read once."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PHONE, overflow, serious_faults

pytestmark = pytest.mark.journey
NAME = "在读学生，倒序"


def open_views(page: Page) -> None:
    page.locator(".list-tools summary", has_text="视图").click()
    expect(page.locator(".menu-form").last).to_be_visible()


def test_a_view_is_saved_found_handed_on_and_deleted(sign_in: Callable[..., Page]) -> None:
    page = sign_in("city_officer")
    page.goto("/people/?role=pupil&sort=-name&page=2")
    everybody = page.locator("h1 .count").inner_text()
    open_views(page)
    page.get_by_label("把现在的样子存为").fill(NAME)
    page.get_by_role("button", name="保存视图").click()
    expect(page.locator(".saved-view a")).to_have_attribute("aria-current", "true")
    assert serious_faults(page) == []

    page.goto("/people/")
    open_views(page)
    expect(page.locator(".saved-view a[aria-current]")).to_have_count(0)
    page.locator(".saved-view a", has_text=NAME).click()
    page.wait_for_url(re.compile(r"/people/\?role=pupil&sort=-name$"))
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("姓名")

    page.goto("/views/")
    link = page.locator("[data-copy]").get_attribute("data-copy") or ""
    assert serious_faults(page) == []
    other = sign_in("district_officer")
    other.goto(link)
    assert 0 < count_of(other) < int(everybody.replace(",", "")), "a link shows others what is theirs to see"
    open_views(other)
    expect(other.locator(".saved-view")).to_have_count(0)

    page.get_by_role("button", name="删除").click()
    expect(page.get_by_text(f"已删除视图“{NAME}”")).to_be_visible()
    page.get_by_role("button", name="撤销").click()
    page.wait_for_url(re.compile(r"/people/\?role=pupil"))
    open_views(page)
    page.get_by_role("button", name=f"删除视图“{NAME}”").click()
    expect(page.locator(".saved-view")).to_have_count(0)


def count_of(page: Page) -> int:
    return int(page.locator("h1 .count").inner_text().replace(",", ""))


def test_the_views_of_a_list_fit_a_phone(sign_in: Callable[..., Page]) -> None:
    page = sign_in("city_officer", viewport=PHONE)
    page.goto("/people/")
    open_views(page)
    box = page.locator(".menu[open] .menu-panel").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert overflow(page) <= 0


def test_hints_are_read_once(sign_in: Callable[..., Page]) -> None:
    page = sign_in("security_admin")
    page.goto("/orgs/")
    hints = page.get_by_role("region", name="第一次来这里")
    expect(hints).to_be_visible()
    assert serious_faults(page) == []
    hints.get_by_role("button", name="知道了").click()
    expect(hints).to_have_count(0)
    again = sign_in("security_admin")
    with again.expect_response(re.compile("place=list")) as asked:
        again.goto("/orgs/")
    assert asked.value.status == 204
    expect(again.get_by_role("region", name="第一次来这里")).to_have_count(0)
    other = sign_in("audit_admin")
    other.goto("/orgs/")
    expect(other.get_by_role("region", name="第一次来这里")).to_be_visible()
