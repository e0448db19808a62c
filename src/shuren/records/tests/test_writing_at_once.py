"""Many who write at once: nothing that was acknowledged is lost, nobody overwrites the unseen, no link is missed."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from unittest.mock import Mock, patch
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, transaction

from shuren.identity import api as identity
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.records.models import Document, Statement
from shuren.records.selectors.activities import definitions_of
from shuren.records.selectors.consistent import WRITING
from shuren.records.services import store_statements
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


def together(*acts: Callable[[], Any]) -> list[Any]:
    """What each act comes to, when all but the first of them are written together."""
    if connection.vendor != "postgresql":
        pytest.skip("threads of a test share the one connection of a database in memory")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [WRITING])
        with ThreadPoolExecutor(1) as first:
            found = first.submit(at_once, *acts)
            while len(store_statements._joint._waiting) < len(acts) - 1 and not found.done():
                time.sleep(0.001)
            cursor.execute("SELECT pg_advisory_unlock(%s)", [WRITING])
            return found.result()


def kept() -> dict[str, str]:
    """The activity of each statement that is there, by its id."""
    return {str(one.statement_id): json.loads(one.body)["object"]["id"] for one in Statement.objects.all()}


def of_its_own(number: int) -> dict[str, Any]:
    return small(id=str(uuid4()), object={"id": f"{ACTIVITY}/{number}"})


def test_who_writes_at_once_is_written_together_and_each_is_told_in_the_audit_trail(audited: Callable[[], list[str]]) -> None:
    clients = [new_client("statements/write", "define") for _ in range(2)]
    sent = [of_its_own(number) for number in range(8)]
    commits = Mock(wraps=store_statements._joint._many)
    with patch.object(store_statements._joint, "_many", commits):
        assert together(*(posting(clients[number % 2], one) for number, one in enumerate(sent))) == [200] * 8
    assert commits.call_count == 1
    assert kept() == {one["id"]: one["object"]["id"] for one in sent}
    assert audited() == ["records.statements_stored"] * 8
    authorities = {json.loads(one.body)["authority"]["account"]["name"] for one in Statement.objects.all()}
    assert authorities == {one.client_id for one in clients}


def test_a_conflict_is_told_to_the_one_who_made_it_alone() -> None:
    lrs = new_client("statements/write")
    there = of_its_own(100)
    assert posting(lrs, there)() == 200
    sent = [of_its_own(number) for number in range(4)]
    twice = of_its_own(5)
    acts = [*sent, {**there, "object": {"id": ACTIVITY}}, there, twice, {**twice, "object": {"id": ACTIVITY}}, twice]
    found = together(*(posting(lrs, one) for one in acts))
    assert found[:6] == [200] * 4 + [409, 200]
    # Of two statements under one id whoever comes first is kept; the same one again is no other.
    assert sorted(found[6:]) in ([200, 200, 409], [200, 409, 409])
    written = kept()
    assert written.items() >= {one["id"]: one["object"]["id"] for one in [*sent, there]}.items()
    assert written[twice["id"]] == (ACTIVITY if found[7] == 200 else twice["object"]["id"])
    assert len(written) == 6


@pytest.mark.parametrize("is_committed", [False, True])
def test_when_writing_together_fails_each_is_kept_once_and_answered_rightly(is_committed: bool) -> None:
    lrs = new_client("statements/write")
    sent = [{name: value for name, value in of_its_own(number).items() if number or name != "id"} for number in range(6)]
    write = store_statements._joint._many

    def failing(every: Any) -> Any:
        with transaction.atomic():
            write(every)
            if not is_committed:
                raise OperationalError("the server closed the connection")
        raise OperationalError("the answer to COMMIT was lost")

    with patch.object(store_statements._joint, "_many", failing):
        assert together(*(posting(lrs, one) for one in sent)) == [200] * 6
    assert sorted(kept().values()) == sorted(one["object"]["id"] for one in sent)


def test_a_secret_that_was_withdrawn_is_refused_to_all_who_ask_after_it() -> None:
    lrs, other = new_client("statements/write"), new_client("statements/write")
    assert posting(lrs, of_its_own(1))() == 200
    identity.disable_client(actor=SYSTEM, client_id=lrs.client_id, now=clock.now())
    acts = [posting(other if number % 3 == 0 else lrs, of_its_own(number)) for number in range(9)]
    assert at_once(*acts) == [200, 401, 401] * 3
