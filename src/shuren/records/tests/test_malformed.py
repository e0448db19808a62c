"""Damaged requests: each is refused in words or kept whole; nothing crashes, and no list is kept in part.

`SHUREN_FUZZ_STATEMENTS` is the number of statements (10,000 in `make soak`, a seeded part of it otherwise).
"""

import json
import os
from collections import Counter
from contextlib import suppress
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from shuren.records.models import Mention, Statement, StatementKey
from shuren.records.rules.multipart import mixed
from shuren.records.tests.lrs_client import NEW, OLD, LrsClient, new_client
from shuren.records.tests.sample_statements import small, whole

SEED = 20261130
COUNT = int(os.environ.get("SHUREN_FUZZ_STATEMENTS", "160"))
ODD: tuple[Any, ...] = (
    *(None, True, -1, 1e308, 10**30, "", " ", "\x00", "\ud800", "mailto:", "mailto:a@b@c", "https:", "urn:", "::", "\u202e"),
    *("2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "P1Y1W", "zh-a-b-a-c", "2.0.0", "1.1.0"),
    *([], {}, [[]], [None], {"": ""}, {"https://e.cn/": None}, {"objectType": "Group"}, {"objectType": "SubStatement"}),
    *({"objectType": "Agent", "mbox": ["mailto:a@e.cn"]}, {"mbox": "mailto:a@e.cn", "openid": "https://e.cn"}, "x" * 70_000),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, one in pairs for found in ((*path, key), *places(one, (*path, key)))]


def damaged(random: Random) -> Any:
    """A statement with one to three places in it broken."""
    statement = deepcopy(whole() if random.random() < 0.7 else small(object=small(objectType="SubStatement")))
    for path in random.sample(places(statement), random.randint(1, 3)):
        holder: Any = statement
        with suppress(KeyError, IndexError, TypeError):  # the place before it is gone
            for step in path[:-1]:
                holder = holder[step]
            spoil(random, holder, path)
    return statement


def spoil(random: Random, holder: Any, path: tuple[Any, ...]) -> None:
    way = random.randrange(4)
    if way == 0:
        del holder[path[-1]]
    elif way == 1 and isinstance(holder, dict):
        holder[random.choice((str(path[-1]).upper(), f"{path[-1]} ", "\x00", "中"))] = holder.pop(path[-1])
    elif way == 2:
        holder[path[-1]] = nested(random)
    else:
        holder[path[-1]] = deepcopy(random.choice(ODD))


def nested(random: Random) -> Any:
    found: Any = random.choice((0, "a"))
    for _level in range(random.choice((1, 90, 120, 300, 600))):
        found = [found] if random.random() < 0.5 else {"https://e.cn/a": found}
    return found


def body_of(random: Random, statement: Any) -> tuple[bytes, str]:
    """The request around it, damaged as well at times."""
    text = json.dumps(statement if random.random() < 0.8 else [small(), statement]).encode()
    kind = "application/json"
    if random.random() < 0.15:
        text, kind = mixed("edge", text, [("0" * 64, "text/plain", b"x")] * random.randrange(2)), "multipart/mixed; boundary=edge"
    if random.random() < 0.15:
        cut = random.randrange(len(text))
        text = text[:cut] + bytes(random.randrange(256) for _byte in range(random.randrange(4))) + text[cut + 1 :]
    if random.random() < 0.05:
        kind = random.choice(("text/plain", "", "application/json; charset=\x7f", "multipart/mixed; boundary="))
    return text, kind


def test_damaged_statements_never_break_the_service(db: None) -> None:
    random, ends = Random(SEED), Counter[int]()
    clients = [new_client(version=OLD), new_client(version=NEW)]
    for number in range(COUNT):
        statement = damaged(random)
        text, kind = body_of(random, statement)
        response = clients[number % 2].call("POST", "statements", body=text, content_type=kind)
        ends[response.status_code] += 1
        assert response.status_code in {200, 400, 409}, text
        if response.status_code == 400:
            assert response.json()["error"]["message"]
    assert ends[400] > COUNT * 0.6
    assert StatementKey.objects.count() == Statement.objects.count()
    assert Mention.objects.exclude(seq__in=Statement.objects.values("seq")).count() == 0
    assert_readable(clients[0])


def assert_readable(client: LrsClient) -> None:
    """What was taken is handed out again, in every form."""
    for form in ("exact", "ids", "canonical"):
        response = client.call("GET", "statements", {"format": form})
        assert response.status_code == 200
        assert response.json()["statements"] or not Statement.objects.exists()


@pytest.mark.parametrize("version", [OLD, NEW])
def test_damaged_questions_never_break_the_service(db: None, version: str) -> None:
    random, client = Random(SEED), new_client(version=version)
    names = ("agent", "verb", "activity", "registration", "since", "until", "limit", "ascending", "format", "statementId", "more")
    for _number in range(COUNT // 8):
        odd = [one for one in ODD if isinstance(one, str) and one != "\ud800" and len(one) < 1_000]
        values = (*odd, "{", "[]", '{"mbox":', "9" * 40, '{"mbox":"mailto:a@e.cn"}', "[" * 2_000)
        params = {random.choice(names): random.choice(values) for _turn in range(random.randint(1, 3))}
        assert client.call("GET", "statements", params).status_code in {200, 400, 404}, params
