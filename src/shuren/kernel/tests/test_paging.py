from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.kernel import paging
from shuren.kernel.models import Event
from shuren.kernel.paging import Page, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def events() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    Event.objects.bulk_create([Event(name=f"e{number:03}", published_at=at) for number in range(45)])


def page(number: int, size: int = 20, total: int | None = None) -> Page[str]:
    return page_of(Event.objects.order_by("name"), lambda event: event.name, number=number, size=size, total=total)


@pytest.mark.usefixtures("events")
class TestPageOf:
    def test_pages_cut_the_list_without_gap_or_overlap(self) -> None:
        names = [name for number in (1, 2, 3) for name in page(number).rows]
        assert names == [f"e{number:03}" for number in range(45)]
        assert (page(1).total, page(1).is_exact, page(1).last, page(1).has_next) == (45, True, 3, True)
        assert (page(3).first_row, page(3).has_next) == (41, False)

    @pytest.mark.parametrize("number", [4, 99, 10**9])
    def test_past_the_end_lies_the_last_page(self, number: int) -> None:
        assert page(number).rows == page(3).rows

    @pytest.mark.parametrize("number", [0, -5])
    def test_before_the_start_lies_the_first_page(self, number: int) -> None:
        assert page(number).rows == page(1).rows

    @pytest.mark.parametrize(("asked", "given"), [(0, 1), (-1, 1), (10_000, 200), (50, 50)])
    def test_the_size_has_bounds(self, asked: int, given: int) -> None:
        assert page(1, size=asked).size == given

    def test_a_kept_total_saves_the_count(self, django_assert_num_queries: pytest.FixtureRequest) -> None:
        with django_assert_num_queries(1):
            assert page(2, total=45).last == 3

    def test_counting_stops_at_the_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(paging, "EXACT_COUNT_LIMIT", 30)
        far = page(3)
        assert (far.is_exact, far.rows[0], far.total) == (False, "e040", 45)
        assert (page(1).is_exact, page(1).total) == (False, 31)


def test_an_empty_list_has_one_empty_page() -> None:
    empty = page(1)
    assert (empty.rows, empty.total, empty.last, empty.first_row, empty.has_next) == ([], 0, 1, 0, False)


@given(total=st.integers(0, 10_000), size=st.integers(1, 200))
def test_the_last_page_holds_the_last_row(total: int, size: int) -> None:
    last = Page(rows=[], total=total, is_exact=True, number=1, size=size).last
    assert (last - 1) * size <= max(0, total - 1) < last * size
