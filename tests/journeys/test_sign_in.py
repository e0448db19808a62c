"""Coming in without a password: by a passkey, and by a phone that is signed in."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import DESKTOP, PHONE, Site

pytestmark = pytest.mark.journey


def add_authenticator(page: Page) -> None:
    """A platform authenticator with a verified owner, as a laptop with a fingerprint has."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_registered_and_opens_the_door(site: Site, browser: Browser, contexts: list[BrowserContext]) -> None:
    # A passkey belongs to a name: an address of numbers has none.
    url = site.url.replace("127.0.0.1", "localhost")
    context = browser.new_context(viewport=DESKTOP, locale="zh-CN", base_url=url)
    contexts.append(context)
    page = context.new_page()
    add_authenticator(page)
    account = site.accounts["head"]
    page.goto("/sign-in/")
    page.fill("input[name=username]", account["username"])
    page.fill("input[name=password]", account["password"])
    page.click("main form button[type=submit]")
    page.wait_for_url(lambda found: "/sign-in/" not in found)
    page.goto("/account/security/")
    page.fill("input[name=passkey_name]", "教室电脑")
    page.get_by_role("button", name="登记通行密钥").click()
    expect(page.locator("input[name=name]")).to_have_value("教室电脑")
    context.clear_cookies()
    page.goto("/sign-in/?next=/account/")
    page.get_by_role("button", name="用通行密钥").click()
    page.wait_for_url("**/account/")
    expect(page.get_by_role("cell", name="通行密钥").first).to_be_visible()
    page.goto("/account/security/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="删除").first.click()
    expect(page.get_by_text("通行密钥已经删除。")).to_be_visible()


def test_a_phone_lets_a_screen_in(
    site: Site, browser: Browser, contexts: list[BrowserContext], sign_in: Callable[..., Page]
) -> None:
    desk = browser.new_context(viewport=DESKTOP, locale="zh-CN", base_url=site.url)
    contexts.append(desk)
    screen = desk.new_page()
    screen.goto("/sign-in/qr/")
    number = screen.locator(".qr-number").inner_text()
    expect(screen.locator("#qr svg")).to_be_visible()
    phone = sign_in("head", viewport=PHONE)
    phone.goto(_address_in(screen))
    phone.get_by_role("button", name=number, exact=True).click()
    expect(phone.get_by_role("heading", name="已经登录")).to_be_visible()
    screen.wait_for_url(f"{site.url}/")
    screen.goto("/account/")
    expect(screen.get_by_role("cell", name="手机扫码").first).to_be_visible()


def _address_in(screen: Page) -> str:
    """What a camera reads from the code: it stands beside it for those who cannot scan."""
    found = screen.locator("#qr .qr").get_attribute("data-address") or ""
    assert re.search(r"/qr/[\w-]{32}/$", found)
    return found
