"""A vendor from the first form to the first launch, and the officer, the school and the pupil on the way."""

import re
import secrets
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from shuren.interop.tests.conftest import VendorServer, png, server
from shuren.standards.api import load_registry
from shuren.work import api as work
from tests.cast import Cast, build_cast
from tests.journeys.conftest import signed_in

__all__ = ["server"]
pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
OWN_PASSWORD = "mira-toke-vasu-9135"
CODE = "123456"


@pytest.fixture
def people(transactional_db: None) -> Cast:
    load_registry()
    return build_cast()


def test_from_registration_to_the_first_launch(
    people: Cast,
    windows: Any,
    server: VendorServer,
    live_server: Any,
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(secrets, "randbelow", lambda _limit: int(CODE))
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    vendor = windows()
    address = apply(vendor)
    approve_vendor(signed_in(windows(), people.username("city_officer")))
    username, password = receive_account(vendor, address)
    begin(vendor, username, password)
    app = enter_app(vendor, server, tmp_path)
    server.control(key=make_key(vendor, app))
    try_app(vendor, app)
    submit(vendor, app)
    approve_app(signed_in(windows(), people.username("city_officer")))
    server.control(client_id=vendor_client(vendor, app))
    choose(signed_in(windows(), people.username("school_admin")))
    launch(signed_in(windows(), people.username("pupil")), server)


def launch(page: Page, server: VendorServer) -> None:
    """The pupil opens the app and is signed in there, by the app's own check of state and answer."""
    page.goto("/apps/")
    opening = page.locator(".due a.btn-primary")
    expect(opening).to_have_count(1)
    page.goto(str(opening.get_attribute("href")))
    page.get_by_role("button", name="同意", exact=True).click()
    page.wait_for_url(re.compile(f"{re.escape(server.url)}/callback"))
    expect(page.locator("body")).to_have_text("welcome")


def apply(page: Page) -> str:
    page.goto("/vendors/register/")
    page.fill("input[name=name]", "临江智学科技有限公司")
    page.fill("input[name=credit_code]", "91440101MA5CUXKJ8X")
    page.fill("input[name=contact_name]", "褚云")
    page.fill("input[name=email]", "dev@example.cn")
    page.select_option("select[name=org]", label="临江市")
    page.click("main button[type=submit]")
    page.wait_for_url(re.compile("/vendors/registrations/"))
    page.fill("input[name=code]", CODE)
    page.get_by_role("button", name="核实").click()
    expect(page.locator("input[name=code]")).to_have_count(0)
    return page.url


def approve_vendor(page: Page) -> None:
    page.goto("/app-review/vendors/")
    page.click("main td a")
    page.check("input[name=decision][value=approve]")
    page.click("main form.form-page button[type=submit]")
    page.wait_for_url(re.compile("/app-review/vendors/$"))


def receive_account(page: Page, address: str) -> tuple[str, str]:
    page.goto(address)
    page.get_by_role("button", name="领取账号").click()
    username, password = page.locator("[data-username]").inner_text(), page.locator("[data-password]").inner_text()
    page.goto(address)
    expect(page.get_by_role("button", name="领取账号")).to_have_count(0)
    return username, password


def begin(page: Page, username: str, password: str) -> None:
    """The first password must be changed before anything else opens."""
    signed_in(page, username, password)
    page.goto("/account/password/")
    for field in page.locator("main input[type=password]").all():
        if field.get_attribute("name") not in ("old", "current"):
            field.fill(OWN_PASSWORD)
        else:
            field.fill(password)
    page.click("main form.form-page button[type=submit], main form button.btn-primary")
    page.goto("/developer/")
    expect(page.locator("h1")).to_contain_text("我的应用")


def enter_app(page: Page, server: VendorServer, folder: Path) -> str:
    icon = folder / "icon.png"
    icon.write_bytes(png())
    page.goto("/developer/apps/new/")
    facts = {
        "name": "作业小助手",
        "name_en": "Homework helper",
        "description": "布置、提交和批改作业。",
        "description_en": "Sets, collects and marks homework.",
        "launch_url": f"{server.url}/start",
        "redirect_uris": f"{server.url}/callback",
        "logout_url": f"{server.url}/logout",
        "webhook_url": f"{server.url}/hook",
        "privacy_url": f"{server.url}/privacy",
        "privacy_text": "只用来布置和批改作业，不给别人，学期结束后三十天内删除。",
        "person.name-reason": "在作业本上显示姓名",
    }
    for name, text in facts.items():
        page.fill(f"main [name='{name}']", text)
    page.select_option("[name='person.name-purpose']", "teaching")
    page.set_input_files("input[name=icon]", str(icon))
    page.click("main form.form-page button[type=submit]")
    page.wait_for_url(re.compile(r"/developer/apps/[0-9a-z]{13}/$"))
    return page.url


def make_key(page: Page, app: str) -> str:
    page.goto(f"{app}messages/")
    page.locator("form[action$='/key/'] button").first.click()
    confirm(page)
    return page.locator("[data-secret]").inner_text()


def confirm(page: Page) -> None:
    """Where the page asks once more in a dialog of its own, say yes."""
    dialog = page.locator("dialog[open] button.btn-primary, dialog[open] button.is-danger")
    if dialog.count():
        dialog.first.click()
    page.wait_for_selector("[data-secret]")


def try_app(page: Page, app: str) -> None:
    page.goto(f"{app}conformity/")
    page.get_by_role("button", name="开始测试").click()
    work.run_pending()
    page.goto(f"{app}conformity/")
    expect(page.locator(".lead")).to_contain_text("全部通过")


def submit(page: Page, app: str) -> None:
    page.goto(f"{app}submit/")
    page.select_option("select[name=org]", label="临江市")
    page.click("main form.form-page button[type=submit]")
    page.wait_for_url(app)


def approve_app(page: Page) -> None:
    page.goto("/app-review/")
    page.click("main td a")
    page.check("input[name=decision][value=approve]")
    page.click("main form.form-page button[type=submit]")
    page.wait_for_url(re.compile("/app-review/$"))


def vendor_client(page: Page, app: str) -> str:
    page.goto(app)
    return page.locator("section[aria-labelledby=clients-title] code").last.inner_text()


def choose(page: Page) -> None:
    page.goto("/apps/choose/")
    page.click("main td a")
    page.check("input[name=has_read_data]")
    page.click("main form.form-page button[type=submit]")
    page.wait_for_url(re.compile(r"/apps/choose/[0-9a-z]{13}/$"))
    expect(page.locator("main td", has_text="已选用")).to_have_count(1)
