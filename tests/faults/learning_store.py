"""A program: a store of learning records that takes statements in, or sinks a day of them into the lake, until somebody kills it.

`prepare` makes it; `store` keeps batches of five from several threads, whose transactions join, and tells the ids that were
acknowledged, the same batch a second time now and then, as a client does that heard no answer; `sink` writes the day into the
lake, over and over, telling the rows of each time.
"""

import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Lock

from django.core.management import call_command

from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.records.rules.received import read_request
from shuren.records.services.callers import WRITE, Caller
from shuren.records.services.store_statements import store_together
from shuren.records.services.write_lake import write_day

BATCH = 5
WRITERS = 4
_words = Lock()
_CALLER = Caller(
    client_id="lessons",
    name="lessons",
    scopes=frozenset({WRITE}),
    actor=SYSTEM,
    space="",
    person_id=None,
    authority={"objectType": "Agent", "account": {"homePage": "https://lessons.example.org", "name": "lessons"}},
)
_STATEMENT = (
    '{"id":"%s","actor":{"mbox":"mailto:pupil@example.org"},"verb":{"id":"http://adlnet.gov/expapi/verbs/answered"},'
    '"object":{"id":"https://lessons.example.org/1"},'
    '"context":{"contextActivities":{"parent":[{"id":"https://lessons.example.org/unit"}]}}}'
)


def _tell(words: list[str]) -> None:
    with _words:
        sys.stdout.write(" ".join(words) + "\n")
        sys.stdout.flush()


def _store(ids: list[str]) -> None:
    body = "[" + ",".join(_STATEMENT % one for one in ids) + "]"
    received = read_request(body.encode(), "application/json", version="1.0.3", is_single=False)
    kept = store_together(
        caller=_CALLER, received=received, version="1.0.3", issuer="https://shuren.example.org", now=clock.now()
    )
    _tell(kept)


def main(what: str) -> None:
    if what == "prepare":
        call_command("migrate", verbosity=0)
        sys.stdout.write("1")
        return
    if what == "store":
        with ThreadPoolExecutor(WRITERS) as crowd:
            list(crowd.map(_store_for_ever, range(WRITERS)))
    while True:
        _tell([str(write_day(day=clock.day_of(clock.now()), now=clock.now()))])


def _store_for_ever(_writer: int) -> None:
    for turn in count():
        ids = [str(uuid.uuid4()) for _ in range(BATCH)]
        _store(ids)
        if turn % 3 == 0:
            _store(ids)
