"""A crowd at the door: whoever must wait sees place and time, stays on the page, and is let in by itself."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.cast import PASSWORD, Cast, build_cast
from tests.crowd import Crowd, crowd_at_the_door
from tests.journeys.conftest import serious_faults

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(transactional_db: None) -> Cast:
    return build_cast()


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    with crowd_at_the_door(monkeypatch) as crowd:
        yield crowd


def test_who_waits_is_told_and_comes_in_in_turn(people: Cast, windows: Callable[[], Page], crowd: Crowd) -> None:
    page = windows()
    page.goto("/sign-in/")
    page.fill("input[name=username]", people.username("parent"))
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    expect(page.get_by_text(re.compile(r"您排在第 \d+ 位，大约还要等 \d+ 秒"))).to_be_visible()
    expect(page.get_by_role("button", name="登录", exact=True)).to_be_disabled()
    assert serious_faults(page) == []
    crowd.now += 15
    page.wait_for_url(lambda url: "/sign-in/" not in url, timeout=60_000)
    expect(page.locator(".account > summary")).to_be_visible()
