import os
import threading

import pytest

from shuren.front.cli import worker


class Gone(Exception):
    """What stands for the end of the process."""


def test_a_worker_stops_at_once_and_ends_soon_when_its_parent_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    parents = iter([7, 7, 1])
    stopping = threading.Event()

    def end(code: int) -> None:
        assert stopping.is_set()
        raise Gone(code)

    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(worker.time, "sleep", slept.append)
    with pytest.raises(Gone):
        worker.end_with_the_parent(7, stopping)
    assert slept == [worker.PARENT_CHECK_SECONDS] * 2 + [worker.ORPHAN_PATIENCE]
