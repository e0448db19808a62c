"""A mother agrees, sees who was told and takes it back; an officer's emergency, its trace and its review."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from shuren.directory import api as directory
from shuren.directory.data import DisclosedPerson, NewConsentText, Withheld
from shuren.kernel import clock
from shuren.standards.api import load_registry
from tests.cast import Cast, build_cast
from tests.journeys.conftest import signed_in

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
APP, PURPOSE, ELEMENTS = "app:7", "homework", ("person.name", "person.birth_date")
REASON = "校外活动受伤，需要马上联系家长"


@pytest.fixture
def people(transactional_db: None, settings: Any) -> Cast:
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    load_registry()
    return build_cast()


def told(people: Cast) -> DisclosedPerson:
    child = people.people["pupil"].id
    return directory.disclosed_people(person_ids=[child], elements=ELEMENTS, purpose=PURPOSE, recipient=APP, now=clock.now())[
        child
    ]


def test_a_guardian_agrees_looks_and_takes_it_back(people: Cast, windows: Any) -> None:
    text = NewConsentText(
        org_id=people.orgs["school"].id,
        purpose=PURPOSE,
        recipient=APP,
        recipient_name="作业盒",
        elements=ELEMENTS,
        title_zh="使用作业盒",
        body_zh="老师用它布置作业。",
    )
    directory.publish_consent_text(actor=people.actor("head"), text=text, now=clock.now())
    page = signed_in(windows(), people.username("parent"))
    page.goto("/consents/")
    child = page.locator("main section").filter(has=page.get_by_role("heading", name=people.people["pupil"].name))
    expect(child.get_by_role("button", name="拒绝")).to_have_count(1)
    child.get_by_role("button", name="同意", exact=True).click()
    expect(child.get_by_role("button", name="撤回同意")).to_have_count(1)
    assert told(people).values["person.birth_date"] == "2016-05-04"
    page.goto(f"/people/{people.people['pupil'].public_id}/seen-by/")
    expect(page.locator("main")).to_contain_text("出生日期、姓名")
    page.goto("/consents/")
    child.get_by_role("button", name="撤回同意").click()
    expect(child.get_by_role("button", name="撤回同意")).to_have_count(0)
    after = told(people)
    assert "person.birth_date" not in after.values
    assert after.withheld["person.birth_date"] is Withheld.WITHDRAWN


def test_an_emergency_leaves_a_trace_and_is_looked_into(people: Cast, windows: Any) -> None:
    child = people.people["far_pupil"]
    officer = signed_in(windows(), people.username("city_officer"))
    assert officer.goto(f"/people/{child.public_id}/").status == 404  # type: ignore[union-attr]
    officer.goto("/break-glass/open/")
    officer.fill("input[name=number]", child.number)
    officer.fill("input[name=reason]", REASON)
    officer.select_option("select[name=hours]", "1")
    officer.click("main button[type=submit]")
    officer.wait_for_url(lambda url: "/open/" not in url)
    assert officer.goto(f"/people/{child.public_id}/").status == 200  # type: ignore[union-attr]
    guardian = signed_in(windows(), people.username("far_parent"))
    guardian.goto(f"/people/{child.public_id}/seen-by/")
    expect(guardian.locator("main")).to_contain_text(people.people["city_officer"].name)
    review(signed_in(windows(), people.username("security_admin")), child.name)
    officer.goto("/break-glass/")
    expect(officer.locator("main")).to_contain_text(people.people["city_officer"].name)


def review(page: Page, name: str) -> None:
    page.goto("/break-glass/")
    page.click("main td a")
    expect(page.locator("main")).to_contain_text(REASON)
    expect(page.locator("main table")).to_contain_text(name)
    page.check("input[name=verdict][value=yes]")
    page.fill("[name=finding]", "情况属实，已联系家长。")
    page.get_by_role("button", name=re.compile("复核")).last.click()
    expect(page.locator("input[name=verdict]")).to_have_count(0)
