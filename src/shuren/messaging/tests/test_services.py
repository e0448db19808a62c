from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from shuren.kernel import ids
from shuren.kernel.errors import NotFound
from shuren.messaging.api import access_notice, mark_read, notices_of, notify, unread_count
from shuren.messaging.models import Notice

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 12, 1, 0, tzinfo=UTC)


def tell(person_ids: list[int], title: str = "名册已写入", *, minutes: int = 0, **more: str) -> None:
    notify(person_ids=person_ids, title=title, now=NOW + timedelta(minutes=minutes), **more)


def test_everybody_named_gets_one() -> None:
    tell([1, 2, 2], body="全部写入", url="/imports/")
    assert [(notice.title, notice.body, notice.url, notice.at) for notice in notices_of(1).rows] == [
        ("名册已写入", "全部写入", "/imports/", NOW)
    ]
    assert (notices_of(2).total, notices_of(3).total) == (1, 0)


def test_newest_first_and_only_unread_when_asked() -> None:
    for minutes in range(3):
        tell([1], f"第{minutes}条", minutes=minutes)
    latest = notices_of(1).rows[0]
    assert latest.title == "第2条"
    assert mark_read(person_id=1, notice_ids=[latest.id], now=NOW) == 1
    assert [notice.title for notice in notices_of(1, is_unread=True).rows] == ["第1条", "第0条"]
    assert (unread_count(1), notices_of(1).total) == (2, 3)


def test_one_event_tells_once() -> None:
    tell([1], key="event:7")
    tell([1, 2], key="event:7")
    assert (notices_of(1).total, notices_of(2).total) == (1, 1)
    tell([1], key="event:8")
    assert notices_of(1).total == 2


def test_reading_all() -> None:
    tell([1])
    tell([1, 2])
    assert mark_read(person_id=1, now=NOW) == 2
    assert mark_read(person_id=1, now=NOW) == 0
    assert (unread_count(1), unread_count(2)) == (0, 1)


def test_notices_of_others_do_not_exist() -> None:
    tell([1])
    public_id = ids.encode("notice", Notice.objects.get().pk)
    assert access_notice(person_id=1, id=public_id).title == "名册已写入"
    with pytest.raises(NotFound):
        access_notice(person_id=2, id=public_id)
    assert mark_read(person_id=2, notice_ids=[Notice.objects.get().pk], now=NOW) == 0


def test_long_texts_are_cut_not_refused() -> None:
    tell([1], "长" * 300, body="长" * 900)
    assert (len(notices_of(1).rows[0].title), len(notices_of(1).rows[0].body)) == (120, 500)


def test_the_bell_counts_to_a_hundred_in_one_query(django_assert_num_queries: Any) -> None:
    for minutes in range(120):
        tell([1], minutes=minutes)
    with django_assert_num_queries(1):
        assert unread_count(1) == 100


def test_many_people_cost_few_queries(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(50), transaction.atomic():
        notify(person_ids=range(1, 5_001), title="放假通知", now=NOW)
    assert Notice.objects.count() == 5_000
