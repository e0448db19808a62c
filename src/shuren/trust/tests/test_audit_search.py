import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shuren.kernel.models import AuditEntry
from shuren.trust import api
from shuren.trust.data import AuditSearch
from shuren.trust.selectors.audit import next_prefix, read_cursor

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
NAMES = ["王芳", "王小明", "李强", "system", "Wang", "王"]
ACTIONS = ["identity.signed_in", "identity.signed_out", "directory.roster_applied", "directoryx.other", "front.audit_exported"]


@pytest.fixture
def trail() -> list[AuditEntry]:
    rng = random.Random(7)  # which entries there are needs no secrecy
    AuditEntry.objects.bulk_create(
        AuditEntry(
            at=NOW + timedelta(seconds=rng.randrange(200)),
            actor_name=rng.choice(NAMES),
            action=rng.choice(ACTIONS),
            target=f"person:{rng.randrange(5)}",
        )
        for _number in range(600)
    )
    return sorted(AuditEntry.objects.all(), key=lambda row: (row.at, row.pk), reverse=True)


def fits(row: AuditEntry, search: AuditSearch) -> bool:
    return (
        (row.action in search.actions if search.actions else row.action.startswith(search.action))
        and row.actor_name.startswith(search.actor_name)
        and search.target in ("", row.target)
        and (search.since is None or row.at >= search.since)
        and (search.until is None or row.at <= search.until)
    )


SEARCHES = [
    AuditSearch(),
    AuditSearch(action="directory."),
    AuditSearch(action="identity.signed_in"),
    AuditSearch(actor_name="王"),
    AuditSearch(actor_name="王小明", action="identity."),
    AuditSearch(target="person:3"),
    AuditSearch(target="person:3", actor_name="王", action="identity."),
    AuditSearch(action="d", since=NOW + timedelta(seconds=50), until=NOW + timedelta(seconds=120)),
    AuditSearch(actor_name="nobody"),
    AuditSearch(actions=("identity.signed_in", "front.audit_exported", "never.done")),
    AuditSearch(actions=("identity.signed_out", "directoryx.other"), actor_name="王"),
    AuditSearch(actions=("identity.signed_out",), target="person:3"),
]


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("size", [7, 50])
def test_turning_pages_finds_what_a_full_look_finds(trail: list[AuditEntry], search: AuditSearch, size: int) -> None:
    found, before = [], ""
    while True:
        page = api.audit_page(search, before=before, size=size)
        found += page.rows
        before = page.next_cursor
        if not before:
            break
        assert len(page.rows) == size
    wanted = [row for row in trail if fits(row, search)]
    assert [row.pk for row in found] == [row.pk for row in wanted]
    assert [row.pk for row in api.audit_stream(search)] == [row.pk for row in wanted]


def test_a_page_asks_as_much_whatever_lies_before_it(trail: list[AuditEntry]) -> None:
    counts = []
    before = ""
    for _page in range(3):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            before = api.audit_page(AuditSearch(actor_name="王"), before=before, size=20).next_cursor
        counts.append(len(asked))
    assert counts[0] == counts[1] == counts[2]


def test_the_number_of_values_costs_no_questions_where_questions_travel(trail: list[AuditEntry]) -> None:
    with CaptureQueriesContext(connection) as asked:
        page = api.audit_page(AuditSearch(actor_name="王"), size=20)
    assert len({row.actor_name for row in page.rows}) == 3
    is_one = connection.features.supports_slicing_ordering_in_compound
    assert len(asked) == (3 if is_one else 5)


@pytest.mark.parametrize("cursor", ["", "x", "2026_1", "2026-01-01T00:00:00_5", "_", "2026-01-01T00:00:00+00:00_x", "9" * 300])
def test_a_cursor_that_cannot_be_read_begins_anew(cursor: str) -> None:
    assert read_cursor(cursor) is None


def test_the_next_prefix_is_above_all_that_begin_so() -> None:
    assert next_prefix("a") == "b"
    assert next_prefix("王") > "王" + "\U0010ffff"
    assert next_prefix("\ud7ff") == "\ue000"
