"""Faults at numbered steps: what a process asks of its database and its files is counted, and before one of them it is struck.

Numbers and not seconds, so that quick and slow machines are struck alike. A stroke is SIGKILL, or a disk that is full from then
on: the kernel refuses every byte that a file would hold, whoever writes it.
"""

import json
import os
import random
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle, islice
from typing import Any

from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.urls import reverse
from django.utils.translation import gettext

# What changes a folder, as Python tells it; bytes that are written into a file that is open are not told.
_CHANGES = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.truncate"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Fault(StrEnum):
    KILL = "kill"
    FULL = "full disk"


@dataclass(frozen=True, slots=True)
class Moment:
    """Before the step of this number, the first being 1, the fault happens."""

    step: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a process: how many steps it came to, whether it was struck, what it answered or what it failed of."""

    steps: int
    is_struck: bool
    answer: Any = None
    error: str = ""


def moments(count: int, *, last: int, faults: Sequence[Fault] = (Fault.KILL, Fault.FULL)) -> list[Moment]:
    """So many moments, spread over the steps 1 to `last`, in an order of chance."""
    steps = [1 + number * last // count for number in range(count)]
    random.Random(f"{count}:{last}").shuffle(steps)
    return [Moment(step, fault) for step, fault in zip(steps, islice(cycle(faults), count), strict=True)]


def read_ahead() -> None:
    """Read what every process would have to read anew: addresses, words, migrations."""
    reverse("front:home")
    gettext("")
    MigrationLoader(None)


class Counting:
    """Counts the steps of this process below some folders and in its database; only a process that will end may begin it."""

    def __init__(self, moment: Moment | None, folders: Sequence[str]) -> None:
        self._moment, self._folders = moment, tuple(folders)
        self.steps, self.is_struck = 0, False

    def begin(self) -> None:
        sys.addaudithook(self._hear)
        connection.execute_wrappers.append(self._executed)

    def _executed(self, execute: Callable[..., object], *words: object) -> object:
        self._count()
        return execute(*words)

    def _hear(self, event: str, words: tuple[Any, ...]) -> None:
        writes = event in _CHANGES or (event == "open" and bool((words[2] or 0) & _WRITES))
        if writes and isinstance(words[0], str | os.PathLike) and os.fspath(words[0]).startswith(self._folders):
            self._count()

    def _count(self) -> None:
        self.steps += 1
        if self._moment is None or self.is_struck or self.steps != self._moment.step:
            return
        self.is_struck = True
        if self._moment.fault is Fault.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


class Child:
    """A process of its own that does some work; its first word says that it has begun."""

    def __init__(self, work: Callable[["Child"], Any], moment: Moment | None, folders: Sequence[str]) -> None:
        connections.close_all()
        self.moment = moment
        self.counting = Counting(moment, [*folders, tempfile.gettempdir()])
        self._reading, self._writing = os.pipe()
        self.stop_reading, self._stop_writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            self._work(work)
        os.close(self._writing)
        os.close(self.stop_reading)
        self._words = self._lines()

    def _work(self, work: Callable[["Child"], Any]) -> None:
        os.close(self._reading)
        os.close(self._stop_writing)
        answer, error = None, ""
        try:
            answer = work(self)
        except BaseException:  # noqa: BLE001  # whatever it is, the other side is told
            error = traceback.format_exc()
        finally:
            self.say([self.counting.steps, self.counting.is_struck, answer, error])
            os._exit(0)

    def say(self, told: object) -> None:
        os.write(self._writing, json.dumps(told).encode() + b"\n")

    def _lines(self) -> Iterator[str]:
        with os.fdopen(self._reading, encoding="utf-8") as file:
            yield from file

    def hear(self) -> Any:
        """The next word of it; None once it has ended without."""
        line = next(self._words, "")
        return json.loads(line) if line.endswith("\n") else None

    def stop(self) -> None:
        """Tell it that nothing more will come."""
        os.close(self._stop_writing)

    def end(self) -> Outcome:
        """Wait until it has ended; one that failed though nothing was done to it raises."""
        told = self.hear()
        _pid, status = os.waitpid(self._pid, 0)
        if told is None:
            assert os.WIFSIGNALED(status), f"ended with {status}"
            return Outcome(self.moment.step if self.moment else 0, is_struck=True)
        outcome = Outcome(*told)
        assert outcome.is_struck or not outcome.error, outcome.error
        return outcome


def done(work: Callable[[], Any], *, moment: Moment | None = None, folders: Sequence[str] = ()) -> Outcome:
    """Let a process of its own do the work, counted from its beginning."""

    def counted(child: Child) -> Any:
        child.counting.begin()
        return work()

    child = Child(counted, moment, folders)
    child.stop()
    return child.end()
