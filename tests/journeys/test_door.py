"""The door: wrong passwords, the lock, the way out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Site, fill_in_door, serious_faults

pytestmark = pytest.mark.journey


def test_a_wrong_password_says_so_and_the_fifth_locks(browser: Browser, site: Site) -> None:
    page = browser.new_context(locale="zh-CN", base_url=site.url).new_page()
    name = site.accounts["vendor"]["username"]
    fill_in_door(page, site, name, "")
    expect(page.locator("main .errors:visible")).to_have_text("请填写密码。")
    for _attempt in range(4):
        fill_in_door(page, site, name, "wrong-wrong-wrong")
        expect(page.get_by_role("alert")).to_contain_text("账号或密码不对")
    assert serious_faults(page) == []
    fill_in_door(page, site, name, "wrong-wrong-wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    fill_in_door(page, site, name, site.accounts["vendor"]["password"])
    expect(page.get_by_role("alert")).to_contain_text("暂停登录")
    page.context.close()


def test_signing_out_ends_the_session(browser: Browser, site: Site) -> None:
    page = browser.new_context(locale="zh-CN", base_url=site.url).new_page()
    account = site.accounts["class_teacher"]
    page.goto("/people/")
    fill_in_door(page, site, account["username"], account["password"])
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    cookies = page.context.cookies()
    page.locator(".account > summary").click()
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url(lambda url: "/sign-in/" in url)
    page.context.add_cookies(cookies)
    page.goto("/people/")
    assert "/sign-in/" in page.url
    page.context.close()


def test_the_wanted_page_opens_after_the_door(browser: Browser, site: Site) -> None:
    page = browser.new_context(locale="zh-CN", base_url=site.url).new_page()
    page.goto("/account/")
    page.fill("input[name=username]", site.accounts["head"]["username"])
    page.fill("input[name=password]", site.accounts["head"]["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/")
    page.context.close()


def test_the_language_stays_as_chosen(sign_in: Callable[..., Page]) -> None:
    page = sign_in("head")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto("/orgs/")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
