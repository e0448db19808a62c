"""Work done together: everybody is answered what they asked, once it is done, and one's fault is nobody else's."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, get_ident

import pytest

from shuren.records.services.together import Apart, Together


class Work:
    """Doubles numbers; the first who comes is held until `waiting` others wait. Who asks for a negative one has a fault."""

    def __init__(self, *, most: int = 50) -> None:
        self.groups: list[list[int]] = []
        self.alone: list[tuple[int, int]] = []
        self.fault: Exception | None = None
        self.held, self.may_go = Event(), Event()
        self.together = Together(self._one, self._many, most=most)

    def _one(self, number: int) -> int:
        self.alone.append((number, get_ident()))
        if number == 0:
            self.held.set()
            assert self.may_go.wait(20)
        if number < 0:
            raise ValueError(number)
        return 2 * number

    def _many(self, numbers: Sequence[int]) -> list[int]:
        self.groups.append(list(numbers))
        if self.fault is not None:
            raise self.fault
        return [2 * number for number in numbers]

    def run(self, numbers: Sequence[int]) -> list[Future[int]]:
        with ThreadPoolExecutor(len(numbers) + 1) as crowd:
            first = crowd.submit(self.together.ask, 0)
            assert self.held.wait(20)
            others = [crowd.submit(self.together.ask, number) for number in numbers]
            while len(self.together._waiting) < len(numbers):
                time.sleep(0.001)
            assert not any(one.done() for one in others)
            self.may_go.set()
        assert first.result() == 0
        return others


def test_one_alone_does_it_itself() -> None:
    work = Work()
    assert work.together.ask(3) == 6
    assert work.alone == [(3, get_ident())]
    assert work.groups == []


def test_who_waits_meanwhile_is_done_together_and_hears_their_own_answer() -> None:
    work = Work()
    found = work.run(range(1, 9))
    assert [one.result() for one in found] == [2 * number for number in range(1, 9)]
    assert [sorted(group) for group in work.groups] == [list(range(1, 9))]
    assert [number for number, _thread in work.alone] == [0]


def test_groups_are_no_greater_than_said_and_nobody_is_left_waiting() -> None:
    work = Work(most=3)
    assert [one.result() for one in work.run(range(1, 8))] == [2 * number for number in range(1, 8)]
    assert sorted(map(len, work.groups)) == [3, 3]
    assert len(work.alone) == 2
    assert work.together.ask(1) == 2


@pytest.mark.parametrize("fault", [Apart(), RuntimeError("the disk is full")])
def test_where_it_cannot_be_done_together_each_goes_alone_in_their_own_thread(fault: Exception) -> None:
    work = Work()
    work.fault = fault
    found = work.run([1, -2, 3, -4, 5])
    assert [one.result() for one in found if one.exception() is None] == [2, 6, 10]
    assert [str(one.exception()) for one in found if one.exception() is not None] == ["-2", "-4"]
    assert len({thread for _number, thread in work.alone}) == 6


def test_after_a_fault_of_one_alone_the_next_leads() -> None:
    work = Work()
    with pytest.raises(ValueError, match="-1"):
        work.together.ask(-1)
    assert work.together.ask(4) == 8
