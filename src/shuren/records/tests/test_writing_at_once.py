"""Many who write at once: nothing that was acknowledged is lost, nobody overwrites the unseen, no link is missed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from shuren.kernel import clock
from shuren.records.models import Document
from shuren.records.selectors.activities import definitions_of
from shuren.records.services.define_activities import forget_told, keep_definitions
from shuren.records.tests.lrs_client import ACTIVITY, AGENT, OLD, LrsClient, new_client
from shuren.records.tests.sample_statements import about, small, voiding

STATE = {"activityId": ACTIVITY, "agent": AGENT, "stateId": "bookmark"}
WRITERS = 6
pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    if connection.vendor != "postgresql":
        pytest.skip("threads of a test share the one connection of a database in memory")
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_every_merge_is_in_the_document() -> None:
    lrs = new_client("state")

    def writing(number: int) -> Callable[[], list[int]]:
        return lambda: [lrs.call("POST", "activities/state", STATE, {f"{number}-{turn}": turn}).status_code for turn in range(4)]

    assert at_once(*map(writing, range(WRITERS))) == [[204] * 4] * WRITERS
    assert len(lrs.call("GET", "activities/state", STATE).json()) == 4 * WRITERS


def test_a_counter_kept_by_entity_tags_counts_every_acknowledged_step() -> None:
    lrs = new_client("state")
    lrs.call("PUT", "activities/state", STATE, {"count": 0})

    def counting() -> int:
        done = 0
        for _turn in range(6):
            seen = lrs.call("GET", "activities/state", STATE)
            content = {"count": seen.json()["count"] + 1}
            status = lrs.call("PUT", "activities/state", STATE, content, if_match=seen.headers["ETag"]).status_code
            assert status in (204, 412)
            done += status == 204
        return done

    done = sum(at_once(*[counting] * 4))
    assert done >= 6
    assert lrs.call("GET", "activities/state", STATE).json() == {"count": done}


def test_of_many_first_writers_one_wins() -> None:
    lrs = new_client("state")

    def writing(number: int) -> Callable[[], int]:
        return lambda: lrs.call("PUT", "activities/state", STATE, {"who": number}, if_none_match="*").status_code

    assert sorted(at_once(*map(writing, range(WRITERS)))) == [204] + [412] * (WRITERS - 1)
    assert Document.objects.count() == 1


def test_definitions_told_at_once_are_all_kept() -> None:
    forget_told()
    iris = [f"{ACTIVITY}/{number}" for number in range(20)]

    def telling(language: str) -> Callable[[], int]:
        told = {iri: {"name": {language: language}} for iri in (iris if language < "c" else reversed(iris))}
        return lambda: keep_definitions(told, now=clock.now())

    at_once(*map(telling, ("a", "b", "c", "d")))
    assert all(found["name"] == {one: one for one in "abcd"} for found in definitions_of(iris).values())
    assert len(definitions_of(iris)) == 20


def test_a_definition_told_again_asks_nothing_of_the_database(django_assert_num_queries: Any) -> None:
    forget_told()
    told = {ACTIVITY: {"name": {"zh": "分数"}, "type": "http://adlnet.gov/expapi/activities/lesson"}}
    assert keep_definitions(told, now=clock.now()) == 1
    with django_assert_num_queries(0):
        assert keep_definitions(told, now=clock.now()) == 0


def test_a_definition_that_was_rolled_back_is_told_again() -> None:
    forget_told()
    told = {ACTIVITY: {"name": {"zh": "分数"}}}
    with transaction.atomic():
        keep_definitions(told, now=clock.now())
        transaction.set_rollback(True)
    assert keep_definitions(told, now=clock.now()) == 1


def posting(lrs: LrsClient, statement: dict[str, Any]) -> Callable[[], int]:
    return lambda: int(lrs.call("POST", "statements", body=statement).status_code)


def test_a_statement_that_comes_with_the_one_that_voids_it_is_voided() -> None:
    lrs = new_client("all", version=OLD)
    for _turn in range(8):
        told = small(id=str(uuid4()))
        assert at_once(posting(lrs, told), posting(lrs, voiding(told["id"]))) == [200, 200]
        assert lrs.call("GET", "statements", {"statementId": told["id"]}).status_code == 404
        assert lrs.call("GET", "statements", {"voidedStatementId": told["id"]}).json()["id"] == told["id"]


def test_of_statements_that_speak_of_each_other_at_once_no_link_is_missed() -> None:
    lrs = new_client("all", version=OLD)
    first = small(id=str(uuid4()), verb={"id": "https://example.org/verbs/built"})
    second = about(first["id"], id=str(uuid4()))
    third = about(second["id"], id=str(uuid4()))
    assert at_once(*(posting(lrs, one) for one in (first, second, third))) == [200, 200, 200]
    found = lrs.call("GET", "statements", {"verb": "https://example.org/verbs/built"}).json()["statements"]
    assert {one["id"] for one in found} == {first["id"], second["id"], third["id"]}
