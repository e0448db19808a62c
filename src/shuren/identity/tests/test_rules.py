from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.identity.rules import locks
from shuren.identity.rules import passwords as password_rules
from shuren.identity.rules.passwords import Owner

ZHANG = Owner(
    names=("张三", "zhangsan", "sanzhang"),
    numbers=("20260000000011", "g510104201605040001", "13000000001", "zhang@example.org"),
    birth_date=date(2016, 5, 4),
)


@pytest.mark.parametrize(
    "password",
    [
        "kavu-mite-tane-4827",
        "Wenhua7lu",
        "correct horse battery staple",
        "天天向上爬山去海边",
        "xiaoyu&mao99",
        "R7#pLq2v",
    ],
)
def test_good_passwords(password: str) -> None:
    assert password_rules.password_refusals(password, owner=ZHANG) == []


@pytest.mark.parametrize(
    "password",
    [
        "",
        "a1b2c3",
        "x" * 129,
        "abcdefgh",
        "12345678",
        "password1",
        "a123456789",
        "woaini1314",
        "qwerty123456",
        "aaaa1111",
        "11112222",
        "qwer1234",
        "zhangsan123",
        "Zhangsan2016",
        "张三的密码123",
        "abc20160504",
        "m160504mm",
        "2016-05-04x",
        "20260000000011",
        "x13000000001",
        "g510104201605040001",
    ],
)
def test_bad_passwords(password: str) -> None:
    assert password_rules.password_refusals(password, owner=ZHANG)


def test_every_reason_is_said_at_once() -> None:
    assert len(password_rules.password_refusals("123", owner=Owner())) >= 3


@given(st.integers())
def test_first_passwords_are_good_and_readable(seed: int) -> None:
    password = password_rules.initial_password(Random(seed))
    assert password_rules.password_refusals(password, owner=ZHANG) == []
    assert not set(password) & set("l1oO0Iq")


def test_first_passwords_differ() -> None:
    random = Random(1)
    assert len({password_rules.initial_password(random) for _turn in range(2_000)}) == 2_000


@given(st.text(max_size=200))
def test_no_password_breaks_the_rules(password: str) -> None:
    assert isinstance(password_rules.password_refusals(password, owner=ZHANG), list)


WAITS = [(0, 0), (1, 0), (4, 0), (5, 1), (6, 0), (10, 2), (15, 4), (20, 8), (25, 15), (500, 15)]


@pytest.mark.parametrize(("count", "minutes"), WAITS)
def test_every_fifth_failure_locks(count: int, minutes: int) -> None:
    now = datetime(2026, 10, 12, tzinfo=UTC)
    until = locks.locked_until(failed_count=count, now=now)
    assert until == (now + timedelta(minutes=minutes) if minutes else None)


def test_names_are_compared_without_case_and_spaces() -> None:
    assert locks.sign_in_name("  Zhang.San ") == "zhang.san"
