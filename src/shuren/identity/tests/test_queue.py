"""The queue at the door as a browser meets it."""

import logging
import re
from collections.abc import Iterator

import pytest
from django.test import Client
from tests.crowd import AHEAD, Crowd, crowd_at_the_door

from shuren.identity.models import SignIn
from shuren.identity.tests.conftest import PASSWORD, School


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    with crowd_at_the_door(monkeypatch) as crowd:
        yield crowd


def send(client: Client, ticket: str = "") -> tuple[int, str, str]:
    """The status, the page, and when the browser is to come back."""
    answer = client.post("/sign-in/", {"username": "pupil", "password": PASSWORD, "ticket": ticket})
    return answer.status_code, answer.content.decode(), answer.headers.get("Retry-After", "")


def ticket_in(page: str) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_whoever_must_wait_is_told_place_and_time_and_comes_in_then(school: School, crowd: Crowd) -> None:
    client = Client()
    status, page, retry_after = send(client)
    said = re.search(r"您排在第 (\d+) 位，大约还要等 (\d+) 秒", page)
    assert said is not None
    place, seconds = int(said[1]), int(said[2])
    assert (status, place) == (503, pytest.approx(AHEAD, abs=2))
    assert 1 <= int(retry_after) <= seconds
    assert PASSWORD not in page
    ticket = ticket_in(page)
    crowd.now += seconds / 2
    status, page, _retry = send(client, ticket)
    assert (status, ticket_in(page)) == (503, ticket), "the place is kept by asking again"
    assert SignIn.objects.count() == 0
    crowd.now += seconds / 2 + 1
    crowd.come()
    assert send(client, ticket)[0] == 302
    assert send(Client(), ticket)[0] == 503, "a ticket lets in once"


def test_the_page_may_ask_first_and_loses_no_place(school: School, crowd: Crowd) -> None:
    turn = Client().get("/sign-in/queue/").json()
    assert turn["place"] == pytest.approx(AHEAD, abs=2)
    again = Client().get("/sign-in/queue/", {"ticket": turn["ticket"]}).json()
    assert again == turn
    assert 0 < turn["again"] <= turn["seconds"]
    crowd.come()
    later = Client().get("/sign-in/queue/").json()
    assert later["seconds"] > turn["seconds"]


def test_waiting_is_no_fault_that_fills_the_log(school: School, crowd: Crowd, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert send(Client())[0] == 503
    assert [record.getMessage() for record in caplog.records] == []
