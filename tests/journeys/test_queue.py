"""A crowd at the door: whoever must wait sees place and time, stays on the page, and is let in by itself."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from shuren.identity.turnstile import Turnstile
from shuren.identity.views import sign_in
from tests.cast import PASSWORD, Cast, build_cast
from tests.journeys.conftest import serious_faults

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
AHEAD = 200


@pytest.fixture
def people(transactional_db: None) -> Cast:
    return build_cast()


class Clock:
    now = 5_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The time of a door at which somebody is coming in and two hundred wait."""
    clock = Clock()
    turnstile = Turnstile(1, clock)
    monkeypatch.setattr(sign_in, "turnstile", turnstile)
    with turnstile.passage():
        for _one in range(AHEAD):
            turnstile.peek()
        yield clock


def test_who_waits_is_told_and_comes_in_in_turn(people: Cast, windows: Callable[[], Page], clock: Clock) -> None:
    page = windows()
    page.goto("/sign-in/")
    page.fill("input[name=username]", people.username("parent"))
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    expect(page.get_by_text(re.compile(r"您排在第 \d+ 位，大约还要等 \d+ 秒"))).to_be_visible()
    expect(page.get_by_role("button", name="登录", exact=True)).to_be_disabled()
    assert serious_faults(page) == []
    clock.now += 15
    page.wait_for_url(lambda url: "/sign-in/" not in url, timeout=60_000)
    expect(page.locator(".account > summary")).to_be_visible()
