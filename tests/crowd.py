"""A crowd at the door, and a clock that moves only when told."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shuren.identity.turnstile import Turnstile
from shuren.identity.views import sign_in

AHEAD = 200


class Crowd:
    """Two hundred who came at once, while somebody is coming in; `now` is the time of the door."""

    def __init__(self) -> None:
        self.now = 5_000.0
        self.turnstile = Turnstile(1, lambda: self.now)

    def come(self) -> None:
        for _one in range(AHEAD):
            self.turnstile.peek()


@contextmanager
def crowd_at_the_door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    crowd = Crowd()
    monkeypatch.setattr(sign_in, "turnstile", crowd.turnstile)
    with crowd.turnstile.passage():
        crowd.come()
        yield crowd
