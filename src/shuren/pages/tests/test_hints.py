"""Hints of a first visit: three at most, put away once and for all, by each account for itself."""

from datetime import UTC, datetime

import pytest

from shuren.pages.models import ReadHint
from shuren.pages.rules.hints import MOST_SHOWN, hints_left, hints_of
from shuren.pages.selectors import unread_hints
from shuren.pages.services.hints import put_hints_away
from shuren.pages.tests.test_saved_views import OTHER, OWN, asked, text
from shuren.pages.views import hints

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
PLACES = ("home", "list", "report")


@pytest.mark.parametrize("place", PLACES)
def test_a_page_hints_at_three_things_at_most(place: str) -> None:
    left = hints_left(place, ())
    assert 1 <= len(left) <= MOST_SHOWN
    assert all(hint.key.startswith(f"{place}.") and hint.text for hint in left)
    assert len({hint.key for hint in hints_of(place)}) == len(hints_of(place))
    assert hints_left(place, {left[0].key}) == hints_of(place)[1:]


def test_other_places_have_none() -> None:
    assert hints_of("elsewhere") == ()


@pytest.mark.django_db
class TestHints:
    def test_they_are_put_away_for_ever_by_one_account(self) -> None:
        assert len(unread_hints(OWN, "list")) == 3
        for _time in range(2):
            put_hints_away(account_id=OWN, place="list", now=NOW)
        assert unread_hints(OWN, "list") == ()
        assert unread_hints(OWN, "home") != ()
        assert unread_hints(OTHER, "list") != ()
        assert ReadHint.objects.count() == 3

    def test_the_page_asks_and_is_told_when_nothing_is_left(self) -> None:
        assert "知道了" in text(hints.hints(asked("GET", "/hints/?place=home")))
        answer = hints.put_away(asked("POST", "/hints/put-away/", {"place": "home"}, part=True))
        assert (answer.status_code, text(answer)) == (200, "")
        assert hints.hints(asked("GET", "/hints/?place=home")).status_code == 204
        assert hints.hints(asked("GET", "/hints/?place=home", by=OTHER)).status_code == 200
        assert hints.hints(asked("GET", "/hints/")).status_code == 204

    def test_without_script_one_comes_back_to_the_page(self) -> None:
        request = asked("POST", "/hints/put-away/", {"place": "list"})
        request.META["HTTP_REFERER"] = "http://testserver/people/"
        assert hints.put_away(request).headers["Location"] == "http://testserver/people/"
        request.META["HTTP_REFERER"] = "https://elsewhere.example/"
        del request.headers
        assert hints.put_away(request).headers["Location"] == "/"
