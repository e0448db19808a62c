"""The fair queue, with a clock that moves only when told."""

import heapq
import random
import threading
from contextlib import ExitStack
from itertools import pairwise

import pytest

from shuren.identity.turnstile import Turn, Turnstile


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def busy(turnstile: Turnstile) -> None:
    """Somebody came in just now."""
    with turnstile.passage():
        pass


def ask(turnstile: Turnstile, ticket: str = "") -> Turn:
    with turnstile.passage(ticket) as turn:
        return turn


def test_without_a_crowd_everybody_comes_in(clock: Clock) -> None:
    turnstile = Turnstile(2, clock)
    for _one in range(50):
        clock.now += 0.3
        assert ask(turnstile).is_now


def test_a_crowd_is_told_place_and_time_in_order_of_arrival(clock: Clock) -> None:
    turnstile = Turnstile(1, clock)
    busy(turnstile)
    turns = [ask(turnstile) for _one in range(100)]
    waiting = [turn for turn in turns if not turn.is_now]
    assert turns[0].is_now
    assert len(waiting) > 50
    assert [turn.seconds for turn in waiting] == sorted(turn.seconds for turn in waiting)
    assert [turn.place for turn in waiting] == sorted(turn.place for turn in waiting)
    assert all(turn.retry_after >= 1 for turn in waiting)


def test_a_ticket_comes_in_at_its_time_and_once(clock: Clock) -> None:
    turnstile = Turnstile(1, clock)
    busy(turnstile)
    late = [ask(turnstile) for _one in range(100)][-1]
    busy(turnstile)
    assert not ask(turnstile, late.ticket).is_now
    clock.now += late.seconds
    busy(turnstile)
    for _one in range(200):
        ask(turnstile)
    assert turnstile.peek(late.ticket).is_now
    assert ask(turnstile, late.ticket).is_now
    assert not ask(turnstile, late.ticket).is_now


@pytest.mark.parametrize("ticket", ["", "x", "1:2:3", "WzEsICJ4Il0:aaaa:bbbb"])
def test_a_forged_ticket_queues_like_nobody(clock: Clock, ticket: str) -> None:
    turnstile = Turnstile(1, clock)
    busy(turnstile)
    for _one in range(100):
        ask(turnstile)
    assert not ask(turnstile, ticket).is_now


def test_those_who_reserved_and_stayed_away_block_nobody(clock: Clock) -> None:
    turnstile = Turnstile(1, clock)
    for _one in range(10_000):
        turnstile.peek()
    clock.now += 1
    assert ask(turnstile).is_now


def test_never_more_at_once_than_slots() -> None:
    turnstile = Turnstile(2)
    inside, most, lock = 0, 0, threading.Lock()

    def hash_one() -> None:
        nonlocal inside, most
        with turnstile.slot():
            with lock:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.01)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=hash_one) for _one in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


@pytest.mark.parametrize("seed", range(5))
def test_whoever_waited_is_not_overtaken(clock: Clock, seed: int) -> None:
    """Eighty a second at a door that lets thirty in: everybody is answered at once and comes back when told to."""
    turnstile, draw, cost = Turnstile(1, clock), random.Random(seed), 1 / 30
    begun = free = clock.now
    due = [(begun + draw.uniform(0, 15), place, "") for place in range(1_200)]
    arrived, inside, told = {place: at for at, place, _ticket in due}, dict[int, float](), dict[int, float]()
    under_way: dict[int, ExitStack] = {}
    heapq.heapify(due)
    while due:
        clock.now, place, ticket = heapq.heappop(due)
        if place in under_way:
            inside[place] = clock.now
            under_way.pop(place).close()
            continue
        passage = ExitStack()
        turn = passage.enter_context(turnstile.passage(ticket))
        if turn.is_now:
            # One core: whoever is let in while others are under way ends after them.
            under_way[place], free = passage, max(clock.now, free) + cost
            heapq.heappush(due, (free, place, ""))
        else:
            passage.close()
            told.setdefault(place, clock.now + turn.seconds)
            heapq.heappush(due, (clock.now + turn.retry_after, place, turn.ticket))
    order = sorted(inside, key=lambda place: arrived[place])
    assert max(inside[earlier] - inside[later] for earlier, later in pairwise(order)) < 5
    assert len(told) > 1_000
    assert max(abs(inside[place] - expected) for place, expected in told.items()) < 5


def test_a_process_that_died_holds_no_place(clock: Clock) -> None:
    before = Turnstile(1, clock)
    busy(before)
    waiting = [ask(before) for _one in range(300)][-1]
    after = Turnstile(1, clock)
    assert ask(after).is_now
    busy(after)
    assert after.peek(waiting.ticket).seconds == pytest.approx(waiting.seconds)
    clock.now += waiting.seconds
    assert ask(after, waiting.ticket).is_now


def test_a_hash_that_fails_gives_its_slot_back() -> None:
    turnstile = Turnstile(1)
    for _try in range(3):
        with pytest.raises(MemoryError), turnstile.slot():
            raise MemoryError
    with turnstile.slot():
        pass
